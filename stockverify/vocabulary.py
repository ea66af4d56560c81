"""Every status, role, collection, Redis key and channel, spelled once. docs/glossary.md says what they mean."""

from enum import StrEnum


class Role(StrEnum):
    """What a person may do: staff count, supervisors settle, admins manage, auditors read all and write nothing."""

    STAFF = "staff"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"


class RackState(StrEnum):
    """Where a rack stands in its counting round."""

    AVAILABLE = "available"
    CLAIMED = "claimed"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    REVERIFY_REQUESTED = "reverify_requested"


class SessionStatus(StrEnum):
    """Where one counter's work on one rack (or on none) stands."""

    OPEN = "open"
    ACTIVE = "active"
    PAUSED = "paused"
    RECONCILE = "reconcile"
    COMPLETED = "completed"
    CLOSED = "closed"


class SessionType(StrEnum):
    """How much of the book quantity a counter may see."""

    STANDARD = "STANDARD"
    BLIND = "BLIND"
    STRICT = "STRICT"


class RecordStatus(StrEnum):
    """A partial record may still lack its quantity; a finalized one is a count."""

    PARTIAL = "partial"
    FINALIZED = "finalized"


class ConflictType(StrEnum):
    """Why a record was kept aside for a supervisor instead of being accepted."""

    DUPLICATE_SERIAL = "duplicate_serial"
    INVALID_QUANTITY = "invalid_quantity"
    INVALID_DATA = "invalid_data"
    RACK_LOCKED = "rack_locked"
    STALE_REVISION = "stale_revision"
    CONCURRENT_EDIT = "concurrent_edit"


class ErrorType(StrEnum):
    """Why a record could not be read at all."""

    INVALID_RECORD = "invalid_record"


class ConflictStatus(StrEnum):
    """A conflict waits for a supervisor, or was settled by one."""

    PENDING = "pending"
    RESOLVED = "resolved"


class RunKind(StrEnum):
    """What the worker was asked to do."""

    MATERIALISE = "materialise"


class RunStatus(StrEnum):
    """How far a run of the worker is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Collection(StrEnum):
    """The MongoDB collections."""

    USERS = "users"
    DEVICES = "devices"
    ERP_ITEMS = "erp_items"
    RACKS = "rack_registry"
    SESSIONS = "verification_sessions"
    RECORDS = "verification_records"
    RECORD_HISTORY = "record_history"
    SERIALS = "item_serials"
    CONFLICTS = "sync_conflicts"
    REPORT_SNAPSHOTS = "report_snapshots"
    COMPARE_JOBS = "report_compare_jobs"
    SCHEDULES = "report_schedules"
    RUNS = "report_runs"
    DELIVERIES = "report_deliveries"
    ACTIVITY_LOGS = "activity_logs"


def rack_lock_key(rack_id: str) -> str:
    """The lease on a rack; its value is the id of the session that holds it."""
    return f"rack:lock:{rack_id}"


def session_lock_key(session_id: str) -> str:
    """Says that a session is alive; its value is the id of its rack."""
    return f"session:lock:{session_id}"


def user_heartbeat_key(user_id: str) -> str:
    """Says that a person's device was heard from within HEARTBEAT_TTL."""
    return f"user:heartbeat:{user_id}"
