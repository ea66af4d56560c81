"""What the operating system refuses about files, in the words of a command line."""

import errno

from stockverify.errors import SetupError

_ANOTHER_USER = "Run this as the user who runs StockVerify, or name another place"
_ADVICE = {
    errno.EACCES: _ANOTHER_USER,
    errno.EPERM: _ANOTHER_USER,
    errno.ENOSPC: "Make room there",
    errno.EDQUOT: "Make room there",
    errno.EEXIST: "Name another place",
    errno.ENOENT: "Make its folder first, or name another place",
    errno.EROFS: "Name another place",
    errno.EISDIR: "Name a file",
    errno.ENOTDIR: "Name another place",
    errno.ENAMETOOLONG: "Name a shorter one",
}


class PlaceRefused(SetupError):
    """{place} cannot be used: {reason}. {advice}."""


def told(error: OSError) -> PlaceRefused | None:
    """None for what says nothing about a file or a folder, such as a reader who has gone away."""
    if error.errno not in _ADVICE:
        return None
    return PlaceRefused(place=error.filename or "The disk", reason=error.strerror, advice=_ADVICE[error.errno])
