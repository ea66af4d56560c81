"""Report snapshots in the lake: the rows of a query, in `lake/reports/{report_id}/`, with a manifest of their own."""

import os
import re
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import Struct

from analytics.lake import durable
from analytics.lake.manifest import FILE_NAME, MAX_BYTES, Count, Instant, Part, files_fault
from analytics.lake.parts import ROWS_PER_PART, content_fault, write_parts
from analytics.lake.publish import DRAFT_PREFIX
from analytics.lake.removing import gone
from analytics.schema import ARROW
from stockverify.age import changed_before
from stockverify.datasets import Type
from stockverify.errors import NotFound, SetupError

FOLDER = "reports"
_ID = re.compile(r"rs-[0-9a-f]{16}", re.ASCII)
_ORPHAN_AGE = timedelta(hours=1)


class ReportNotStored(NotFound):
    """The rows of report snapshot {report_id} are not in the lake."""


class ReportDamaged(SetupError):
    """Report snapshot {report_id} is damaged: {reason}. It is not used. Refresh it to make a new one of its query."""


class ReportManifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a report snapshot says about itself: the query as it was sent, the freeze that answered it, and the columns
    of the answer, in the order of its rows."""

    report_id: str
    freeze_id: str
    as_of: Instant
    created_at: Instant
    query: dict[str, Any]
    columns: tuple[tuple[str, Type], ...]
    rows: Count
    files: tuple[Part, ...]


def _part_fault(path: Path, part: Part, schema: pa.Schema) -> str | None:
    if path.is_symlink() or not path.is_file() or not _is_as_said(path, part):
        return f"its file {part.name} is not as its manifest says"
    return content_fault(path, part, schema)


def _is_as_said(path: Path, part: Part) -> bool:
    seen = path.stat()
    same = (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)
    return seen.st_size == part.bytes and _digest(path, same) == part.sha256


@lru_cache(maxsize=4096)
def _digest(path: Path, _: tuple[int, ...]) -> str:
    """The checksum of a file, read once while it stays the same file: whoever turns pages asks for it with each."""
    return durable.sha256(path)


class Reports:
    """The report snapshots of one lake."""

    def __init__(self, root: Path) -> None:
        self.root = root / FOLDER

    def write(self, manifest: ReportManifest, schema: pa.Schema, batches: Iterable[pa.Table]) -> ReportManifest:
        """Publish the rows whole, with a manifest completed by `rows` and `files`. Whoever was faster is left alone."""
        final = self._folder(manifest.report_id)
        durable.make_folder(final.parent)
        draft = final.with_name(f"{DRAFT_PREFIX}{final.name}-{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            files = tuple(write_parts(draft, schema, batches, ROWS_PER_PART))
            whole = msgspec.structs.replace(manifest, files=files, rows=sum(part.rows for part in files))
            durable.write_file(draft / FILE_NAME, msgspec.json.format(msgspec.json.encode(whole), indent=1))
            durable.sync(draft)
            if not final.exists():
                draft.rename(final)
                durable.sync(final.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return self.manifest(manifest.report_id)

    def manifest(self, report_id: str) -> ReportManifest:
        """What a report snapshot says about itself. Raises ReportNotStored or ReportDamaged."""
        try:
            with (self._folder(report_id) / FILE_NAME).open("rb") as file:
                manifest = msgspec.json.decode(file.read(MAX_BYTES), type=ReportManifest)
        except (FileNotFoundError, NotADirectoryError):
            raise ReportNotStored(report_id=report_id) from None
        except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
            raise ReportDamaged(report_id=report_id, reason=f"its manifest cannot be read: {error}") from None
        if manifest.report_id != report_id:
            raise ReportDamaged(report_id=report_id, reason="its manifest is that of another one")
        if reason := files_fault(manifest.files, manifest.rows):
            raise ReportDamaged(report_id=report_id, reason=reason)
        return manifest

    def files(self, report_id: str) -> list[Path]:
        """Its files in the order of its rows, each checked. Raises ReportNotStored or ReportDamaged."""
        folder, manifest = self._folder(report_id), self.manifest(report_id)
        schema = pa.schema([(name, ARROW[kind]) for name, kind in manifest.columns])
        for part in manifest.files:
            if reason := _part_fault(folder / part.name, part, schema):
                raise ReportDamaged(report_id=report_id, reason=reason)
        return [folder / part.name for part in manifest.files]

    def remove(self, report_id: str) -> None:
        """Remove its files, if there are any; safe to do again."""
        folder = self._folder(report_id)
        if folder.is_dir():
            folder.rename(gone(folder))
            durable.sync(folder.parent)
        shutil.rmtree(gone(folder), ignore_errors=True)

    def ids(self) -> set[str]:
        """The names of all folders, those of drafts and of what is on its way out included."""
        return {path.name for path in self.root.iterdir()} if self.root.is_dir() else set()

    def remove_old(self, names: Iterable[str], now: datetime) -> None:
        """Remove these folders, unless they are younger than an hour: a report is written before its document."""
        for path in (self.root / name for name in sorted(names)):
            if path.is_dir() and changed_before(path, now - _ORPHAN_AGE):
                shutil.rmtree(path, ignore_errors=True)

    def _folder(self, report_id: str) -> Path:
        if not _ID.fullmatch(report_id):
            raise ReportNotStored(report_id=report_id[:80])
        return self.root / report_id
