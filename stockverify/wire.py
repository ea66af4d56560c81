"""The shapes that cross the wire, for the service, the device client and the dashboard alike.

Requests are frozen and bounded; unknown fields are ignored, because devices in the field send extras.
Times called `*_at` in racks, sessions and snapshots are Unix seconds; record times are ISO 8601 instants.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from stockverify.breaker import BreakerState
from stockverify.vocabulary import (
    ConflictType,
    ErrorType,
    RackState,
    RecordStatus,
    Role,
    SessionStatus,
    SessionType,
)

MAX_BATCH_RECORDS = 1000
MAX_SERIALS = 1000
MAX_BATCH_SERIALS = 20_000

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(max_length=256)]
Text = Annotated[str, Meta(max_length=4096)]
Quantity = Annotated[float, Meta(ge=-1e12, le=1e12)]
Money = Annotated[float, Meta(ge=-1e12, le=1e12)]
Password = Annotated[str, Meta(min_length=1, max_length=1024)]
NewPassword = Annotated[str, Meta(min_length=8, max_length=1024)]
Pin = Annotated[str, Meta(pattern=r"^[0-9]{4,6}$")]
MAX_PEOPLE = 20


class Request(Struct, frozen=True, kw_only=True):
    """A body that a client sends."""


class Reply(Struct, frozen=True, kw_only=True):
    """A body that the service sends."""


# ------------------------------------------------------------------------------------------------ auth


class Login(Request, frozen=True, kw_only=True):
    """POST /api/auth/login"""

    username: Name
    password: Password


class LoginPin(Request, frozen=True, kw_only=True):
    """POST /api/auth/login-pin; without a user name only from an enrolled device."""

    pin: Pin
    username: Name | None = None


class Refresh(Request, frozen=True, kw_only=True):
    """POST /api/auth/refresh"""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=512)]


class Register(Request, frozen=True, kw_only=True):
    """POST /api/auth/register, for admins"""

    username: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[\w.@-]+$")]
    password: NewPassword
    full_name: Name
    role: Role
    pin: Pin | None = None


class ChangeUser(Request, frozen=True, kw_only=True):
    """PATCH /api/auth/users/{username}, for admins. What is left out stays; a null e-mail or PIN is taken away."""

    role: Role | None = None
    is_active: bool | None = None
    full_name: Name | None = None
    password: NewPassword | None = None
    email: Name | UnsetType | None = UNSET
    pin: Pin | UnsetType | None = UNSET


class User(Reply, frozen=True, kw_only=True):
    """A person, as tokens and replies show them."""

    id: str
    username: str
    full_name: str
    role: Role
    email: str | None
    is_active: bool
    permissions: list[str]


class Tokens(Reply, frozen=True, kw_only=True):
    """What a login gives: a short-lived access token and a refresh token that works once."""

    access_token: str
    expires_in: int
    refresh_token: str
    user: User
    token_type: str = "bearer"  # noqa: S105


class TokensReply(Reply, frozen=True, kw_only=True):
    """The envelope of login and refresh."""

    data: Tokens
    success: bool = True


# --------------------------------------------------------------------------------------------- devices


class InviteDevice(Request, frozen=True, kw_only=True):
    """POST /api/devices/codes, for admins: who may log in on the device with a PIN alone."""

    name: Annotated[str, Meta(min_length=1, max_length=128)]
    usernames: Annotated[tuple[Name, ...], Meta(max_length=MAX_PEOPLE)]


class DeviceCode(Reply, frozen=True, kw_only=True):
    """A code that enrols one device, once, until `expires_at`."""

    code: str
    name: str
    usernames: list[str]
    expires_at: float


class EnrollDevice(Request, frozen=True, kw_only=True):
    """POST /api/devices/enroll; a device that has a name already keeps it with `device_id`."""

    code: Annotated[str, Meta(min_length=1, max_length=32)]
    device_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,128}$")] | None = None


class Enrolled(Reply, frozen=True, kw_only=True):
    """What the device keeps: it sends both as X-Device-ID and X-Device-Token when somebody logs in on it."""

    device_id: str
    device_token: str
    name: str


class Device(Reply, frozen=True, kw_only=True):
    """A device that was enrolled, or that somebody logged in on."""

    device_id: str
    name: str | None
    usernames: list[str]
    enrolled_at: float | None
    last_login_at: float | None
    revoked_at: float | None
    revoked_reason: str | None


# ----------------------------------------------------------------------------------------------- racks


class Claim(Request, frozen=True, kw_only=True):
    """POST /api/racks/{rack_id}/claim"""

    floor: Name | None = None
    take_over: bool | None = None


class AvailableRack(Reply, frozen=True, kw_only=True):
    """A rack that a counter may claim."""

    rack_id: str
    floor: str
    status: RackState
    item_count: int


class Grant(Reply, frozen=True, kw_only=True):
    """A claim that was granted: the session it opened and the fence number that guards its writes."""

    rack_id: str
    session_id: str
    floor: str
    lock_ttl: int
    fence: int
    message: str
    success: bool = True


class RackChanged(Reply, frozen=True, kw_only=True):
    """What release answers."""

    rack_id: str
    message: str
    success: bool = True


class RackStateChanged(Reply, frozen=True, kw_only=True):
    """What pause, resume, force-release and reverify answer."""

    rack_id: str
    status: RackState
    message: str
    success: bool = True


class RackStatus(Reply, frozen=True, kw_only=True):
    """A rack as it stands now."""

    rack_id: str
    floor: str
    status: RackState
    claimed_by: str | None
    session_id: str | None
    lock_expires_at: float | None
    updated_at: float


class Reason(Request, frozen=True, kw_only=True):
    """Why a supervisor overrides a counter."""

    reason: Annotated[str, Meta(min_length=3, max_length=1000)]


# -------------------------------------------------------------------------------------------- sessions


class OpenSession(Request, frozen=True, kw_only=True):
    """POST /api/sessions/ opens a session without a rack."""

    warehouse: Name
    type: SessionType = SessionType.STANDARD
    floor: Name | None = None


class Session(Reply, frozen=True, kw_only=True):
    """One counter's work, with the counts derived from the records that it holds."""

    id: str
    session_id: str
    user_id: str
    rack_id: str | None
    floor: str | None
    status: SessionStatus
    started_at: float
    last_heartbeat: float | None
    completed_at: float | None
    item_count: int
    verified_count: int


