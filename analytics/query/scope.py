"""A question within a scope: the same question, of the lines of some floors only."""

from collections.abc import Sequence

from msgspec import structs

from analytics.query.model import Condition, Operator, Query


def within(query: Query, floors: Sequence[str]) -> Query:
    """For live data, where there is no lake to look into. No floors are all. The condition stands before all others,
    also before what is calculated."""
    if not floors:
        return query
    column = query.dataset.column("floor")
    assert column is not None, query.dataset.name  # noqa: S101 - a test looks at all datasets
    return structs.replace(query, conditions=(Condition(column, Operator.IN, tuple(floors)), *query.conditions))
