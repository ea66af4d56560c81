"""Folders of scopes: what they are called, and the note in each that says which floors it is about."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from analytics.lake import durable

FOLDER = "scopes"
_NOTE = "floors.json"
_WRITING = threading.Lock()


def mark_of(floors: Sequence[str]) -> str:
    """The name of a scope's folder; floors in another order are the same scope."""
    return hashlib.sha256(_text(floors)).hexdigest()[:32]


def noted(root: Path, floors: Sequence[str]) -> Path:
    """Make the folder, with its note."""
    with _WRITING:
        if not (root / _NOTE).exists():
            with durable.replacing(root / _NOTE) as draft:
                draft.write_bytes(_text(floors))
    return root


def floors_of(root: Path) -> tuple[str, ...] | None:
    """The floors of a scope's folder; None for a folder that is none. Its name proves what the note says."""
    if root.parent.name != FOLDER:
        return None
    text = (root / _NOTE).read_bytes()
    floors = msgspec.json.decode(text, type=tuple[str, ...])
    if mark_of(floors) != root.name or not floors:
        raise ValueError(f"{root} is not the folder of the scope that it says it is")
    return floors


def roots(lake: Path) -> Iterator[Path]:
    """The folders of all scopes of a lake."""
    folder = lake / FOLDER
    yield from sorted(note.parent for note in folder.glob(f"*/{_NOTE}"))


def _text(floors: Sequence[str]) -> bytes:
    return msgspec.json.encode(sorted(set(floors)))
