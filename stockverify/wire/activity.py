"""The audit log."""

from typing import Any

from stockverify.wire.common import Reply


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
