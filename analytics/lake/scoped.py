"""The lake as somebody with a scope sees it: the same snapshots, of which only the lines of some floors are there.

It is a lake of its own, in `lake/scopes/{mark}/`, with manifests, files and checksums as everywhere; so whatever reads
a lake works within a scope without knowing of it, and cannot forget about it (docs/decisions/0043). A snapshot is
copied into it when it is first asked for.
"""

import hashlib
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.lake.manifest import FILE_NAME, Freeze, Manifest
from analytics.lake.publish import DRAFT_PREFIX, AlreadyPublished, Head, publish
from analytics.lake.removing import remove
from analytics.lake.scopes import FOLDER, floors_of, mark_of, noted
from analytics.lake.store import Lake
from stockverify.datasets import DATASETS, POSITIONS, Dataset

Floors = tuple[str, ...]
_COLUMN = "floor"
_COPYING = threading.Lock()
"""One copy at a time in a process: drafts are named after the process."""
_FIRST = [dataset for dataset in DATASETS.values() if dataset.name != POSITIONS.name]
"""Positions come last: they say that all is there."""


class ScopedLake(Lake):
    """A lake whose snapshots hold the lines of some floors only."""

    def __init__(self, whole: Lake, floors: Sequence[str]) -> None:
        super().__init__(whole.root / FOLDER / mark_of(floors))
        self._whole, self.floors = whole, tuple(sorted(set(floors)))
        self._counted: dict[tuple[int, ...], int] = {}
        self._rows: dict[str, int] = {}

    @property
    def whole(self) -> Lake:
        """The lake that snapshots are copied from."""
        return self._whole

    def at_hand(self, snapshot_id: str) -> bool:
        """Whether it is copied already."""
        return (self.root / POSITIONS.name / snapshot_id).is_dir()

    def ids(self) -> list[str]:
        """Those of the whole lake."""
        return self._whole.ids()

    def freezes(self) -> list[Freeze]:
        """Those of the whole lake, with the lines that are seen here."""
        return [msgspec.structs.replace(each, rows=self._count(each.snapshot_id)) for each in self._whole.freezes()]

    def unreadable(self) -> list[str]:
        """Those of the whole lake; nothing is copied to find out."""
        return self._whole.unreadable()

    def _manifest(self, dataset: str, snapshot_id: str) -> tuple[Manifest, str]:
        """What is gone or damaged in the whole lake is so here. Raises as the whole lake does."""
        self._whole.manifest(POSITIONS.name, snapshot_id)
        if not self.at_hand(snapshot_id):
            with _COPYING:
                self._copy(snapshot_id)
        return super()._manifest(dataset, snapshot_id)

    def _copy(self, snapshot_id: str) -> None:
        """Copy a snapshot; what another process has copied already, or does at this moment, is taken as it is."""
        noted(self.root, self.floors)
        self._forget_gone()
        sources = {dataset.name: self._copied(dataset, snapshot_id, {}) for dataset in _FIRST}
        self._copied(POSITIONS, snapshot_id, sources)

    def _copied(self, dataset: Dataset, snapshot_id: str, sources: dict[str, str]) -> str:
        """Copy a dataset; the checksum of its manifest."""
        told = self._whole.manifest(dataset.name, snapshot_id)
        head = Head(snapshot_id=snapshot_id, name=told.name, as_of=told.as_of, created_at=told.created_at)
        query = {**told.query, "scope": {_COLUMN: list(self.floors)}}
        files = self._whole.files(dataset.name, snapshot_id)
        there = self.root / dataset.name / snapshot_id / FILE_NAME
        left = there.parent.with_name(f"{DRAFT_PREFIX}{snapshot_id}-{os.getpid()}")
        shutil.rmtree(left, ignore_errors=True)  # a process of this number was killed amid it
        try:
            return publish(self.root, dataset, head, self._seen(files), query, sources).sha256
        except (AlreadyPublished, OSError):
            if not there.is_file():
                raise
            return hashlib.sha256(there.read_bytes()).hexdigest()

    def _seen(self, files: Sequence[Path]) -> Iterator[pa.Table]:
        """The lines of the floors, one file at a time."""
        for path in files:
            yield pq.read_table(path, filters=[(_COLUMN, "in", list(self.floors))], partitioning=None)

    def _count(self, snapshot_id: str) -> int:
        """How many positions are seen; snapshots share most of their files, and each is counted once."""
        if snapshot_id not in self._rows:
            parts = self._whole.manifest(POSITIONS.name, snapshot_id).files
            folder = self._whole.root / POSITIONS.name / snapshot_id
            self._rows[snapshot_id] = sum(self._count_in(folder / part.name) for part in parts)
        return self._rows[snapshot_id]

    def _count_in(self, path: Path) -> int:
        try:
            found = path.stat()
            key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            if key not in self._counted:
                asked = [(_COLUMN, "in", list(self.floors))]
                self._counted[key] = pq.read_table(path, columns=[_COLUMN], filters=asked, partitioning=None).num_rows
            return self._counted[key]
        except (OSError, pa.ArrowException):
            return 0  # whoever opens the snapshot is told what is wrong with it

    def _forget_gone(self) -> None:
        """Remove copies of snapshots that the whole lake has no more."""
        folder, known = self.root / POSITIONS.name, set(self._whole.ids())
        for path in folder.iterdir() if folder.is_dir() else ():
            if not path.name.startswith(".") and path.name not in known:
                with suppress(OSError):
                    remove(self.root, path.name)


def lake_within(whole: Lake, floors: Sequence[str]) -> Lake:
    """The lake as somebody with that scope sees it; no floors are no scope."""
    return ScopedLake(whole, floors) if floors else whole


def opened(root: Path) -> Lake:
    """The lake of a folder, which may be that of a scope."""
    floors = floors_of(root)
    return Lake(root) if floors is None else ScopedLake(Lake(root.parent.parent), floors)


def root_within(root: Path, floors: Sequence[str]) -> Path:
    """The folder of the lake as somebody with that scope sees it, made so that `opened` knows it."""
    return noted(root / FOLDER / mark_of(floors), floors) if floors else root
