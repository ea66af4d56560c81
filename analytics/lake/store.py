"""Reading the lake. Readers trust the manifest alone: its explicit list of files, with their sizes and checksums."""

import hashlib
from pathlib import Path

from analytics.lake import durable
from analytics.lake.ids import checked_id, is_snapshot_id
from analytics.lake.manifest import (
    FILE_NAME,
    MAX_BYTES,
    Freeze,
    Manifest,
    Part,
    SnapshotDamaged,
    SnapshotOutdated,
    decoded,
    freeze_of,
)
from analytics.lake.parts import content_fault
from analytics.schema import arrow_schema
from stockverify.datasets import HELD, POSITIONS, Dataset, find
from stockverify.errors import BadInput, NotFound


class UnknownDataset(BadInput):
    """There is no dataset {name!r}; use verification_records, verification_sessions, erp_items or positions."""


class SnapshotNotFound(NotFound):
    """Snapshot {snapshot_id} of {dataset} is not in the lake; `stockverify list` shows what is."""


class NoSnapshot(NotFound):
    """There is no {which} snapshot in the lake yet; take one with `stockverify snapshot`."""


class RemovedMeanwhile(NotFound):
    """A snapshot was removed while it was read. `stockverify list` shows what is left."""


UNREADABLE = (SnapshotDamaged, SnapshotOutdated, SnapshotNotFound, RemovedMeanwhile)
"""Why one snapshot among many cannot be read."""


