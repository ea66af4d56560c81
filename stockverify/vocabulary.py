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


HELD_RACKS = (RackState.CLAIMED, RackState.ACTIVE)
OCCUPIED_RACKS = (*HELD_RACKS, RackState.PAUSED)
FINISHED_SESSIONS = (SessionStatus.COMPLETED, SessionStatus.CLOSED)


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


class Resolution(StrEnum):
    """How a supervisor settles a conflict."""

    ACCEPT_SERVER = "accept_server"
    ACCEPT_LOCAL = "accept_local"
    MERGE = "merge"
    IGNORE = "ignore"


class Action(StrEnum):
    """What the audit log keeps: who did what to which subject."""

    LOGGED_IN = "auth.logged_in"
    LOGGED_OUT = "auth.logged_out"
    LOGIN_LOCKED = "auth.locked"
    TOKEN_REUSED = "auth.token_reused"  # noqa: S105
    USER_MADE = "user.made"
    USER_CHANGED = "user.changed"
    DEVICE_INVITED = "device.invited"
    DEVICE_ENROLLED = "device.enrolled"
    DEVICE_REVOKED = "device.revoked"
    RACK_CLAIMED = "rack.claimed"
    RACK_TAKEN_OVER = "rack.taken_over"
    RACK_RELEASED = "rack.released"
    RACK_FORCE_RELEASED = "rack.force_released"
    RACK_REVERIFY = "rack.reverify_requested"
    SESSION_COMPLETED = "session.completed"
    CONFLICT_RESOLVED = "conflict.resolved"
    SNAPSHOT_DELETED = "snapshot.deleted"
    EXPORT_ASKED = "export.asked"
    EXPORT_CANCELLED = "export.cancelled"
    RACK_SWEPT = "rack.swept"
    SESSION_SWEPT = "session.swept"
    BACKUP_RESTORED = "backup.restored"
    SCHEDULE_MADE = "schedule.made"
    SCHEDULE_CHANGED = "schedule.changed"
    SCHEDULE_PAUSED = "schedule.paused"
    SCHEDULE_RESUMED = "schedule.resumed"
    SCHEDULE_DELETED = "schedule.deleted"
    SCHEDULE_RUN = "schedule.run"
    DELIVERY_RETRIED = "delivery.retried"
    DELIVERY_CANCELLED = "delivery.cancelled"
    UNSUBSCRIBED = "schedule.unsubscribed"
    RESUBSCRIBED = "schedule.resubscribed"
    FLAG_DISMISSED = "flag.dismissed"
    FLAG_RESTORED = "flag.restored"
    FLAG_RECOUNT = "flag.recount_asked"
    SNAPSHOT_PINNED = "snapshot.pinned"
    SNAPSHOT_UNPINNED = "snapshot.unpinned"
    IMPORT_COMMITTED = "import.committed"
    IMPORT_ENDED = "import.ended"


class EventType(StrEnum):
    """What live updates tell of. A client that misses some refetches what it shows."""

    RACK_CHANGED = "rack.changed"
    SESSION_CHANGED = "session.changed"
    RECORDS_SYNCED = "records.synced"
    CONFLICT_FOUND = "conflict.found"
    CONFLICT_RESOLVED = "conflict.resolved"
    RESYNC = "resync"


class RunKind(StrEnum):
    """What the worker was asked to do."""

    MATERIALISE = "materialise"
    RETENTION = "retention"
    REPORT = "report"
    STALE_SWEEP = "stale_sweep"
    ANOMALY_SCAN = "anomaly_scan"
    INTEGRITY = "integrity"
    BACKUP = "backup"


class RunPurpose(StrEnum):
    """Why there is a run: a schedule was due, somebody wanted it now, as a test to themselves, or to look at first."""

    SCHEDULED = "scheduled"
    NOW = "now"
    TEST = "test"
    PREVIEW = "preview"


