"""Publishing: a snapshot is written beside its place under a name that readers do not see, and then renamed into it."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from msgspec import Struct

from analytics.lake import durable
from analytics.lake.manifest import FILE_NAME, Manifest, Origin, Part, encoded
from analytics.lake.parts import ROWS_PER_PART, Kept, take_over, write_parts
from analytics.schema import arrow_schema, described
from stockverify.datasets import HELD, POSITIONS, SCHEMA_VERSION, Dataset
from stockverify.errors import Refused

DRAFT_PREFIX = ".draft-"

Check = Callable[[Manifest, tuple[Path, ...]], None]
"""Looks at what is about to be published, and raises if it must not be."""


class AlreadyPublished(Refused):
    """Snapshot {snapshot_id} of {dataset} is published already, and what is published is never edited."""


class Head(Struct, frozen=True, kw_only=True):
    """What all datasets of one snapshot share."""

    snapshot_id: str
    name: str
    as_of: datetime
    created_at: datetime


class Published(NamedTuple):
    """A snapshot in its place: its manifest, the SHA-256 of that manifest, and its files."""

    manifest: Manifest
    sha256: str
    paths: tuple[Path, ...]


def publish(
    root: Path,
    dataset: Dataset,
    head: Head,
    batches: Iterable[pa.Table],
    query: dict[str, Any],
    sources: dict[str, str],
    rows_per_part: int = ROWS_PER_PART,
    *,
    kept: tuple[Kept, ...] = (),
    origin: Origin | None = None,
    check: Check | None = None,
) -> Published:
    """Take over the kept files, write the batches, which have the columns of the dataset, and make all of it visible
    at once. Memory holds one batch. Raises what `check` does; nothing is published then."""
    final = root / dataset.name / head.snapshot_id
    if final.exists():
        raise AlreadyPublished(snapshot_id=head.snapshot_id, dataset=dataset.name)
    with _draft(final) as draft:
        taken = tuple(take_over(draft, kept))
        written = tuple(write_parts(draft, arrow_schema(dataset), batches, rows_per_part, len(taken)))
        manifest = _manifest(dataset, head, taken + written, query, sources, origin)
        if check:
            check(manifest, tuple(draft / part.name for part in manifest.files))
        data = encoded(manifest)
        durable.write_file(draft / FILE_NAME, data)
        durable.sync(draft)
        draft.rename(final)
        durable.sync(final.parent)
    return Published(manifest, hashlib.sha256(data).hexdigest(), tuple(final / part.name for part in manifest.files))


def withdraw(root: Path, snapshot_id: str) -> None:
    """Remove what was written of a snapshot that will never be completed. A completed one is left alone."""
    if not (root / POSITIONS.name / snapshot_id).exists():
        for name in HELD:
            shutil.rmtree(root / name / snapshot_id, ignore_errors=True)


@contextmanager
def _draft(final: Path) -> Iterator[Path]:
    durable.make_folder(final.parent)
    draft = final.with_name(f"{DRAFT_PREFIX}{final.name}-{os.getpid()}")
    draft.mkdir()
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _manifest(
    dataset: Dataset,
    head: Head,
    parts: tuple[Part, ...],
    query: dict[str, Any],
    sources: dict[str, str],
    origin: Origin | None,
) -> Manifest:
    return Manifest(
        dataset=dataset.name,
        snapshot_id=head.snapshot_id,
        name=head.name,
        as_of=head.as_of,
        created_at=head.created_at,
        schema_version=SCHEMA_VERSION,
        columns=described(dataset.columns),
        rows=sum(part.rows for part in parts),
        files=parts,
        query=query,
        sources=sources,
        origin=origin,
    )
