"""From what a client wrote to a checked query. Every refusal names what is wrong and what there is instead."""

from collections.abc import Iterator
from typing import Any

from analytics.query.model import MAX_LIMIT, Condition, Function, Measure, Operator, Order, Query, Value, queryable
from analytics.query.regex import usable
from analytics.query.values import value_of, wrong
from stockverify.datasets import Column, Dataset, Type, find
from stockverify.errors import BadInput
from stockverify.wire.reports import QuerySpec

MAX_CONDITIONS = 100
MAX_CHOICES = 1000

_ORDERED = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)
_NUMERIC = (Type.FLOAT, Type.INTEGER)


class UnknownCollection(BadInput):
    """There is no collection {name!r}; use one of: {known}."""


class UnknownField(BadInput):
    """{name!r} in {place} is not a field of {dataset}; it has: {known}."""


class UnknownOperator(BadInput):
    """{name!r} in the filter on {field!r} is not an operator; use one of: {known}."""


class UnknownFunction(BadInput):
    """{name!r} for {field!r} is not an aggregation; use one of: {known}."""


class UnfitField(BadInput):
    """{place} cannot use {name!r}, which is of type {type}: {reason}"""


class BadSpec(BadInput):
    """{reason}"""


def checked(spec: QuerySpec, default_limit: int | None = None) -> Query:
    """The query of a client's spec. Raises a BadInput that names the culprit.

    `default_limit` counts when the spec has no limit; None is all rows.
    """
    dataset = _dataset(spec.collection)
    if len(spec.filters) > MAX_CONDITIONS:
        raise BadSpec(reason=f"filters has {len(spec.filters)} fields; at most {MAX_CONDITIONS} are allowed.")
    if spec.limit is not None and spec.limit > MAX_LIMIT:
        raise BadSpec(reason=f"limit {spec.limit} is above {MAX_LIMIT}; page with skip, or export a snapshot.")
    group_by = tuple(_single(dataset, name, "group_by") for name in dict.fromkeys(spec.group_by))
    measures = tuple(_measure(dataset, name, function) for name, function in spec.aggregations.items())
    return Query(
        dataset=dataset,
        conditions=tuple(_conditions(dataset, spec.filters)),
        group_by=group_by,
        measures=measures,
        order=_order(dataset, spec.sort, group_by, measures),
        limit=default_limit if spec.limit is None else spec.limit,
        skip=spec.skip,
    )


def _dataset(name: str) -> Dataset:
    if (dataset := find(name)) is None:
        raise UnknownCollection(name=name, known=", ".join(dataset.name for dataset in queryable()))
    return dataset


def _column(dataset: Dataset, name: str, place: str) -> Column:
    if (column := dataset.column(name)) is None:
        raise UnknownField(name=name, place=place, dataset=dataset.name, known=", ".join(dataset.names))
    return column


def _single(dataset: Dataset, name: str, place: str) -> Column:
    column = _column(dataset, name, place)
    if column.type is Type.STRINGS:
        reason = "it holds several values; filters and count can use it."
        raise UnfitField(place=place, name=name, type=column.type.value, reason=reason)
    return column


def _measure(dataset: Dataset, name: str, function: str) -> Measure:
    if function not in list(Function):
        raise UnknownFunction(name=function, field=name, known=", ".join(Function))
    kind = Function(function)
    if kind is Function.COUNT:
        return Measure(_column(dataset, name, "aggregations"), kind)
    column = _single(dataset, name, "aggregations")
    if kind in (Function.SUM, Function.AVG) and column.type not in _NUMERIC:
        raise UnfitField(place=function, name=name, type=column.type.value, reason="it adds up numbers.")
    return Measure(column, kind)


def _conditions(dataset: Dataset, filters: dict[str, Any]) -> Iterator[Condition]:
    for name, wanted in filters.items():
        column = _column(dataset, name, "filters")
        if wanted == {}:
            raise wrong(column, wanted, "a value, or operators with their values")
        comparisons = wanted if isinstance(wanted, dict) else {Operator.EQ.value: wanted}
        for operator, value in comparisons.items():
            if operator not in list(Operator):
                raise UnknownOperator(name=operator, field=name, known=", ".join(Operator))
            yield _condition(column, Operator(operator), value)


def _condition(column: Column, operator: Operator, value: Any) -> Condition:
    if operator is Operator.EXISTS:
        if not isinstance(value, bool):
            raise wrong(column, value, "true or false for exists")
        return Condition(column, operator, value)
    if operator is Operator.REGEX:
        if column.type is not Type.STRING:
            raise UnfitField(place="regex", name=column.name, type=column.type.value, reason="it searches in text.")
        return Condition(column, operator, usable(value, column.name))
    if operator in (Operator.IN, Operator.NIN):
        return Condition(column, operator, _choices(column, value))
    return Condition(column, operator, _ordered(column, value) if operator in _ORDERED else value_of(column, value))


def _choices(column: Column, value: Any) -> tuple[Value, ...]:
    if not isinstance(value, list | tuple) or len(value) > MAX_CHOICES:
        raise wrong(column, value, f"a list of at most {MAX_CHOICES} values")
    return tuple(value_of(column, choice) for choice in value)


def _ordered(column: Column, value: Any) -> Value:
    if column.type in (Type.STRINGS, Type.BOOLEAN):
        reason = "its values have no order; use eq, ne, in, nin or exists."
        raise UnfitField(place="an order comparison", name=column.name, type=column.type.value, reason=reason)
    if value is None:
        raise wrong(column, value)
    return value_of(column, value)


def _order(
    dataset: Dataset, sort: dict[str, int], group_by: tuple[Column, ...], measures: tuple[Measure, ...]
) -> tuple[Order, ...]:
    """The sort that was asked for, then the key. `_id` stands for all group keys in their order."""
    grouped = bool(group_by or measures)
    keys = [column.name for column in group_by] if grouped else list(dataset.key)
    allowed = {*keys, *(measure.name for measure in measures)} if grouped else set(dataset.names)
    asked: dict[str, bool] = {}
    for name, direction in sort.items():
        if direction not in (1, -1):
            raise BadSpec(reason=f"sort by {name!r} needs 1 (upwards) or -1 (downwards); it has {direction}.")
        names = keys if grouped and name == "_id" else [name]
        for wanted in names:
            if wanted not in allowed:
                known = ", ".join(sorted(allowed | ({"_id"} if grouped else set())))
                raise UnknownField(name=wanted, place="sort", dataset="the result", known=known)
            if not grouped:
                _single(dataset, wanted, "sort")
            asked.setdefault(wanted, direction == -1)
    return tuple(Order(name, down) for name, down in (asked | {key: asked.get(key, False) for key in keys}).items())