class ScheduleState(StrEnum):
    """A draft was never started; a paused schedule says who or what paused it."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"


class Subject(StrEnum):
    """What a report schedule reports on."""

    QUERY = "query"
    TEMPLATE = "template"
    SNAPSHOT = "snapshot"
    COMPARISON = "comparison"
    SUMMARY = "summary"


class Condition(StrEnum):
    """When a report that is due is sent."""

    ALWAYS = "always"
    ROWS = "rows"
    CHANGED = "changed"
    FIGURE = "figure"


class DeliveryKind(StrEnum):
    """What a mail is: the report itself, the same as a test, or a notice to an owner."""

    REPORT = "report"
    TEST = "test"
    NOTICE = "notice"


class DeliveryState(StrEnum):
    """How far a mail to one recipient is. `unknown` means that the connection was lost after its text was sent."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ComparisonStatus(StrEnum):
    """What has become of a comparison."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunStatus(StrEnum):
    """How far a run of the worker is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class AnomalyKind(StrEnum):
    """What may be odd about counts; docs/anomalies.md says how each is found."""

    VARIANCE_OUTLIER = "variance_outlier"
    DIGIT_HEAPING = "digit_heaping"
    ALWAYS_BOOK = "always_book"
    IMPOSSIBLE_SPEED = "impossible_speed"
    SUDDEN_CHANGE = "sudden_change"
    SERIAL_PATTERN = "serial_pattern"


class FlagState(StrEnum):
    """Whether a flag waits for somebody to look at it, was dismissed with a note, or is no longer found."""

    OPEN = "open"
    DISMISSED = "dismissed"
    GONE = "gone"


class ExportStatus(StrEnum):
    """How far an export job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ImportStatus(StrEnum):
    """How far an uploaded stock list is on its way into the book. An open one waits for a person."""

    OPEN = "open"
    QUEUED = "queued"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


class Collection(StrEnum):
    """The MongoDB collections."""

    USERS = "users"
    DEVICES = "devices"
    DEVICE_CODES = "device_codes"
    LOGIN_ATTEMPTS = "login_attempts"
    ID_TOKENS = "id_tokens"
    ERP_ITEMS = "erp_items"
    RACKS = "rack_registry"
    SESSIONS = "verification_sessions"
    RECORDS = "verification_records"
    RECORD_HISTORY = "record_history"
    SERIALS = "item_serials"
    CONFLICTS = "sync_conflicts"
    BATCHES = "sync_batches"
    REPORT_SNAPSHOTS = "report_snapshots"
    QUERIES = "report_queries"
    COMPARE_JOBS = "report_compare_jobs"
    SCHEDULES = "report_schedules"
    RUNS = "report_runs"
    MARKS = "lake_marks"
    PINS = "report_pins"
    DELIVERIES = "report_deliveries"
    REPORT_EXPORTS = "report_exports"
    ANOMALY_FLAGS = "anomaly_flags"
    IMPORTS = "stock_imports"
    ACTIVITY_LOGS = "activity_logs"


RESTORE_STATE = "restoring.state"
"""The collection that is there only while a restore puts a backup in its place."""


GLOBAL_CHANNEL = "global:notifications"
"""The Redis channel of what concerns everybody."""


SESSION_CHANNELS = "session:updates:"
"""How the channels of sessions begin."""
LIVE_CHANNELS = (GLOBAL_CHANNEL, "rack:updates:*", f"{SESSION_CHANNELS}*")
"""The patterns of all channels of live updates."""
LIVE_DEVICES_KEY = "devices:live"
"""The devices that were heard from: a sorted set whose scores say until when each counts as live."""


def rack_channel(rack_id: str) -> str:
    """The Redis channel of what happens to a rack."""
    return f"rack:updates:{rack_id}"


def session_channel(session_id: str) -> str:
    """The Redis channel of what happens to a session."""
    return f"{SESSION_CHANNELS}{session_id}"


def rack_lock_key(rack_id: str) -> str:
    """The lease on a rack; its value is the id of the session that holds it."""
    return f"rack:lock:{rack_id}"


def session_lock_key(session_id: str) -> str:
    """Says that a session is alive; its value is the id of its rack."""
    return f"session:lock:{session_id}"


def device_rate_key(user_id: str, device_id: str) -> str:
    """How much of its rate one person's device has used up."""
    return f"rate:device:{user_id}:{device_id}"


def address_rate_key(address: str) -> str:
    """How much of their rate the strangers at one network address have used up."""
    return f"rate:address:{address}"


def user_heartbeat_key(user_id: str) -> str:
    """Says that a person's device was heard from within HEARTBEAT_TTL."""
    return f"user:heartbeat:{user_id}"
