"""One counter's work, and its heartbeats."""

from msgspec import Struct

from stockverify.vocabulary import (
    SessionStatus,
    SessionType,
)
from stockverify.wire.common import Name, Reply, Request


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
