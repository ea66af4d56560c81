"""The sums that the figures of a snapshot are made of, worked out when it was taken and kept beside it, so that the
first visitor reads them.

Whatever is not as it was written, or was worked out in another way than now, is no file at all: readers compute
(docs/decisions/0055).
"""

import hashlib
import inspect
import io
from contextlib import suppress
from functools import cache
from typing import NamedTuple

import msgspec
import polars as pl
from msgspec import Struct

from analytics import millionths
from analytics.figures import groups, stock, work
from analytics.figures.declared import Tolerance
from analytics.figures.work import Work, WorkTotals
from analytics.lake import Lake, beside
from stockverify.datasets import POSITIONS


class Sums(NamedTuple):
    """The sums of the positions in their parts, of each rack of each floor and of each category, and how the counting
    went."""

    by_rack: pl.DataFrame
    by_category: pl.DataFrame
    work: Work


class _File(Struct, frozen=True, kw_only=True, array_like=True):
    """`made` says of what and how; frames are in Arrow's format."""

    made: str
    tolerance: Tolerance
    by_rack: bytes
    by_category: bytes
    work: WorkTotals
    by_counter: bytes


def read(lake: Lake, snapshot_id: str, tolerance: Tolerance | None = None) -> Sums | None:
    """What was kept with that tolerance, or with any; None if it has to be computed. Raises as `Lake.manifest` does."""
    made = _made(lake, snapshot_id)
    data = beside.read(beside.figures_of(lake.root, snapshot_id))
    with suppress(msgspec.DecodeError):
        kept = msgspec.msgpack.decode(data or b"", type=_File)
        if kept.made == made and tolerance in (None, kept.tolerance):
            return Sums(_frame(kept.by_rack), _frame(kept.by_category), Work(kept.work, _frame(kept.by_counter)))
    return None


def write(lake: Lake, snapshot_id: str, tolerance: Tolerance, sums: Sums) -> None:
    """Keep them, in place of what was kept before. Raises OSError."""
    told = _File(
        made=_made(lake, snapshot_id),
        tolerance=tolerance,
        by_rack=_bytes(sums.by_rack),
        by_category=_bytes(sums.by_category),
        work=sums.work.totals,
        by_counter=_bytes(sums.work.by_counter),
    )
    beside.write(beside.figures_of(lake.root, snapshot_id), msgspec.msgpack.encode(told))


def _made(lake: Lake, snapshot_id: str) -> str:
    """Of which rows, and by which formulas. Positions name the other datasets by checksum."""
    manifest = lake.manifest(POSITIONS.name, snapshot_id)
    return hashlib.sha256(msgspec.json.encode((manifest, _formulas()))).hexdigest()


@cache
def _formulas() -> str:
    """The checksum of the code that works them out, so that nobody has to remember to count its versions."""
    code = "".join(inspect.getsource(module) for module in (millionths, groups, stock, work))
    return hashlib.sha256(code.encode()).hexdigest()


def _bytes(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_ipc(stream, compression="zstd")
    return stream.getvalue()


def _frame(data: bytes) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(data))
