"""Snapshot ids: they sort by time, and are safe as folder names."""

import re
from datetime import UTC, datetime

from stockverify.errors import BadInput

_SHAPE = re.compile(r"\d{8}T\d{9}Z-[0-9a-f]{8}", re.ASCII)


class BadSnapshotId(BadInput):
    """{text!r} is not a snapshot id. Ids look like 20260131T235959123Z-0a1b2c3d; `stockverify list`
    shows yours."""


def new_snapshot_id(now: datetime, mark: str) -> str:
    """The id of a snapshot made at `now`; `mark`, 8 random hexadecimal digits, tells those of one moment apart."""
    moment = now.astimezone(UTC)
    return f"{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}Z-{mark}"


def is_snapshot_id(text: str) -> bool:
    """Whether a text has the shape of an id; everything else in the lake is invisible."""
    return _SHAPE.fullmatch(text) is not None


def checked_id(text: str) -> str:
    """An id that came from outside. Raises BadSnapshotId."""
    if not is_snapshot_id(text):
        raise BadSnapshotId(text=text[:80])
    return text
