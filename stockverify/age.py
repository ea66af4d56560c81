"""How old a file or a folder is, asked while others write, rename and remove beside us."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path


def changed_before(path: Path, moment: datetime) -> bool:
    """Whether it was last changed before then. Not, if it is gone meanwhile: its writer has given it its final name, or
    somebody else has removed it."""
    with suppress(FileNotFoundError):
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC) < moment
    return False
