"""What rows can be grouped and summed up by, in words, and the parts of a query that this makes."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from analytics.query.calculated.model import Field
from analytics.query.model import Function
from stockverify.datasets import Type

_NUMERIC = (Type.FLOAT, Type.INTEGER)
_COUNTS = (Function.COUNT, Function.COUNT_DISTINCT)
_ENDS = (Function.MIN, Function.MAX)
_WORDS = {
    Function.SUM: "Sum",
    Function.AVG: "Average",
    Function.MIN: "Smallest",
    Function.MAX: "Largest",
    Function.COUNT: "Count",
    Function.COUNT_DISTINCT: "Different values",
}


class Measure(NamedTuple):
    """A figure of a group."""

    field: str
    function: Function

    def label(self, words: Mapping[str, str]) -> str:
        """In words; `words` are those of the fields."""
        named = words.get(self.field, self.field)
        told = named if named == self.field else f"{named[:1].lower()}{named[1:]}"
        return f"{_WORDS[self.function]} of {told}{' (units)' if self.field.endswith('_qty') else ''}"

    @property
    def name(self) -> str:
        """Its column in the result."""
        return f"{self.field}_{self.function}"


def measures(fields: Iterable[Field]) -> list[Measure]:
    """What groups can be summed up by: numbers first, as they are what most people look for."""
    known = list(fields)
    numbers = [field for field in known if field.type in _NUMERIC]
    sums = [Measure(field.name, function) for field in numbers for function in (Function.SUM, Function.AVG, *_ENDS)]
    counts = [Measure(field.name, function) for field in known for function in _COUNTS]
    others = [field for field in known if field.type not in (*_NUMERIC, Type.STRINGS)]
    return sums + counts + [Measure(field.name, function) for field in others for function in _ENDS]


def groupable(fields: Iterable[Field]) -> list[str]:
    """Fields that rows can be grouped by."""
    return [field.name for field in fields if field.type is not Type.STRINGS]


def aggregations_of(wanted: Iterable[Measure]) -> dict[str, str | list[str]]:
    """The aggregations of a query."""
    found: dict[str, list[str]] = {}
    for measure in wanted:
        found.setdefault(measure.field, []).append(measure.function.value)
    return {name: functions[0] if len(functions) == 1 else functions for name, functions in found.items()}
