"""From what a person put together on the Snapshots page to a query spec, and the words for it."""

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from stockverify.datasets import Column, Dataset, Type
from stockverify.errors import BadInput
from stockverify.wire.reports import QuerySpec


class UnreadableValue(BadInput):
    """The filter on {field} cannot read {text!r}. It needs {wanted}."""


class TwiceTheSame(BadInput):
    """Two filters ask {field} the same kind of question; use one of them, or `any of` with several values."""


class OneFunctionEach(BadInput):
    """{field} can be summed up in one way at a time; take away all but one of its figures."""


class Relation(StrEnum):
    """How a filter compares, in words."""

    IS = "is"
    IS_NOT = "is not"
    ABOVE = "is above"
    AT_LEAST = "is at least"
    BELOW = "is below"
    AT_MOST = "is at most"
    CONTAINS = "contains"
    MATCHES = "matches the regular expression"
    ANY_OF = "is any of"
    NONE_OF = "is none of"
    EMPTY = "is empty"
    FILLED = "is not empty"


_OPERATORS = {
    Relation.IS: "eq",
    Relation.IS_NOT: "ne",
    Relation.ABOVE: "gt",
    Relation.AT_LEAST: "gte",
    Relation.BELOW: "lt",
    Relation.AT_MOST: "lte",
    Relation.MATCHES: "regex",
}
_EMPTINESS = (Relation.EMPTY, Relation.FILLED)
_TEXT_ONLY = (Relation.MATCHES, *_EMPTINESS)
_ORDER = (Relation.ABOVE, Relation.AT_LEAST, Relation.BELOW, Relation.AT_MOST)
_NUMERIC = (Type.FLOAT, Type.INTEGER)


class Filter(NamedTuple):
    """One line of the filter panel. `text` is what was typed."""

    column: Column
    relation: Relation
    text: str = ""

    @property
    def complete(self) -> bool:
        """Whether it can be applied; one without a value waits."""
        return self.relation in _EMPTINESS or bool(self.text.strip())


class Measure(NamedTuple):
    """A figure of a group."""

    field: str
    function: str

    @property
    def label(self) -> str:
        """In words."""
        words = {"sum": "Sum", "avg": "Average", "min": "Smallest", "max": "Largest", "count": "Count"}
        return f"{words[self.function]} of {self.field}"


def relations(kind: Type) -> list[Relation]:
    """What can be asked of a column of that type."""
    match kind:
        case Type.STRING:
            return [
                Relation.IS,
                Relation.CONTAINS,
                Relation.ANY_OF,
                Relation.IS_NOT,
                Relation.NONE_OF,
                Relation.MATCHES,
                *_EMPTINESS,
            ]
        case Type.BOOLEAN:
            return [Relation.IS, *_EMPTINESS]
        case Type.STRINGS:
            return [Relation.IS, Relation.ANY_OF, *_EMPTINESS]
    return [Relation.IS, *_ORDER, Relation.IS_NOT, *_EMPTINESS]


def measures(dataset: Dataset) -> list[Measure]:
    """What groups of a dataset can be summed up by."""
    numbers = [column.name for column in dataset.columns if column.type in _NUMERIC]
    counts = [Measure(column.name, "count") for column in dataset.columns]
    return [Measure(name, function) for name in numbers for function in ("sum", "avg", "min", "max")] + counts


def groupable(dataset: Dataset) -> list[str]:
    """Columns that rows can be grouped by."""
    return [column.name for column in dataset.columns if column.type is not Type.STRINGS]


def filters_of(wanted: Iterable[Filter], zone: ZoneInfo) -> dict[str, Any]:
    """The filters of a spec. Raises UnreadableValue or TwiceTheSame."""
    found: dict[str, dict[str, Any]] = {}
    for line in wanted:
        if not line.complete:
            continue
        operators = found.setdefault(line.column.name, {})
        operator, value = _condition(line, zone)
        if operator in operators:
            raise TwiceTheSame(field=line.column.name)
        operators[operator] = value
    return found


def aggregations_of(wanted: Iterable[Measure]) -> dict[str, str]:
    """The aggregations of a spec. Raises OneFunctionEach."""
    found: dict[str, str] = {}
    for measure in wanted:
        if measure.field in found:
            raise OneFunctionEach(field=measure.field)
        found[measure.field] = measure.function
    return found


def grouped(spec: QuerySpec) -> bool:
    """Whether the rows of a spec are groups."""
    return bool(spec.group_by or spec.aggregations)


def _condition(line: Filter, zone: ZoneInfo) -> tuple[str, Any]:
    kind, text = line.column.type, line.text.strip()
    match line.relation:
        case Relation.EMPTY | Relation.FILLED:
            return _emptiness(kind, line.relation is Relation.FILLED)
        case Relation.CONTAINS:
            return "regex", re.escape(text)
        case Relation.ANY_OF | Relation.NONE_OF:
            values = [_value(line.column, one.strip(), zone) for one in text.split(",") if one.strip()]
            return ("in" if line.relation is Relation.ANY_OF else "nin"), values
        case Relation.MATCHES:
            return "regex", text
    return _OPERATORS[line.relation], _value(line.column, text, zone)


def _emptiness(kind: Type, filled: bool) -> tuple[str, Any]:
    """An empty text is as good as none to whoever asks."""
    if kind is Type.STRING:
        return ("nin" if filled else "in"), ["", None]
    return "exists", filled


def _value(column: Column, text: str, zone: ZoneInfo) -> Any:
    match column.type:
        case Type.FLOAT | Type.INTEGER:
            return _read(column, text, float, "a number such as 12 or 2.5")
        case Type.BOOLEAN:
            return _read(column, text.lower(), {"yes": True, "no": False}.__getitem__, "yes or no")
        case Type.INSTANT:
            wanted = f"a time such as 2026-01-31 18:00, which is read in the zone {zone.key}"
            return _read(column, text, lambda typed: _instant(typed, zone), wanted)
    return text


def _read(column: Column, text: str, reader: Any, wanted: str) -> Any:
    try:
        return reader(text)
    except (ValueError, KeyError, OverflowError):
        raise UnreadableValue(field=column.name, text=text[:80], wanted=wanted) from None


def _instant(text: str, zone: ZoneInfo) -> str:
    typed = datetime.fromisoformat(text)
    return (typed if typed.tzinfo else typed.replace(tzinfo=zone)).isoformat()