class Lake:
    """The published snapshots under one folder. Safe to share between threads: it keeps only what cannot change.

    `floors` are those whose lines are there; none are all (analytics/lake/scoped.py).
    """

    floors: tuple[str, ...] = ()

    def __init__(self, root: Path) -> None:
        self.root = root
        self._manifests: dict[tuple[str, str], tuple[Manifest, str]] = {}
        self._checked: set[tuple[str | int, ...]] = set()

    @property
    def whole(self) -> "Lake":
        """The lake of which this one shows the lines of some floors; itself, if it shows all."""
        return self

    def at_hand(self, snapshot_id: str) -> bool:
        """Whether a snapshot can be read at once; a lake of some floors copies it when it is first asked for."""
        return True

    def ids(self) -> list[str]:
        """The ids of whole snapshots, newest first: those whose positions, which come last, are published."""
        folder = self.root / POSITIONS.name
        names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
        return sorted((name for name in names if is_snapshot_id(name)), reverse=True)

    def freezes(self) -> list[Freeze]:
        """All whole snapshots, newest first. A damaged one is left out here and named by `verify`."""
        found = (self._believed(POSITIONS.name, snapshot_id) for snapshot_id in self.ids())
        return [freeze_of(manifest) for manifest in found if manifest]

    def unreadable(self) -> list[str]:
        """The ids of those that `freezes` leaves out, newest first: damaged, or of another version."""
        return [each for each in self.ids() if self._believed(POSITIONS.name, each) is None]

    def freeze(self, snapshot_id: str) -> Freeze:
        """One whole snapshot. Raises BadSnapshotId, SnapshotNotFound or SnapshotDamaged."""
        return freeze_of(self.manifest(POSITIONS.name, snapshot_id))

    def resolve(self, text: str) -> str:
        """An id, where `latest` and `previous` stand for the newest two. Raises NoSnapshot or as `freeze` does."""
        named = {"latest": 0, "previous": 1}
        if text not in named:
            return self.freeze(text).snapshot_id
        known = self.freezes()
        if len(known) <= named[text]:
            raise NoSnapshot(which=text, root=self.root)
        return known[named[text]].snapshot_id

    def manifest(self, dataset: str, snapshot_id: str) -> Manifest:
        """The manifest of a dataset (or alias), believed only if the snapshot is whole and names this manifest."""
        wanted = dataset if dataset in HELD else known_dataset(dataset).name
        positions, _ = self._manifest(POSITIONS.name, checked_id(snapshot_id))
        if wanted == POSITIONS.name:
            return positions
        try:
            manifest, digest = self._manifest(wanted, snapshot_id)
        except SnapshotNotFound:
            # Positions go first when a snapshot is removed: while they are there, the others have to be.
            self._there(snapshot_id)
            reason = "it is missing, although the snapshot was completed with it"
            raise SnapshotDamaged(snapshot_id=snapshot_id, dataset=wanted, reason=reason) from None
        if positions.sources.get(wanted) != digest:
            reason = "its manifest is not the one that the snapshot was completed with"
            raise SnapshotDamaged(snapshot_id=snapshot_id, dataset=wanted, reason=reason)
        return manifest

    def files(self, dataset: str, snapshot_id: str) -> list[Path]:
        """The files of a dataset, each checked against the manifest (once, while it stays the same file)."""
        manifest = self.manifest(dataset, snapshot_id)
        folder = self.root / manifest.dataset / snapshot_id
        for part in manifest.files:
            if reason := self._part_fault(folder / part.name, part, manifest.dataset):
                raise SnapshotDamaged(snapshot_id=snapshot_id, dataset=manifest.dataset, reason=reason)
        return [folder / part.name for part in manifest.files]

    def _believed(self, dataset: str, snapshot_id: str) -> Manifest | None:
        try:
            return self._manifest(dataset, snapshot_id)[0]
        except UNREADABLE:
            return None

    def _manifest(self, dataset: str, snapshot_id: str) -> tuple[Manifest, str]:
        """A manifest and its checksum; what is published never changes, so it is read once, but some is removed."""
        known = self._manifests.get((dataset, snapshot_id))
        if known is None or not (self.root / dataset / snapshot_id).is_dir():
            data = self._manifest_bytes(dataset, snapshot_id)
            known = decoded(data, dataset, snapshot_id), hashlib.sha256(data).hexdigest()
            self._manifests[dataset, snapshot_id] = known
        return known

    def _manifest_bytes(self, dataset: str, snapshot_id: str) -> bytes:
        path = self.root / dataset / snapshot_id / FILE_NAME
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            if not path.parent.is_dir():
                raise SnapshotNotFound(snapshot_id=snapshot_id, dataset=dataset) from None
            reason = f"its {FILE_NAME} is missing"
            raise SnapshotDamaged(snapshot_id=snapshot_id, dataset=dataset, reason=reason) from None
        except OSError as error:
            reason = f"its manifest cannot be read: {error.strerror}"
            raise SnapshotDamaged(snapshot_id=snapshot_id, dataset=dataset, reason=reason) from None
        if len(data) > MAX_BYTES:
            reason = f"its manifest is larger than {MAX_BYTES} bytes"
            raise SnapshotDamaged(snapshot_id=snapshot_id, dataset=dataset, reason=reason)
        return data

    def _there(self, snapshot_id: str) -> None:
        """Raises SnapshotNotFound for one that was removed meanwhile."""
        if not (self.root / POSITIONS.name / snapshot_id).is_dir():
            raise SnapshotNotFound(snapshot_id=snapshot_id, dataset=POSITIONS.name)

    def _part_fault(self, path: Path, part: Part, dataset: str) -> str | None:
        """Why a file is not used, or None."""
        if path.is_symlink() or not path.is_file():
            return f"its file {part.name} is missing"
        seen = path.stat()
        if seen.st_size != part.bytes:
            return f"its file {part.name} has {seen.st_size} bytes instead of {part.bytes}"
        # Snapshots share files under several names; one that was read under another name is not read again.
        same = (dataset, part.rows, part.sha256, seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)
        if same in self._checked:
            return None
        if durable.sha256(path) != part.sha256:
            return f"the content of its file {part.name} does not match its checksum"
        if reason := content_fault(path, part, arrow_schema(HELD[dataset])):
            return reason
        self._checked.add(same)
        return None


def known_dataset(name: str) -> Dataset:
    """The dataset of that name or alias. Raises UnknownDataset."""
    if (dataset := find(name)) is None:
        raise UnknownDataset(name=name[:80])
    return dataset