class SessionPage(Reply, frozen=True, kw_only=True):
    """One page of sessions."""

    items: list[Session]
    total: int
    page: int
    page_size: int


class Presence(Reply, frozen=True, kw_only=True):
    """A session at work and its device: `present` is null while nobody can say; the queue is as the device told it."""

    session_id: str
    user_id: str
    username: str
    device_id: str
    rack_id: str | None
    floor: str | None
    status: SessionStatus
    started_at: float
    last_heartbeat: float | None
    present: bool | None
    queue_length: int | None
    queue_age_seconds: float | None


class SessionStats(Reply, frozen=True, kw_only=True):
    """Progress of one session; `damage_items` counts units."""

    id: str
    session_id: str
    total_items: int
    verified_items: int
    damage_items: float
    pending_items: int
    duration_seconds: float
    items_per_minute: float


class Heartbeat(Reply, frozen=True, kw_only=True):
    """What a heartbeat tells the device about its lock."""

    id: str
    session_id: str
    rack_lock_renewed: bool
    user_presence_updated: bool
    lock_ttl_remaining: int
    message: str
    success: bool = True


class SyncHeartbeat(Reply, frozen=True, kw_only=True):
    """The older heartbeat, beside the batches."""

    session_id: str
    user_id: str
    rack_renewed: bool
    timestamp: float
    success: bool = True


class SessionCompleted(Reply, frozen=True, kw_only=True):
    """What complete answers."""

    id: str
    session_id: str
    message: str
    success: bool = True


class SessionStatusChanged(Reply, frozen=True, kw_only=True):
    """What a change of status answers."""

    id: str
    status: SessionStatus
    success: bool = True


class DeviceQueue(Struct, frozen=True, kw_only=True):
    """What a device says about its unsent records, in X-Queue-Length and X-Queue-Age (seconds of the oldest)."""

    length: int
    age_seconds: float | None = None


# ------------------------------------------------------------------------------------------------ sync


class SyncRecord(Request, frozen=True, kw_only=True):
    """One counted line as a device sends it. `verified_qty` null means seen but not counted, never zero."""

    client_record_id: Id
    session_id: Id
    item_code: Id
    verified_qty: Quantity | None
    created_at: datetime
    updated_at: datetime
    rack_id: Annotated[str, Meta(max_length=128)] | None = None
    floor: Name | None = None
    bin: Annotated[str, Meta(max_length=128)] | None = None
    damage_qty: Quantity | None = 0.0
    serial_numbers: Annotated[tuple[Id, ...], Meta(max_length=MAX_SERIALS)] | None = ()
    mfg_date: Name | None = None
    mrp: Money | None = None
    uom: Name | None = None
    category: Name | None = None
    subcategory: Name | None = None
    item_condition: Name | None = None
    evidence_photos: Annotated[tuple[Text, ...], Meta(max_length=100)] | None = ()
    status: RecordStatus = RecordStatus.FINALIZED
    revision: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    barcode: Annotated[str, Meta(max_length=512)] | None = None
    lot: Name | None = None
    expiry_date: Name | None = None

    def __post_init__(self) -> None:
        """Naive times count as UTC, so that every instant in the house is aware; MongoDB keeps milliseconds."""
        if not _as_kept(self.created_at):
            msgspec.structs.force_setattr(self, "created_at", _instant("created_at", self.created_at))
        if not _as_kept(self.updated_at):
            msgspec.structs.force_setattr(self, "updated_at", _instant("updated_at", self.updated_at))
        if self.status is RecordStatus.FINALIZED and self.verified_qty is None:
            raise ValueError("a finalized record needs verified_qty; send status partial for an item not yet counted")


