"""Differences of frames, by way of Parquet files as the lake has them."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from analytics.compare import Asked, Change, Comparison
from analytics.compare.diff import Difference, difference
from analytics.compare.kinds import Kind
from analytics.compare.store import Sides, answer
from analytics.compare.tolerance import Tolerances
from analytics.lake import Freeze, Lake

ENDLESS = "SELECT sum(hash(a.range + b.range)) FROM range(10000000) a, range(10000000) b"
"""A statement that only an interruption ends."""

MOMENT = datetime(2026, 1, 31, tzinfo=UTC)
FREEZE = Freeze(snapshot_id="any", name="", as_of=MOMENT, created_at=MOMENT, rows=0)
Summary = dict[str, Change]


class Made(NamedTuple):
    """What was counted, and the rows of each kind."""

    told: Difference
    rows: dict[Kind, pl.DataFrame]

    @property
    def counts(self) -> tuple[int, int, int, int, int]:
        """Added, removed, changed, unchanged, and keys that occur more than once."""
        told = self.told
        return told.added, told.removed, told.changed, told.unchanged, told.key_duplicates


def between(
    before: pl.DataFrame,
    after: pl.DataFrame,
    key: Sequence[str],
    ignore: Sequence[str] = (),
    tolerances: Tolerances | None = None,
    parts: int = 1,
) -> Made:
    """The difference of two frames, each in so many files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "out").mkdir()
        sides = [_written(folder, side, frame, parts) for side, frame in (("before", before), ("after", after))]
        told = difference(*sides, key, folder / "out", ignore, tolerances)
        rows = {kind: pl.read_parquet(folder / "out" / kind.file) for kind in Kind}
    assert [rows[kind].height for kind in Kind] == [told.added, told.removed, told.changed, told.key_duplicates]
    return Made(told, rows)


@contextmanager
def kept(
    before: pl.DataFrame, after: pl.DataFrame, asked: Asked, summary: Summary | None = None
) -> Iterator[Comparison]:
    """The answer of a lake in which nothing has been asked so far."""
    with tempfile.TemporaryDirectory() as name:
        sides = [_written(Path(name), side, frame, 1) for side, frame in (("before", before), ("after", after))]
        given = Sides(FREEZE, sides[0], FREEZE, sides[1])
        yield answer(Lake(Path(name) / "lake"), asked, lambda: (given, summary or {}))


def applied(before: pl.DataFrame, found: Made, key: Sequence[str]) -> pl.DataFrame:
    """What a table becomes when a difference is carried out, without the keys that occur more than once, sorted by key;
    of two tables with the same columns."""
    kept = unique(before, found, key)
    for gone in (found.rows[Kind.REMOVED], found.rows[Kind.CHANGED]):
        kept = kept.join(gone.select(key), on=list(key), how="anti", nulls_equal=True)
    values = [name for name in before.columns if name not in key]
    new = found.rows[Kind.CHANGED].select(*key, *(pl.col(f"{name}_after").alias(name) for name in values))
    parts = [kept, *(part.select(before.columns) for part in (found.rows[Kind.ADDED], new))]
    return pl.concat(parts, how="vertical_relaxed").sort(key)


def unique(table: pl.DataFrame, found: Made, key: Sequence[str]) -> pl.DataFrame:
    """The rows whose key occurs once at most on both sides, sorted by key."""
    return table.join(found.rows[Kind.KEY_DUPLICATE], on=list(key), how="anti", nulls_equal=True).sort(key)


def table(schema: dict[str, Any], *rows: tuple[Any, ...]) -> pl.DataFrame:
    """A frame of these rows."""
    return pl.DataFrame(rows, schema=schema, orient="row")


def _written(folder: Path, side: str, frame: pl.DataFrame, parts: int) -> list[Path]:
    size = max(-(-frame.height // parts), 1)
    paths = [folder / f"{side}-{number}.parquet" for number in range(parts)]
    for number, path in enumerate(paths):
        frame.slice(number * size, size).write_parquet(path)
    return paths
