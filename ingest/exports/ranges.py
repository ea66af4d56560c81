"""Which part of a file a request asks for (RFC 9110, section 14), so that a download that broke off goes on. Pure.

One range is served. Several at once, other units and what cannot be read get the whole file, as the standard allows.
"""

import re
from typing import NamedTuple

from stockverify.errors import OutOfRange

_ONE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.ASCII | re.IGNORECASE)
_LONGEST = 100


class BeyondTheEnd(OutOfRange):
    """This file has {size} bytes, and none of them are in the range {asked}. Ask for it without a range, or for a part
    that it has."""


class Part(NamedTuple):
    """Bytes of a file of `size` bytes, from the first to the last one, both included."""

    first: int
    last: int
    size: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.last - self.first + 1

    @property
    def content_range(self) -> str:
        """How the reply names it."""
        return f"bytes {self.first}-{self.last}/{self.size}"


def wanted(asked: str | None, if_range: str | None, etag: str, size: int) -> Part | None:
    """The part that is asked for, None for all of it. With `If-Range` a part is only given of the very file whose
    strong entity tag is named there; a date is no proof of that. Raises BeyondTheEnd."""
    found = _ONE.fullmatch(asked) if asked is not None and len(asked) <= _LONGEST else None
    if found is None or (if_range is not None and if_range.strip() != etag):
        return None
    first, last = found.groups()
    if not first:
        return _ending(int(last), size) if last else None
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise BeyondTheEnd(size=size, asked=found[0])
    return Part(int(first), min(int(last), size - 1) if last else size - 1, size)


def _ending(length: int, size: int) -> Part | None:
    """The last bytes. An empty file has none, and is given whole."""
    if length == 0:
        raise BeyondTheEnd(size=size, asked="bytes=-0")
    return Part(max(size - length, 0), size - 1, size) if size else None
