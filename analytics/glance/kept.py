"""What somebody should look at in a snapshot, found when it was taken and kept beside it for the first visitor
(docs/decisions/0058)."""

import hashlib
import io
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl
from msgspec import Struct

import analytics
from analytics.glance.attention import Doubts
from analytics.lake import Lake, beside
from stockverify import datasets
from stockverify.datasets import POSITIONS, RECORDS


class Biggest(NamedTuple):
    """The lines with the largest variance in value, largest first, and how many lines have one."""

    rows: pl.DataFrame
    total: int


class Findings(NamedTuple):
    """What the overview shows beside its figures."""

    doubts: Doubts
    biggest: Biggest


class _File(Struct, frozen=True, array_like=True):
    """`made` says of what and how; rows are in Arrow's format."""

    made: str
    doubts: list[int]
    rows: bytes
    total: int


def read(lake: Lake, snapshot_id: str) -> Findings | None:
    """What was kept; None if it has to be found. Raises what the lake raises: what cannot be read any more is not shown
    either."""
    for dataset in (POSITIONS, RECORDS):
        lake.files(dataset.name, snapshot_id)
    data = beside.read(beside.findings_of(lake.root, snapshot_id))
    with suppress(msgspec.DecodeError):
        kept = msgspec.msgpack.decode(data or b"", type=_File)
        if kept.made == _made(lake, snapshot_id):
            return Findings(Doubts(*kept.doubts), Biggest(pl.read_ipc(io.BytesIO(kept.rows)), kept.total))
    return None


def write(lake: Lake, snapshot_id: str, found: Findings) -> None:
    """Keep it, in place of what was kept before. Raises OSError."""
    stream = io.BytesIO()
    found.biggest.rows.write_ipc(stream, compression="zstd")
    told = _File(_made(lake, snapshot_id), list(found.doubts), stream.getvalue(), found.biggest.total)
    beside.write(beside.findings_of(lake.root, snapshot_id), msgspec.msgpack.encode(told))


def _made(lake: Lake, snapshot_id: str) -> str:
    """Of which rows, and by which code. Positions name the other datasets by checksum."""
    return hashlib.sha256(msgspec.json.encode((lake.manifest(POSITIONS.name, snapshot_id), _code()))).hexdigest()


@cache
def _code() -> str:
    """The checksum of all of the read side, for a query goes through most of it."""
    digest = hashlib.sha256(Path(datasets.__file__).read_bytes())
    for path in sorted(Path(analytics.__path__[0]).rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