def _as_kept(sent: datetime) -> bool:
    """Nearly every device sends whole milliseconds in UTC; looking first halves the cost of reading a record."""
    return sent.tzinfo is UTC and not sent.microsecond % 1000


def _instant(name: str, sent: datetime) -> datetime:
    try:
        instant = sent.replace(tzinfo=UTC) if sent.tzinfo is None else sent.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{name} is no possible time") from None
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


class RawBatch(Request, frozen=True, kw_only=True):
    """POST /api/sync/batch before its records are read one by one, so that a bad one costs only itself."""

    records: list[msgspec.Raw] | None = None
    operations: list[msgspec.Raw] | None = None
    batch_id: Annotated[str, Meta(max_length=128)] | int | None = None


class Conflicted(Reply, frozen=True, kw_only=True):
    """A record kept aside for a supervisor, stored whole."""

    client_record_id: str
    conflict_type: ConflictType
    message: str
    details: dict[str, Any] = field(default_factory=dict)


class Rejected(Reply, frozen=True, kw_only=True):
    """A record that could not be read; the device keeps it and shows why."""

    client_record_id: str
    error_type: ErrorType
    message: str


class RecordResult(Reply, frozen=True, kw_only=True):
    """The outcome of one record, in request order."""

    id: str
    success: bool
    message: str


class BatchReply(Reply, frozen=True, kw_only=True):
    """One outcome for each record sent: ok + conflicts + errors = total_records."""

    ok: list[str]
    conflicts: list[Conflicted]
    errors: list[Rejected]
    batch_id: str | None
    processing_time_ms: float
    total_records: int
    results: list[RecordResult]
    processed_count: int
    success_count: int
    failed_count: int


class Receipt(Reply, frozen=True, kw_only=True):
    """What became of a batch when it was stored. Every delivery that stored something has one of its own."""

    batch_id: str | None
    records: int
    ok: int
    conflicts: int
    errors: int
    session_ids: list[str]
    rack_ids: list[str]
    username: str
    device_id: str
    received_at: float


# --------------------------------------------------------------------------------------------- reports


class QuerySpec(Request, frozen=True, kw_only=True):
    """A report query as clients write it; analytics.query checks it against the dataset's declared columns."""

    collection: Name
    filters: dict[str, Any] = field(default_factory=dict)
    group_by: list[Name] = field(default_factory=list)
    aggregations: dict[str, Name] = field(default_factory=dict)
    sort: dict[str, int] = field(default_factory=dict)
    limit: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    skip: Annotated[int, Meta(ge=0, le=2**53)] = 0


class CreateSnapshot(Request, frozen=True, kw_only=True):
    """POST /api/reports/snapshots"""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    query_spec: QuerySpec
    description: Text = ""
    snapshot_type: Name = "custom"
    tags: list[Name] = field(default_factory=list)


class Compare(Request, frozen=True, kw_only=True):
    """POST /api/reports/compare"""

    snapshot_a_id: Id
    snapshot_b_id: Id
    comparison_name: Name | None = None


class RequestRun(Request, frozen=True, kw_only=True):
    """POST /api/reports/runs asks the worker for something now."""

    kind: Name = "materialise"
    name: Name | None = None


class Run(Reply, frozen=True, kw_only=True):
    """What the worker did, does or will do."""

    run_id: str
    kind: str
    status: str
    requested_by: str
    requested_at: float
    finished_at: float | None
    snapshot_id: str | None
    error: str | None


# -------------------------------------------------------------------------------------------- activity


class ActivityEntry(Reply, frozen=True, kw_only=True):
    """One sealed entry of the audit log."""

    id: str
    sequence: int
    at: float
    action: str
    user_id: str
    username: str
    device_id: str
    subject: str
    details: dict[str, Any]
    request_id: str | None
    previous: str
    hash: str


# ---------------------------------------------------------------------------------------------- health


class Health(Reply, frozen=True, kw_only=True):
    """Whether the service can do its work: each backend is up or down; a breaker is closed, half_open or open."""

    status: Literal["healthy", "degraded", "unhealthy"]
    services: dict[str, Literal["up", "down"]]
    breakers: dict[str, BreakerState]
    version: str


class Success(Reply, frozen=True, kw_only=True):
    """Done."""

    success: bool = True
