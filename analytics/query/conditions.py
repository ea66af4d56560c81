"""Filters and having, from what a client wrote to checked conditions."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from analytics.query.calculated.model import Field
from analytics.query.model import Condition, Operator, Value
from analytics.query.refusals import BadSpec, UnfitField, UnknownOperator
from analytics.query.regex import usable
from analytics.query.values import value_of, wrong
from stockverify.datasets import Type

MAX_CONDITIONS = 100
MAX_CHOICES = 1000

_ORDERED = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)


def conditions(place: str, wanted: Mapping[str, Any], find: Callable[[str], Field]) -> tuple[Condition, ...]:
    """All conditions of `filters` or `having`, which is the place. Raises a BadInput that names the culprit."""
    if len(wanted) > MAX_CONDITIONS:
        raise BadSpec(reason=f"{place} has {len(wanted)} fields; at most {MAX_CONDITIONS} are allowed.")
    return tuple(each for name, value in wanted.items() for each in _of_field(place, find(name), value))


def _of_field(place: str, column: Field, wanted: Any) -> Iterator[Condition]:
    if wanted == {}:
        raise wrong(column, wanted, "a value, or operators with their values")
    comparisons = wanted if isinstance(wanted, dict) else {Operator.EQ.value: wanted}
    for operator, value in comparisons.items():
        if operator not in list(Operator):
            raise UnknownOperator(name=operator, field=column.name, known=", ".join(Operator))
        if operator == Operator.REGEX and place == "having":
            reason = "there it would need all groups at once; filter by it, or use contains or starts_with."
            raise UnfitField(place="regex in having", name=column.name, type=column.type.value, reason=reason)
        yield _condition(column, Operator(operator), value)


def _condition(column: Field, operator: Operator, value: Any) -> Condition:
    return Condition(column, operator, _READ.get(operator, value_of)(column, value))


def _yes_or_no(column: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong(column, value, "true or false for exists and is_null")
    return value


def _pattern(column: Field, value: Any) -> str:
    if column.type is not Type.STRING:
        raise UnfitField(place="regex", name=column.name, type=column.type.value, reason="it searches in text.")
    return usable(value, column.name)


def _piece(column: Field, value: Any) -> Value:
    if column.type not in (Type.STRING, Type.STRINGS):
        reason = "contains and starts_with look into texts."
        raise UnfitField(place="a filter", name=column.name, type=column.type.value, reason=reason)
    if value is None:
        raise wrong(column, value)
    return value_of(column, value)


def _choices(column: Field, value: Any) -> tuple[Value, ...]:
    if not isinstance(value, list | tuple) or len(value) > MAX_CHOICES:
        raise wrong(column, value, f"a list of at most {MAX_CHOICES} values")
    return tuple(value_of(column, choice) for choice in value)


def _ordered(column: Field, value: Any) -> Value:
    if column.type in (Type.STRINGS, Type.BOOLEAN):
        reason = "its values have no order; use eq, ne, in, nin or exists."
        raise UnfitField(place="an order comparison", name=column.name, type=column.type.value, reason=reason)
    if value is None:
        raise wrong(column, value)
    return value_of(column, value)


def _both_ends(column: Field, value: Any) -> tuple[Value, ...]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise wrong(column, value, "a list of two values for between: the lowest and the highest")
    return tuple(_ordered(column, end) for end in value)


_READ: dict[Operator, Callable[[Field, Any], Value | tuple[Value, ...]]] = {
    Operator.EXISTS: _yes_or_no,
    Operator.IS_NULL: _yes_or_no,
    Operator.REGEX: _pattern,
    Operator.CONTAINS: _piece,
    Operator.STARTS_WITH: _piece,
    Operator.IN: _choices,
    Operator.NIN: _choices,
    Operator.BETWEEN: _both_ends,
    **dict.fromkeys(_ORDERED, _ordered),
}
