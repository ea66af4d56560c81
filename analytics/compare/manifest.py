"""What a comparison says about itself, and what must hold before a reader believes it."""

import hashlib
import re
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from analytics.compare.kinds import Kind
from analytics.compare.summary import Change
from analytics.compare.tolerance import Tolerance
from analytics.lake import Freeze, Part, durable

FILE_NAME = "manifest.json"
MAX_BYTES = 2**20
VERSION = 3
"""Rises when the same question would be answered differently; what was answered before is then made anew."""


_ID = re.compile(r"cmp-[0-9a-f]{32}", re.ASCII)


class Asked(Struct, frozen=True, kw_only=True):
    """What was compared, and how. The same question about the same snapshots has the same answer for ever, so its
    checksum is the comparison's id. `query` made the rows of both sides; empty for a whole dataset."""

    dataset: str
    baseline: str
    comparison: str
    key: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    tolerances: dict[str, Tolerance] = {}
    query: dict[str, Any] = {}

    @property
    def comparison_id(self) -> str:
        """The folder of its answer."""
        question = msgspec.json.encode((VERSION, self), order="deterministic")
        return f"cmp-{hashlib.sha256(question).hexdigest()[:32]}"


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finished comparison. `columns` are those that are no part of the key, in order; `type_changed` names those
    whose type differs between the sides, with None where a side lacks them."""

    version: int
    comparison_id: str
    asked: Asked
    baseline: Freeze
    comparison: Freeze
    created_at: datetime
    columns: tuple[str, ...]
    type_changed: dict[str, tuple[str | None, str | None]]
    unchanged: int
    within: int
    column_changes: dict[str, int]
    column_within: dict[str, int]
    summary: dict[str, Change]
    files: dict[Kind, Part]


def is_id(text: str) -> bool:
    """Whether a text has the shape of a comparison's id."""
    return _ID.fullmatch(text) is not None


def encoded(manifest: Manifest) -> bytes:
    """The bytes of manifest.json, made for people to read too."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def believed(folder: Path, comparison_id: str) -> Manifest | None:
    """The manifest of a comparison, if it is that of this id and all its files are as it says."""
    if (manifest := told(folder)) is None:
        return None
    is_ours = (manifest.version, manifest.comparison_id) == (VERSION, comparison_id)
    with suppress(OSError):
        if is_ours and manifest.asked.comparison_id == comparison_id and set(manifest.files) == set(Kind):
            return manifest if all(_is_as_said(folder / kind.file, manifest.files[kind]) for kind in Kind) else None
    return None


def told(folder: Path) -> Manifest | None:
    """What a comparison says, whether or not its files are as it says; None when it cannot be read."""
    try:
        with (folder / FILE_NAME).open("rb") as file:
            return msgspec.json.decode(file.read(MAX_BYTES), type=Manifest)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _is_as_said(path: Path, part: Part) -> bool:
    seen = path.stat()
    return (path.name, seen.st_size) == (part.name, part.bytes) and _digest(path, seen.st_mtime_ns) == part.sha256


@lru_cache(maxsize=1024)
def _digest(path: Path, _: int) -> str:
    """The checksum of a file, read once while it stays the same file."""
    return durable.sha256(path)
