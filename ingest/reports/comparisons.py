"""Comparisons of what two snapshot ids stand for, and the totals of a query's result. For the reports process."""

from typing import Any

from analytics.compare import Comparison, change, compare, diff
from analytics.lake import Freeze, Lake
from analytics.query import QueryResult
from ingest.reports.places import Source, rows
from stockverify.errors import BadInput, NotFound


class DifferentQueries(BadInput):
    """These two snapshots come from different queries, so their rows cannot be compared. Compare two of one query."""


def compared(lake: Lake, first: Source, second: Source) -> dict[str, Any]:
    """The `comparison_result` of the contract. Raises DifferentQueries."""
    if first.spec != second.spec:
        raise DifferentQueries()
    if first.freeze and second.freeze:
        return _contract(compare(lake, first.freeze_id, second.freeze_id))
    before, after = (rows(lake, source) for source in (first, second))
    return _contract(_of_results(lake, before, after))


def _contract(comparison: Comparison) -> dict[str, Any]:
    """Times in Unix seconds, as everywhere in comparisons."""
    result = comparison.contract()
    sides = {"baseline": comparison.baseline, "comparison": comparison.comparison}
    named = {
        side: {"snapshot_id": freeze.snapshot_id, "name": freeze.name, "as_of": freeze.as_of.timestamp()}
        for side, freeze in sides.items()
    }
    return {**result, "metadata": {**result["metadata"], **named}}


def _of_results(lake: Lake, before: QueryResult, after: QueryResult) -> Comparison:
    query = before.query
    key = tuple(column.name for column in query.group_by) if query.grouped else query.dataset.key
    sums = totals(after)
    return Comparison(
        dataset=query.dataset.name,
        baseline=_side(lake, before),
        comparison=_side(lake, after),
        ignored=(),
        summary={name: change(value, sums[name]) for name, value in totals(before).items()},
        diff=diff(before.frame.lazy(), after.frame.lazy(), key),
    )


def _side(lake: Lake, result: QueryResult) -> Freeze:
    """The freeze that a report was made of, which it may have outlived."""
    freeze_id = result.snapshot_id or ""
    try:
        return lake.freeze(freeze_id)
    except NotFound:
        return Freeze(snapshot_id=freeze_id, name="", as_of=result.as_of, created_at=result.as_of, rows=0)


def totals(result: QueryResult) -> dict[str, int | float]:
    """How many rows there are, and the sums of their numbers."""
    frame = result.frame
    numbers = [name for name, kind in frame.schema.items() if kind.is_numeric()]
    sums = frame.select(numbers).sum().row(0, named=True) if numbers else {}
    return {"rows": frame.height, **{f"{name}_sum": round(value or 0, 6) + 0.0 for name, value in sums.items()}}
