"""Comparisons of what two snapshot ids stand for, and the totals of a query's result."""

from typing import Any

from analytics.compare import Comparison, change, compare, diff
from analytics.lake import Freeze, Lake
from analytics.query import QueryResult, checked, run
from ingest.reports.rules import Source
from stockverify.clients import Document
from stockverify.errors import BadInput


class DifferentQueries(BadInput):
    """These two snapshots come from different queries, so their rows cannot be compared. Compare two of one query."""


def compared(lake: Lake, first: Source, second: Source) -> dict[str, Any]:
    """The `comparison_result` of the contract. Raises DifferentQueries."""
    if first.spec != second.spec:
        raise DifferentQueries()
    if first.document is None and second.document is None:
        return _contract(compare(lake, first.freeze_id, second.freeze_id))
    before, after = (run(lake, source.freeze_id, checked(source.spec)) for source in (first, second))
    return _contract(_of_results(lake, before, after, first, second))


def _contract(comparison: Comparison) -> dict[str, Any]:
    """Times in Unix seconds, as everywhere in comparisons."""
    result = comparison.contract()
    sides = {"baseline": comparison.baseline, "comparison": comparison.comparison}
    named = {
        side: {"snapshot_id": freeze.snapshot_id, "name": freeze.name, "as_of": freeze.as_of.timestamp()}
        for side, freeze in sides.items()
    }
    return {**result, "metadata": {**result["metadata"], **named}}


def _of_results(lake: Lake, before: QueryResult, after: QueryResult, first: Source, second: Source) -> Comparison:
    query = before.query
    key = tuple(column.name for column in query.group_by) if query.grouped else query.dataset.key
    totals = {name: change(value, _totals(after)[name]) for name, value in _totals(before).items()}
    return Comparison(
        dataset=query.dataset.name,
        baseline=lake.freeze(first.freeze_id),
        comparison=lake.freeze(second.freeze_id),
        ignored=(),
        summary=totals,
        diff=diff(before.frame.lazy(), after.frame.lazy(), key),
    )


def summary(result: QueryResult, freeze: Freeze) -> dict[str, Any]:
    """Where a report snapshot's rows come from, and the totals of their numbers."""
    return {"as_of": freeze.as_of.timestamp(), "freeze_id": freeze.snapshot_id, "totals": _totals(result)}


def _totals(result: QueryResult) -> dict[str, float]:
    frame = result.frame
    numbers = [name for name, kind in frame.schema.items() if kind.is_numeric()]
    sums = frame.select(numbers).sum().row(0, named=True) if numbers else {}
    return {"rows": frame.height, **{f"{name}_sum": round(value or 0, 6) + 0.0 for name, value in sums.items()}}


def as_job(document: Document) -> dict[str, Any]:
    """A stored comparison as replies show it."""
    shown = {key: value for key, value in document.items() if key != "_id"}
    return shown | {"job_id": document["_id"], "created_at": document["created_at"].timestamp()}
