"""What can be exported: columns with logical types, rows in batches, and the words that say where they come from."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import polars as pl
import pyarrow.parquet as pq
from msgspec import structs

from analytics.compare import Comparison, Contributions, Kind
from analytics.export.insight import Insight, of_differences, of_positions
from analytics.figures import EXACT, Tolerance
from analytics.lake import Lake
from analytics.lake.reports import ReportManifest
from analytics.query import Query, QueryResult, checked, described, stream
from stockverify.datasets import HELD, POSITIONS, Type
from stockverify.wire.reports import QuerySpec

_BATCH = 20_000
_SIDES = ("before", "after", "delta")
_ABOUT = ("variance_value", "variance_qty")
"""What a reader of stock looks for first."""
_KINDS: tuple[tuple[Any, Type], ...] = (
    (pl.String, Type.STRING),
    (pl.Boolean, Type.BOOLEAN),
    (pl.Datetime, Type.INSTANT),
    (pl.List, Type.STRINGS),
    (pl.Float64, Type.FLOAT),
)


class Top(NamedTuple):
    """By what the rows on top are chosen where not all have room: in words, and as a size, of which the largest is on
    top."""

    words: str
    size: pl.Expr


class Table(NamedTuple):
    """`name` becomes the name of the sheet; `about` is what the manifest says of the source. Batches are read once.

    `rows` is how many there will be, for progress. `insight` gives the figures and charts of what is shown, where there
    are better ones than sums; it is asked only for formats that show some. `adding` names the columns that add up,
    and begins with the one that a chart of the rows shows.
    Without `top` the first rows are those on top.
    """

    name: str
    columns: tuple[tuple[str, Type], ...]
    batches: Iterator[pl.DataFrame]
    about: dict[str, Any]
    rows: int | None = None
    insight: Callable[[], Insight] | None = None
    adding: tuple[str, ...] = ()
    top: Top | None = None


def of_snapshot(lake: Lake, snapshot_id: str, dataset: str = POSITIONS.name, tolerance: Tolerance = EXACT) -> Table:
    """A dataset of a snapshot, streamed from its files; the tolerance is that of the figures that go with positions."""
    manifest = lake.manifest(dataset, snapshot_id)
    files = lake.files(dataset, snapshot_id)
    columns = tuple((name, Type(kind)) for name, kind in manifest.columns)
    about = {
        "dataset": manifest.dataset,
        "snapshot_id": snapshot_id,
        "snapshot_name": manifest.name,
        "as_of": manifest.as_of,
        "query": {"collection": manifest.dataset},
    }
    rows, adding = sum(part.rows for part in manifest.files), HELD[manifest.dataset].adding
    table = Table(manifest.dataset, columns, _read(files), about, rows, adding=adding)
    if manifest.dataset != POSITIONS.name:
        return table
    insight = partial(of_positions, lake, snapshot_id, tolerance)
    return table._replace(insight=insight, top=Top(_ABOUT[0], pl.col(_ABOUT[0]).abs()))


def of_result(result: QueryResult) -> Table:
    """The rows of a query; group keys are columns of their own."""
    query, about = result.query, _about(result.query, result.snapshot_id, result.as_of)
    return _of(query, _sliced(result.frame), about, result.row_count)


def of_query(lake: Lake, snapshot_id: str, query: Query, seconds: float) -> Table:
    """The rows of a query on a snapshot, streamed while it runs; how many there are turns out at the end. It is stopped
    after that many seconds of work (QueryTooLong)."""
    as_of = lake.manifest(query.dataset.name, snapshot_id).as_of
    return _of(query, stream.batches(lake, snapshot_id, query, seconds), _about(query, snapshot_id, as_of))


def of_report(manifest: ReportManifest, files: Sequence[Path], query: Query) -> Table:
    """The rows that a report snapshot keeps, streamed from its files, which are checked by whoever names them."""
    about = _about(query, manifest.freeze_id, manifest.as_of) | {"report_id": manifest.report_id}
    return _of(query, _read(files), about, manifest.rows)


def _of(query: Query, batches: Iterator[pl.DataFrame], about: dict[str, Any], rows: int | None = None) -> Table:
    return Table(query.dataset.name, tuple(query.results()), batches, about, rows, adding=_adding(query))


def _adding(query: Query) -> tuple[str, ...]:
    """What the rows are sorted by comes first: a list of the largest losses has no chart of the book."""
    order = [each.name for each in query.order]
    return tuple(sorted(query.adding, key=lambda name: order.index(name) if name in order else len(order)))


def of_comparison(found: Comparison, why: Callable[[], Contributions | None] | None = None) -> Table:
    """One row per added, removed, changed or duplicate key, all of them, streamed: `change`, the key, the names of the
    columns that changed, and of every column that differs anywhere its value before, after and, for numbers, delta.

    `why` is asked by formats that show a chart: what moved a total, if that can (still) be said."""
    schema = _comparison_schema(found)
    about = {
        "dataset": found.dataset,
        "snapshot_id": found.comparison.snapshot_id,
        "as_of": found.comparison.as_of,
        "compared_with": found.baseline.snapshot_id,
        "compared_with_as_of": found.baseline.as_of,
        "query": {"compare": found.metadata(), "counts": found.counts()},
        "summary": {name: structs.asdict(step) for name, step in found.summary.items()},
    }
    columns = tuple((name, _kind(dtype)) for name, dtype in schema.items())
    rows, insight = sum(map(found.number, Kind)), partial(_insight, found, why)
    adding = tuple(f"{name}_{side}" for name in _compared_sums(found) for side in _SIDES)
    batches, top = _comparison_batches(found, schema), _largest_change(list(schema), adding)
    return Table("comparison", columns, batches, about, rows, insight, adding, top)


def _largest_change(names: Sequence[str], adding: Sequence[str]) -> Top | None:
    """A row that came or went has changed by all that it holds."""
    amounts = [name.removesuffix("_delta") for name in adding if name.endswith("_delta") and name in names]
    about = next((name for name in (*_ABOUT, *amounts) if name in amounts), None)
    sizes = pl.coalesce(*(f"{about}_{side}" for side in ("delta", "after", "before")))
    return None if about is None else Top(f"change of {about}", sizes.abs())


def _compared_sums(found: Comparison) -> tuple[str, ...]:
    """The columns of both sides that add up: those of a query, or of a whole dataset."""
    asked = found.manifest.asked
    return checked(msgspec.convert(asked.query, QuerySpec)).adding if asked.query else HELD[asked.dataset].adding


def _insight(found: Comparison, why: Callable[[], Contributions | None] | None) -> Insight:
    return of_differences(found, why() if why else None)


def _about(query: Query, snapshot_id: str | None, as_of: datetime) -> dict[str, Any]:
    return {"dataset": query.dataset.name, "snapshot_id": snapshot_id, "as_of": as_of, "query": described(query)}


def _read(files: Iterable[Path]) -> Iterator[pl.DataFrame]:
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH):
                frame = pl.from_arrow(batch)
                assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a batch is never a single column
                yield frame


def _sliced(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    return frame.iter_slices(_BATCH)


def _comparison_schema(found: Comparison) -> dict[str, pl.DataType]:
    """Values of columns that nowhere changed are left out, unless whole rows came or went."""
    known = found.schema(Kind.CHANGED)
    whole = found.number(Kind.ADDED) or found.number(Kind.REMOVED)
    shown = [name for name in found.manifest.columns if whole or name in found.column_changes]
    wanted = [f"{name}_{side}" for name in shown for side in _SIDES]
    names = [*found.key, "changed_columns", *(name for name in wanted if name in known)]
    return {"change": pl.String(), **{name: known[name] for name in names}}


def _comparison_batches(found: Comparison, schema: dict[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    sides = {Kind.ADDED: "_after", Kind.REMOVED: "_before"}
    for kind in Kind:
        for batch in found.batches(kind):
            named = batch.rename({name: name + sides.get(kind, "") for name in batch.columns if name not in found.key})
            label = pl.lit(str(kind))
            missing = {name: pl.lit(None, dtype) for name, dtype in schema.items() if name not in named.columns}
            yield named.with_columns(**{**missing, "change": label}).select(*schema)


def _kind(dtype: pl.DataType) -> Type:
    return next((kind for match, kind in _KINDS if dtype == match), Type.INTEGER)
