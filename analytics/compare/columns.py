"""Which columns of two tables are compared with which. Pure: names and types in, a plan out."""

from collections.abc import Mapping, Sequence
from itertools import count

from msgspec import Struct

from analytics.compare.tolerance import Tolerance, Tolerances, checked
from stockverify.datasets import Type
from stockverify.errors import BadInput

Schema = Mapping[str, str]
"""Column names with their types: a logical one of `stockverify.datasets`, or the reader's own word for a stranger."""

_NUMBERS = (Type.FLOAT, Type.INTEGER)


class KeyNotComparable(BadInput):
    """Rows cannot be paired by {column!r}: it is {before} before and {after} after."""


class NamesCollide(BadInput):
    """The comparison would have two columns called {column!r}. Rename that column in the query."""


class Value(Struct, frozen=True):
    """A column that is no part of the key. `before` and `after` are its types, None on a side that lacks it."""

    name: str
    before: str | None
    after: str | None
    is_compared: bool
    tolerance: Tolerance | None = None

    @property
    def is_number(self) -> bool:
        """Whether it is the same kind of number on both sides, and so has a delta."""
        return self.before == self.after and self.before in _NUMBERS


class Plan(Struct, frozen=True):
    """What two tables have in common, and how they are compared."""

    key: tuple[str, ...]
    values: tuple[Value, ...]

    @property
    def compared(self) -> list[tuple[int, Value]]:
        """The columns whose values make a row changed, with their places among all values."""
        return [(place, value) for place, value in zip(count(), self.values, strict=False) if value.is_compared]

    @property
    def type_changed(self) -> dict[str, tuple[str | None, str | None]]:
        """Columns whose type differs, and those that only one side has (None on the other)."""
        return {value.name: (value.before, value.after) for value in self.values if value.before != value.after}


def planned(
    before: Schema, after: Schema, key: Sequence[str], ignore: Sequence[str] = (), tolerances: Tolerances | None = None
) -> Plan:
    """How to compare two tables. Values of columns in `ignore`, with different types or on one side only make no row
    changed. Raises KeyNotComparable, BadTolerance or NamesCollide."""
    for column in key:
        _check_key(column, before.get(column), after.get(column))
    names = [name for name in {**before, **after} if name not in key]
    numbers = [name for name in names if before.get(name) == after.get(name) and before.get(name) in _NUMBERS]
    known = checked(tolerances or {}, [name for name in numbers if name not in ignore])
    values = tuple(_value(name, before, after, ignore, known.get(name)) for name in names)
    _check_names(key, values)
    return Plan(tuple(key), values)


def result_names(value: Value) -> list[str]:
    """The columns of changed rows that a value becomes."""
    sides = {"before": value.before is not None, "after": value.after is not None, "delta": value.is_number}
    return [f"{value.name}_{side}" for side, exists in sides.items() if exists]


def _value(name: str, before: Schema, after: Schema, ignore: Sequence[str], tolerance: Tolerance | None) -> Value:
    first, second = before.get(name), after.get(name)
    return Value(name, first, second, first == second and name not in ignore, tolerance)


def _check_key(column: str, before: str | None, after: str | None) -> None:
    if before is None or before != after:
        raise KeyNotComparable(column=column, before=before or "missing", after=after or "missing")


def _check_names(key: Sequence[str], values: Sequence[Value]) -> None:
    seen: set[str] = set()
    for name in (*key, "change", "changed_columns", *(name for value in values for name in result_names(value))):
        if name.casefold() in seen:
            raise NamesCollide(column=name)
        seen.add(name.casefold())
