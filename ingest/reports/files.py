"""Files of snapshots: where the reports process may write one, and how it is given out, once."""

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from litestar.background_tasks import BackgroundTask
from litestar.response import File

from ingest.reports.answers import Made
from stockverify.media_types import MEDIA_TYPES

HEADER_BYTES = 6_000
"""Servers between here and the reader take eight thousand for all headers together, and some no more."""


@contextmanager
def folder_for_one(exports: Path) -> Iterator[Path]:
    """A new name for a folder. If the block fails, whatever was begun there is removed, whoever died of it."""
    folder = exports / uuid.uuid4().hex
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def download(made: Made) -> File:
    """The file as a reply, with its manifest in a header: CSV and NDJSON have no room for it. It is removed once it was
    sent."""
    path = Path(made.path)
    headers = {"X-Rows": str(made.rows), "X-Content-SHA256": made.sha256} | _manifest(path)
    task, kind = BackgroundTask(discard, path), MEDIA_TYPES[path.suffix[1:]]
    return File(path, filename=path.name, media_type=kind, headers=headers, background=task)


def _manifest(path: Path) -> dict[str, str]:
    """As one line of ASCII. A header has little room: what does not fit is left out by name, the longest first."""
    try:
        told: dict[str, Any] = msgspec.json.decode(path.with_name(f"{path.name}.manifest.json").read_bytes())
    except FileNotFoundError:
        return {}
    while len(line := json.dumps(told, separators=(",", ":"))) > HEADER_BYTES:
        longest = max(told.keys() - {"left_out"}, key=lambda name: len(json.dumps(told[name])))
        told = {name: value for name, value in told.items() if name != longest}
        told["left_out"] = [*told.get("left_out", []), longest]
    return {"X-Manifest": line}


def discard(path: Path) -> None:
    """Remove a file that was given out, with its folder."""
    shutil.rmtree(path.parent, ignore_errors=True)
