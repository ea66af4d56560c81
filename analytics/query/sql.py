"""A checked query as SQL for DuckDB, over a relation called `source`. Identifiers come from the declared columns only,
and values only as bound parameters."""

from collections.abc import Callable
from typing import NamedTuple

from sqlglot import exp

from analytics.query.model import Condition, Function, Measure, Operator, Query, Value
from stockverify.datasets import Column, Type

FILES = "files"


class Sql(NamedTuple):
    """A statement and its parameters; the caller adds the list of Parquet files as `$files`."""

    text: str
    parameters: dict[str, Value]


def compiled(query: Query) -> Sql:
    """The statement of a query."""
    bound = _Bound()
    source = exp.select("*").from_(exp.func("read_parquet", exp.Placeholder(this=FILES)))
    select = exp.select(*_outputs(query)).from_("source").with_("source", as_=source)
    for condition in query.conditions:
        select = select.where(_where(condition, bound))
    if query.group_by:
        select = select.group_by(*(_named(column.name) for column in query.group_by))
    elif query.measures:
        # One group over nothing is no row in MongoDB.
        select = select.having(exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(0)))
    for order in query.order:
        select = select.order_by(
            exp.Ordered(this=_named(order.name), desc=order.descending, nulls_first=not order.descending)
        )
    if query.limit is not None:
        select = select.limit(query.limit)
    if query.skip:
        select = select.offset(query.skip)
    return Sql(select.sql("duckdb", pretty=True), bound.parameters)


class _Bound:
    """Hands out placeholders, and remembers what they stand for."""

    def __init__(self) -> None:
        self.parameters: dict[str, Value] = {}

    def __call__(self, value: Value) -> exp.Expr:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return exp.Placeholder(this=name)


def _named(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _outputs(query: Query) -> list[exp.Expr]:
    columns = query.group_by if query.grouped else query.dataset.columns
    return [_named(column.name) for column in columns] + [_measure(measure) for measure in query.measures]


def _measure(measure: Measure) -> exp.Expr:
    """Sums of floats are compensated, as MongoDB's are."""
    column = _named(measure.column.name)
    whole = measure.column.type is Type.INTEGER
    value: exp.Expr
    match measure.function:
        case Function.COUNT:
            value = exp.Count(this=column)
        case Function.SUM:
            total = exp.cast(exp.Sum(this=column), "BIGINT") if whole else exp.func("fsum", column)
            value = exp.Coalesce(this=total, expressions=[exp.Literal.number(0)])
        case Function.AVG:
            value = exp.func("favg", column)
        case Function.MIN:
            value = exp.Min(this=column)
        case Function.MAX:
            value = exp.Max(this=column)
    return exp.alias_(value, measure.name, quoted=True)


def _where(condition: Condition, bound: _Bound) -> exp.Expr:
    column, value = _named(condition.column.name), condition.value
    match condition.operator:
        case Operator.EXISTS:
            null = exp.Is(this=column, expression=exp.Null())
            return exp.Not(this=null) if value else null
        case Operator.REGEX:
            return exp.func("regexp_matches", column, bound(_one(value)), exp.Literal.string("i"))
        case Operator.IN | Operator.NIN:
            choices = value if isinstance(value, tuple) else (value,)
            found = _any_of(condition.column, choices, bound)
            return found if condition.operator is Operator.IN else exp.Not(this=exp.Paren(this=found))
        case Operator.EQ | Operator.NE:
            found = _any_of(condition.column, (_one(value),), bound)
            return found if condition.operator is Operator.EQ else exp.Not(this=exp.Paren(this=found))
    return _COMPARE[condition.operator](this=column, expression=bound(_one(value)))


def _any_of(column: Column, choices: tuple[Value, ...], bound: _Bound) -> exp.Expr:
    """Whether the column is one of the choices; never null, so that its opposite keeps nulls as MongoDB does."""
    name = _named(column.name)
    tests: list[exp.Expr] = [exp.Is(this=name, expression=exp.Null())] if None in choices else []
    present = [bound(choice) for choice in choices if choice is not None]
    if present and column.type is Type.STRINGS:
        tests.append(_certain(exp.func("list_has_any", name, exp.Array(expressions=present))))
    elif present:
        tests.append(_certain(exp.In(this=name, expressions=present)))
    return exp.or_(*tests) if tests else exp.false()


def _certain(test: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=test, expressions=[exp.false()])


def _one(value: Value | tuple[Value, ...]) -> Value:
    assert not isinstance(value, tuple)  # noqa: S101 - the check gives tuples to `in` and `nin` only
    return value


_COMPARE: dict[Operator, Callable[..., exp.Expr]] = {
    Operator.GT: exp.GT,
    Operator.GTE: exp.GTE,
    Operator.LT: exp.LT,
    Operator.LTE: exp.LTE,
}
