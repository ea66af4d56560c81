"""Comparisons of what two places stand for. For the reports process."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import polars as pl

from analytics import reports
from analytics.compare import (
    Asked,
    Comparison,
    Contributions,
    Kind,
    Tolerance,
    change,
    compare,
    contributions,
    moved_between,
    store,
)
from analytics.compare.contributions import LIMIT, ROW, Divisible
from analytics.export import Table, of_comparison
from analytics.lake import UNREADABLE, Freeze, Lake
from analytics.lake.reports import ReportManifest, Reports
from analytics.lake.store import known_dataset
from analytics.millionths import summed
from analytics.query import Query, checked
from ingest.reports.answers import Compared, ComparedPage
from ingest.reports.errands import CompareBoth, Explain, ExportCompared, ReadCompared
from ingest.reports.places import Source, kept, source_of
from stockverify.datasets import POSITIONS, Type
from stockverify.errors import BadInput, StockVerifyError


class DifferentQueries(BadInput):
    """These two snapshots come from different queries, so their rows cannot be compared. Compare two of one query."""


class DifferentDatasets(BadInput):
    """These two snapshots hold rows of different datasets, {first} and {second}, which cannot be compared."""


class DatasetOfReport(BadInput):
    """The dataset {dataset!r} cannot be chosen: these snapshots hold the rows of a query on {collection}. Leave dataset
    out, or compare two snapshots of type stock, which hold all datasets."""


def compared(lake: Lake, asked: CompareBoth) -> Comparison:
    """The comparison, made or found. Raises DifferentQueries, DifferentDatasets, DatasetOfReport, SnapshotUnknown, and
    as analytics.compare.compare does."""
    first, second = _sources(lake, asked)
    tolerances = {name: Tolerance(size.absolute, size.relative) for name, size in asked.tolerances.items()}
    if first.freeze and second.freeze:
        dataset = asked.dataset or POSITIONS.name
        return compare(lake, first.freeze_id, second.freeze_id, dataset, asked.ignore, tolerances)
    before, after = _side(lake, first), _side(lake, second)
    query = checked(first.spec)
    question = Asked(
        dataset=query.dataset.name,
        baseline=before.freeze.snapshot_id,
        comparison=after.freeze.snapshot_id,
        key=tuple(column.name for column in query.group_by) if query.grouped else query.dataset.key,
        ignored=tuple(sorted(set(asked.ignore or ()))),
        tolerances=dict(sorted(tolerances.items())),
        query=msgspec.to_builtins(first.spec),
    )
    summary = {name: change(value, after.totals[name]) for name, value in before.totals.items()}
    sides = store.Sides(before.freeze, before.files, after.freeze, after.files)
    return store.answer(lake, question, lambda: (sides, summary))


def shown(found: Comparison) -> Compared:
    """The outcome as the contract has it, with times in Unix seconds, as everywhere in comparisons."""
    result = found.contract()
    sides = {"baseline": found.baseline, "comparison": found.comparison}
    named = {
        side: {"snapshot_id": freeze.snapshot_id, "name": freeze.name, "as_of": freeze.as_of.timestamp()}
        for side, freeze in sides.items()
    }
    return Compared(found.manifest.comparison_id, {**result, "metadata": {**result["metadata"], **named}})


def page(lake: Lake, asked: ReadCompared) -> ComparedPage:
    """Some rows of a published comparison."""
    if (found := store.find(lake, asked.comparison_id)) is None:
        return ComparedPage(b"[]", None)
    kind = Kind(asked.kind)
    return ComparedPage(msgspec.json.encode(found.listed(kind, asked.skip, asked.limit)), found.number(kind))


def table(lake: Lake, asked: ExportCompared) -> Table:
    """All that differs, for a file. A comparison that is there needs its snapshots no more; else it is made again, and
    raises as `compared` does."""
    found = store.find(lake, asked.comparison_id) or compared(lake, asked.compared)
    return of_comparison(found, lambda: _why(lake, asked.compared))


def _why(lake: Lake, compared: CompareBoth) -> Contributions | None:
    """What moved the usual total, for a chart; None when it cannot be said (any more): that spoils no file."""
    try:
        return _contributions(lake, compared, None, None, LIMIT)
    except StockVerifyError:
        return None


def explained(lake: Lake, asked: Explain) -> dict[str, Any]:
    """Where the change of a total comes from. Raises as `compared` does, UnknownTotal, UnknownPart and NotSummable."""
    found = _contributions(lake, asked.compared, asked.total, asked.by, asked.limit)
    told: dict[str, Any] = msgspec.to_builtins(found)
    return told


def _contributions(lake: Lake, compared: CompareBoth, total: str | None, by: str | None, limit: int) -> Contributions:
    first, second = _sources(lake, compared)
    if first.freeze and second.freeze:
        pair, dataset = (first.freeze_id, second.freeze_id), compared.dataset or POSITIONS.name
        return moved_between(lake, pair, dataset, compared.ignore, total, by, limit)
    divisible = _divisible(checked(first.spec))
    before, after = (pl.scan_parquet(_side(lake, source).files, glob=False) for source in (first, second))
    return contributions(divisible, before, after, total or "rows", by or next(iter(divisible.parts), ""), limit)


def _sources(lake: Lake, asked: CompareBoth) -> tuple[Source, Source]:
    first, second = (_by_its_own_name(source_of(lake, place)) for place in (asked.first, asked.second))
    if first.spec.collection != second.spec.collection:
        raise DifferentDatasets(first=first.spec.collection, second=second.spec.collection)
    if first.spec != second.spec:
        raise DifferentQueries()
    if asked.dataset is not None and not (first.freeze and second.freeze):
        raise DatasetOfReport(dataset=asked.dataset[:80], collection=first.spec.collection)
    return first, second


def _by_its_own_name(source: Source) -> Source:
    """The same, with the dataset's name where the query has an alias."""
    name = known_dataset(source.spec.collection).name
    return source._replace(spec=msgspec.structs.replace(source.spec, collection=name))


class _Side(NamedTuple):
    """The rows of a query, with what they add up to."""

    freeze: Freeze
    files: list[Path]
    totals: dict[str, int | float]


def _side(lake: Lake, source: Source) -> _Side:
    if source.report is None:
        files = lake.files(POSITIONS.name, source.freeze_id)
        sums = {name: summed(each) for name, each in _added(checked(source.spec)).items()}
        found = pl.scan_parquet(files, glob=False).select(pl.len().cast(pl.Int64).alias("rows"), **sums).collect()
        return _Side(lake.freeze(source.freeze_id), files, found.row(0, named=True))
    manifest = kept(lake, source.report, datetime.now(UTC))
    files = Reports(lake.root).files(manifest.report_id)
    return _Side(_freeze(lake, manifest), files, reports.totals(lake, manifest, checked(source.spec)))


def _freeze(lake: Lake, manifest: ReportManifest) -> Freeze:
    """The freeze that a report was made of, which it may have outlived; damage to it is none to the report's rows."""
    try:
        return lake.freeze(manifest.freeze_id)
    except UNREADABLE:
        as_of = manifest.as_of
        return Freeze(snapshot_id=manifest.freeze_id, name="", as_of=as_of, created_at=as_of, rows=0)


def _divisible(query: Query) -> Divisible:
    """The totals of a query's result: its rows and the sums of what adds up; they can be divided by its texts."""
    texts = [name for name, kind in query.results() if kind is Type.STRING]
    return Divisible(query.dataset.name, {"rows": ROW, **_added(query)}, texts)


def _added(query: Query) -> dict[str, pl.Expr]:
    return {f"{name}_sum": pl.col(name) for name in query.adding}
