"""Snapshot ids: they sort by time, and are safe as folder names."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from stockverify.errors import BadInput

_SHAPE = re.compile(r"\d{8}T\d{9}Z-[0-9a-f]{8}", re.ASCII)


class BadSnapshotId(BadInput):
    """{text!r} is not a snapshot id. Ids look like 20260131T235959123Z-0a1b2c3d; `stockverify list`
    shows yours."""


def new_snapshot_id(now: datetime, mark: str, newest: str | None = None) -> str:
    """The id of a snapshot made at `now`; `mark`, 8 random hexadecimal digits, tells those of one moment apart.

    It sorts after that of the `newest` there is, also when the clock was set back since: the latest is found by it.
    """
    moment = max(now, _just_after(newest) or now).astimezone(UTC)
    return f"{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}Z-{mark}"


def _just_after(newest: str | None) -> datetime | None:
    """A millisecond after an id; None after one that has the shape of an id and is of no day that there is."""
    with suppress(ValueError, OverflowError):
        return datetime.strptime((newest or "").partition("-")[0], "%Y%m%dT%H%M%S%f%z") + timedelta(milliseconds=1)
    return None


def is_snapshot_id(text: str) -> bool:
    """Whether a text has the shape of an id; everything else in the lake is invisible."""
    return _SHAPE.fullmatch(text) is not None


def checked_id(text: str) -> str:
    """An id that came from outside. Raises BadSnapshotId."""
    if not is_snapshot_id(text):
        raise BadSnapshotId(text=text[:80])
    return text
