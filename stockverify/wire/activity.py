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


class ChainCheck(Reply, frozen=True, kw_only=True):
    """Whether entries hold together: those from `first` to `last`, of a chain that ended at `end` then. With `last`
    below `end` the time was over, and another check goes on after `last`."""

    holds: bool
    first: int
    last: int
    end: int
    problems: list[str]
