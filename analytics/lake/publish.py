"""Publishing: a snapshot is written beside its place under a name that readers do not see, and then renamed into it."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from analytics.lake import durable
from analytics.lake.manifest import FILE_NAME, Manifest, Part, encoded
from analytics.schema import arrow_schema, described
from stockverify.datasets import SCHEMA_VERSION, Dataset
from stockverify.errors import Refused

DRAFT_PREFIX = ".draft-"
ROWS_PER_PART = 2_000_000


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
) -> Published:
    """Write the batches, which have the columns of the dataset, and make them visible whole. Memory holds one batch."""
    final = root / dataset.name / head.snapshot_id
    if final.exists():
        raise AlreadyPublished(snapshot_id=head.snapshot_id, dataset=dataset.name)
    with _draft(final) as draft:
        parts = tuple(_write_parts(draft, arrow_schema(dataset), batches, rows_per_part))
        manifest = _manifest(dataset, head, parts, query, sources)
        data = encoded(manifest)
        durable.write_file(draft / FILE_NAME, data)
        durable.sync(draft)
        draft.rename(final)
        durable.sync(final.parent)
    return Published(manifest, hashlib.sha256(data).hexdigest(), tuple(final / part.name for part in parts))


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
    dataset: Dataset, head: Head, parts: tuple[Part, ...], query: dict[str, Any], sources: dict[str, str]
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
    )


def _write_parts(folder: Path, schema: pa.Schema, batches: Iterable[pa.Table], rows_per_part: int) -> Iterator[Part]:
    """Always at least one part, so that an empty dataset still has its columns."""
    waiting = iter(batches)
    for number in count():
        path = folder / f"part-{number:05d}.parquet"
        rows = _write_part(path, schema, waiting, rows_per_part)
        if rows == 0 and number > 0:
            path.unlink()
            return
        durable.sync(path)
        yield Part(path.name, rows, path.stat().st_size, durable.sha256(path))
        if rows < rows_per_part:
            return


def _write_part(path: Path, schema: pa.Schema, batches: Iterator[pa.Table], rows_per_part: int) -> int:
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_table(batch.select(schema.names).cast(schema))
            rows += batch.num_rows
            if rows >= rows_per_part:
                break
    return rows
