"""How a job in the reports process tells how far it is, and hears that nobody wants it any more: two small files in its
folder, which both sides see whichever process of whichever service asked (docs/decisions/0021)."""

from pathlib import Path

import msgspec
from msgspec import Struct

_PROGRESS, _STOP = "progress.json", "stop"


class Progress(Struct, frozen=True):
    """Rows that are done, and rows in all if that is known."""

    done: int
    total: int | None


def tell(folder: Path, progress: Progress) -> None:
    """Say how far it is; whoever reads meanwhile finds the old word or the new one."""
    draft = folder / f".{_PROGRESS}"
    draft.write_bytes(msgspec.json.encode(progress))
    draft.replace(folder / _PROGRESS)


def told(folder: Path) -> Progress | None:
    """How far it is; None when it has not begun."""
    try:
        return msgspec.json.decode((folder / _PROGRESS).read_bytes(), type=Progress)
    except FileNotFoundError:
        return None


def stop(folder: Path) -> None:
    """Ask it to stop after the batch that it is at."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _STOP).touch()


def is_stopped(folder: Path) -> bool:
    """Whether it was asked to stop."""
    return (folder / _STOP).exists()
