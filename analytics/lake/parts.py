"""The Parquet files of a snapshot: written in order, or taken over from an earlier snapshot as they are."""

from collections.abc import Iterable, Iterator
from itertools import count
from math import fsum
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analytics.lake import durable
from analytics.lake.manifest import Part

ROWS_PER_PART = 50_000
"""A changed row costs the rewriting of its file, so files are small; ten million rows are still but 200 files."""

RECONCILED = ("verified_qty", "damage_qty", "book_qty")
"""The quantities whose sums every part carries."""


class Kept(NamedTuple):
    """A file of an earlier snapshot that the new one has too."""

    path: Path
    part: Part


def content_fault(path: Path, part: Part, schema: pa.Schema) -> str | None:
    """Why a file of a manifest is not what it says though its checksum fits, or None."""
    try:
        found = pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return f"its file {part.name} is no Parquet file, or only a part of one"
    if found.num_rows != part.rows:
        return f"its file {part.name} holds {found.num_rows} rows and its manifest says {part.rows}"
    if strange := _kinds(found.schema.to_arrow_schema()) ^ _kinds(schema):
        names = ", ".join(sorted({name[:80] for name, _ in strange}))
        return f"its file {part.name} has other columns than its manifest says: {names}"
    return None


def _kinds(schema: pa.Schema) -> set[tuple[str, str]]:
    """Names with types. Parquet calls the elements of a list otherwise than Arrow does, and some writers say large."""
    return {(field.name, _kind(field.type)) for field in schema}


def _kind(kind: pa.DataType) -> str:
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return f"{_kind(kind.value_type)}[]" if is_list else str(kind).removeprefix("large_")


def take_over(folder: Path, kept: Iterable[Kept]) -> Iterator[Part]:
    """Give the kept files their next names in this folder. Their checksums are those they were published with."""
    for number, (path, part) in enumerate(kept):
        name = _name(number)
        durable.link(path, folder / name)
        yield Part(name, part.rows, part.bytes, part.sha256, part.sums)


def write_parts(
    folder: Path, schema: pa.Schema, batches: Iterable[pa.Table], rows_per_part: int, first: int = 0
) -> Iterator[Part]:
    """Write what follows, from part `first` on. A snapshot has at least one part, so that an empty one has columns."""
    waiting = _cut(batches, rows_per_part)
    for number in count(first):
        path = folder / _name(number)
        rows, sums = _write(path, schema, waiting, rows_per_part)
        if rows == 0 and number > 0:
            path.unlink()
            return
        durable.sync(path)
        yield Part(path.name, rows, path.stat().st_size, durable.sha256(path), sums)
        if rows < rows_per_part:
            return


def _cut(batches: Iterable[pa.Table], rows_per_part: int) -> Iterator[pa.Table]:
    """The same rows, cut where a part is full."""
    room = rows_per_part
    for batch in batches:
        rest = batch
        while len(rest):
            piece, rest = rest.slice(0, room), rest.slice(room)
            room = room - len(piece) or rows_per_part
            yield piece


def _write(
    path: Path, schema: pa.Schema, batches: Iterator[pa.Table], rows_per_part: int
) -> tuple[int, dict[str, float]]:
    rows, sums = 0, {name: [0.0] for name in RECONCILED if name in schema.names}
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_table(batch.select(schema.names).cast(schema))
            rows += batch.num_rows
            for name, found in sums.items():
                found.append(pc.sum(batch[name]).as_py() or 0.0)
            if rows >= rows_per_part:
                break
    return rows, {name: fsum(found) for name, found in sums.items()}


def _name(number: int) -> str:
    return f"part-{number:05d}.parquet"
