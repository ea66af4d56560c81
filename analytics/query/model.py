"""A query that was checked: every name in it is declared, every value has its column's type."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from stockverify.datasets import DATASETS, Column, Dataset, Type

PREVIEW_LIMIT = 100
MAX_LIMIT = 10_000

Value = str | float | int | bool | datetime | None


class Operator(StrEnum):
    """How a field is compared. `regex` searches anywhere in the text, without regard to case."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"
    NIN = "nin"
    REGEX = "regex"
    EXISTS = "exists"


class Function(StrEnum):
    """How a field is summed up over a group. Null is left out everywhere: `count` counts the values that are there;
    the sum of none is 0, the average, minimum and maximum of none are null."""

    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    COUNT = "count"


class Condition(Struct, frozen=True):
    """One comparison. Null is a value of its own: `ne` and `nin` keep it, the order comparisons never do.
    A field with several values (serial numbers) matches when any of them does."""

    column: Column
    operator: Operator
    value: Value | tuple[Value, ...]


class Measure(Struct, frozen=True):
    """One aggregation; its result is called `{field}_{function}`."""

    column: Column
    function: Function

    @property
    def name(self) -> str:
        """The field of the result."""
        return f"{self.column.name}_{self.function}"

    @property
    def type(self) -> Type:
        """The type of the result."""
        if self.function is Function.COUNT:
            return Type.INTEGER
        return Type.FLOAT if self.function is Function.AVG else self.column.type


class Order(Struct, frozen=True):
    """One sort key: a result field. Null sorts before everything, as it does in MongoDB."""

    name: str
    descending: bool = False


class Query(Struct, frozen=True):
    """`grouped` queries give one row per group, the others one row per row of the dataset.

    `order` ends with the key, so that equal rows of both engines come in the same order. `limit` None is all rows.
    """

    dataset: Dataset
    conditions: tuple[Condition, ...]
    group_by: tuple[Column, ...]
    measures: tuple[Measure, ...]
    order: tuple[Order, ...]
    limit: int | None
    skip: int

    @property
    def grouped(self) -> bool:
        """Whether rows are groups."""
        return bool(self.group_by or self.measures)

    def results(self) -> Iterator[tuple[str, Type]]:
        """Names and types of the result's columns; group keys have the names of their fields."""
        columns = self.group_by if self.grouped else self.dataset.columns
        yield from ((column.name, column.type) for column in columns)
        yield from ((measure.name, measure.type) for measure in self.measures)


def queryable() -> tuple[Dataset, ...]:
    """All datasets; `positions` only on snapshots, as it is derived when one is taken."""
    return tuple(DATASETS.values())
