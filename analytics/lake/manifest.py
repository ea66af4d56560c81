"""What a published snapshot says about itself, and what must hold before a reader believes it."""

import re
from datetime import datetime
from math import fsum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from analytics.lake.ids import is_snapshot_id
from analytics.schema import described
from stockverify.datasets import HELD, SCHEMA_VERSION
from stockverify.errors import SetupError

FILE_NAME = "manifest.json"
MAX_BYTES = 16 * 2**20
_PART = re.compile(r"part-\d{5}\.parquet", re.ASCII)

Count = Annotated[int, Meta(ge=0)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Instant = Annotated[datetime, Meta(tz=True)]


class SnapshotDamaged(SetupError):
    """Snapshot {snapshot_id} of {dataset} is damaged: {reason}. It is not used. Take a new one with
    `stockverify snapshot`; `stockverify doctor` lists all that is damaged."""


class SnapshotOutdated(SetupError):
    """Snapshot {snapshot_id} of {dataset} has schema version {found}, and this version of StockVerify reads {known}: it
    lacks columns that every page and file now shows. It is left as it is. Take a new one with `stockverify snapshot`,
    or read it with the version that wrote it."""


class SnapshotTooNew(SnapshotOutdated):
    """Snapshot {snapshot_id} of {dataset} has schema version {found}, and this version of StockVerify reads {known}: a
    newer version wrote it. It is whole, as far as can be seen from here, and is left as it is. Read it with the version
    that wrote it."""


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """One Parquet file of a snapshot, with the sums of the dataset's quantities in it."""

    name: str
    rows: Count
    bytes: Count
    sha256: Sha256
    sums: dict[str, float] = {}


class Origin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the next snapshot must know to take only what has changed since this one.

    `cluster_time` is that of MongoDB, as seconds and increment. `incarnation` is MongoDB's own id of the collection,
    another one after a drop or a restore; null while there was none. `base` is the snapshot that unchanged files come
    from, null when everything was read, for the reason in `because`. `whole_at` is when the rows were last compared
    with the whole collection.
    """

    cluster_time: tuple[int, int]
    incarnation: str | None
    base: str | None
    because: str
    whole_at: Instant


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One dataset at one point in time. `query` says how it was made; `sources` names, by the SHA-256 of
    their manifests, the datasets of the same snapshot that it was derived from."""

    dataset: str
    snapshot_id: str
    name: str
    as_of: Instant
    created_at: Instant
    schema_version: Annotated[int, Meta(ge=1)]
    columns: tuple[tuple[str, str], ...]
    rows: Count
    files: tuple[Part, ...]
    query: dict[str, Any]
    sources: dict[str, Sha256] = {}
    origin: Origin | None = None

    @property
    def sums(self) -> dict[str, float]:
        """The sums of the dataset's quantities."""
        names = {name for part in self.files for name in part.sums}
        return {name: fsum(part.sums.get(name, 0.0) for part in self.files) for name in sorted(names)}


class Freeze(Struct, frozen=True, kw_only=True):
    """One point in time over all datasets. `rows` counts the positions."""

    snapshot_id: str
    name: str
    as_of: datetime
    created_at: datetime
    rows: int


def freeze_of(positions: Manifest) -> Freeze:
    """The freeze that a manifest of positions completes."""
    return Freeze(
        snapshot_id=positions.snapshot_id,
        name=positions.name,
        as_of=positions.as_of,
        created_at=positions.created_at,
        rows=positions.rows,
    )


def encoded(manifest: Manifest) -> bytes:
    """The bytes of manifest.json, made for people to read too."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decoded(data: bytes, dataset: str, snapshot_id: str) -> Manifest:
    """The manifest of that place in the lake. Raises SnapshotDamaged with what is wrong, SnapshotOutdated or
    SnapshotTooNew."""
    try:
        _check_version(data, dataset, snapshot_id)
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SnapshotDamaged(
            snapshot_id=snapshot_id, dataset=dataset, reason=f"its manifest cannot be read: {error}"
        ) from None
    if reason := fault(manifest, dataset, snapshot_id):
        raise SnapshotDamaged(snapshot_id=snapshot_id, dataset=dataset, reason=reason)
    return manifest


class _Version(Struct, frozen=True):
    """What a manifest of any version says."""

    dataset: str
    snapshot_id: str
    schema_version: int


def _check_version(data: bytes, dataset: str, snapshot_id: str) -> None:
    """Before all else: what another version says besides, this one cannot judge. Raises SnapshotOutdated or
    SnapshotTooNew, and as msgspec does."""
    told = msgspec.json.decode(data, type=_Version)
    if told.schema_version != SCHEMA_VERSION and (told.dataset, told.snapshot_id) == (dataset, snapshot_id):
        kind = SnapshotTooNew if told.schema_version > SCHEMA_VERSION else SnapshotOutdated
        raise kind(snapshot_id=snapshot_id, dataset=dataset, found=told.schema_version, known=SCHEMA_VERSION)


def fault(manifest: Manifest, dataset: str, snapshot_id: str) -> str | None:
    """Why a manifest is not believed, or None."""
    if (manifest.dataset, manifest.snapshot_id) != (dataset, snapshot_id) or not is_snapshot_id(snapshot_id):
        return f"its manifest is that of {manifest.dataset} {manifest.snapshot_id}"
    if strange := set(manifest.columns) ^ set(described(HELD[dataset].columns)):
        return f"its columns are not those of {dataset}: {', '.join(sorted(name for name, _ in strange))}"
    return files_fault(manifest.files, manifest.rows)


def files_fault(files: tuple[Part, ...], rows: int) -> str | None:
    """Why a manifest's list of files is not believed, or None."""
    names = [part.name for part in files]
    for name in names:
        if not _PART.fullmatch(name):
            return f"its manifest names {name!r}, which is no file of a snapshot"
    if len(set(names)) != len(names):
        return "its manifest names a file twice"
    if (held := sum(part.rows for part in files)) != rows:
        return f"its files hold {held} rows and its manifest says {rows}"
    return None
