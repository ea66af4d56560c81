"""A query that was checked: every name in it is declared, every value has its column's type."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from analytics.query.calculated.adding import adds_up
from analytics.query.calculated.model import Calculated, Field
from stockverify.datasets import DATASETS, Column, Dataset, Type

PREVIEW_LIMIT = 100
MAX_LIMIT = 10_000

Value = str | float | int | bool | datetime | None


class Operator(StrEnum):
    """How a field is compared. `regex` searches anywhere in the text, without regard to case; `contains` and
    `starts_with` take every sign as itself. `between` has both ends in. `is_null` is the opposite of `exists`."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BETWEEN = "between"
    IN = "in"
    NIN = "nin"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    REGEX = "regex"
    EXISTS = "exists"
    IS_NULL = "is_null"


class Function(StrEnum):
    """How a field is summed up over a group. Null is left out everywhere: `count` counts the values that are there,
    `count_distinct` the different ones (of a field with several values, all that it holds); the sum of none is 0, the
    average, minimum and maximum of none are null. Numbers are added up to the millionth."""

    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"


class Unit(StrEnum):
    """The periods by which instants are grouped."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Period(Struct, frozen=True):
    """A group key: the first day of the period into which an instant falls, as an ISO date."""

    column: Column
    by: Unit
    zone: str

    @property
    def name(self) -> str:
        """The field of the result."""
        return f"{self.column.name}_{self.by}"

    @property
    def field(self) -> str:
        """The field of the document in the pipeline, once it was made."""
        return self.name

    @property
    def type(self) -> Type:
        """The type of the result."""
        return Type.STRING


Key = Field | Period


def key_path(group_by: tuple[Key, ...], name: str) -> str:
    """Where a row of groups has the key of that name, in the pipeline and in the contract."""
    return "_id" if len(group_by) == 1 else f"_id.{name}"


class Condition(Struct, frozen=True):
    """One comparison. Null is a value of its own: `ne` and `nin` keep it, the order comparisons never do.
    A field with several values (serial numbers) matches when any of them does."""

    column: Field
    operator: Operator
    value: Value | tuple[Value, ...]


class Measure(Struct, frozen=True):
    """One aggregation; its result is called `{field}_{function}`."""

    column: Field
    function: Function

    @property
    def name(self) -> str:
        """The field of the result."""
        return f"{self.column.name}_{self.function}"

    @property
    def type(self) -> Type:
        """The type of the result."""
        if self.function in (Function.COUNT, Function.COUNT_DISTINCT):
            return Type.INTEGER
        return Type.FLOAT if self.function is Function.AVG else self.column.type

    @property
    def adds_up(self) -> bool:
        """Whether the results of groups add up to that of all of them: of averages and extremes there is no sum, and
        different things of two groups may be the same ones."""
        return self.function is Function.COUNT or (self.function is Function.SUM and adds_up(self.column))


class Order(Struct, frozen=True):
    """One sort key: a result field. Null sorts before everything, as it does in MongoDB."""

    name: str
    descending: bool = False


class Query(Struct, frozen=True):
    """`grouped` queries give one row per group, the others one row per row of the dataset.

    A calculated field uses only those before it. `having` looks at groups; its columns are those of the result.
    `order` ends with the key, so that equal rows of both engines come in the same order. `limit` None is all rows.
    """

    dataset: Dataset
    conditions: tuple[Condition, ...]
    group_by: tuple[Key, ...]
    measures: tuple[Measure, ...]
    order: tuple[Order, ...]
    limit: int | None
    skip: int
    calculated: tuple[Calculated, ...] = ()
    having: tuple[Condition, ...] = ()

    @property
    def grouped(self) -> bool:
        """Whether rows are groups."""
        return bool(self.group_by or self.measures)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns, and what is calculated from them."""
        return (*self.dataset.columns, *self.calculated)

    @property
    def periods(self) -> tuple[Period, ...]:
        """The group keys that are made from instants."""
        return tuple(key for key in self.group_by if isinstance(key, Period))

    def results(self) -> Iterator[tuple[str, Type]]:
        """Names and types of the result's columns; group keys have the names of their fields."""
        columns: tuple[Key, ...] = self.group_by if self.grouped else self.fields
        yield from ((column.name, column.type) for column in columns)
        yield from ((measure.name, measure.type) for measure in self.measures)

    @property
    def adding(self) -> tuple[str, ...]:
        """The columns of the result that add up; group keys never do."""
        if self.grouped:
            return tuple(measure.name for measure in self.measures if measure.adds_up)
        return tuple(field.name for field in self.fields if adds_up(field))


def queryable() -> tuple[Dataset, ...]:
    """All datasets; `positions` only on snapshots, as it is derived when one is taken."""
    return tuple(DATASETS.values())
