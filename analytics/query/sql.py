"""A checked query as SQL for DuckDB, over a relation called `source`. Identifiers come from the declared columns and
from the checked names of calculated fields only, and values only as bound parameters."""

from typing import NamedTuple

from sqlglot import exp

from analytics.millionths import MILLION
from analytics.query.calculated.sql import value_sql
from analytics.query.model import Function, Key, Measure, Query, Value
from analytics.query.periods import period_sql
from analytics.query.where import named, where
from stockverify.datasets import Type

FILES = "files"
_NO_PARTITIONS = exp.EQ(this=exp.column("hive_partitioning"), expression=exp.false())
"""Else a folder such as `floor=9` on the way to the data directory would be read as a column, in place of our own."""


class Sql(NamedTuple):
    """A statement and its parameters; the caller adds the list of Parquet files as `$files`."""

    text: str
    parameters: dict[str, Value]


def compiled(query: Query) -> Sql:
    """The statement of a query."""
    bound = _Bound()
    source = exp.select("*").from_(exp.func("read_parquet", exp.Placeholder(this=FILES), _NO_PARTITIONS))
    select = exp.select(*_outputs(query)).from_("calculated" if query.calculated or query.periods else "source")
    parts = {"source": source, "calculated": _calculated(query, bound)}
    for condition in query.conditions:
        select.where(where(condition, bound), copy=False)
    if query.group_by:
        select.group_by(*(named(key.name) for key in query.group_by), copy=False)
    elif query.measures:
        # One group over nothing is no row in MongoDB.
        select.having(exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(0)), copy=False)
    if query.having:
        parts["groups"] = select
        select = exp.select("*").from_("groups").where(*(where(condition, bound) for condition in query.having))
    for name, part in parts.items():
        if part is not None:
            select.with_(name, as_=part, copy=False)
    return Sql(_ordered(query, select).sql("duckdb", pretty=True), bound.parameters)


class _Bound:
    """Hands out placeholders, and remembers what they stand for."""

    def __init__(self) -> None:
        self.parameters: dict[str, Value] = {}

    def __call__(self, value: Value) -> exp.Expr:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return exp.Placeholder(this=name)


def _calculated(query: Query, bound: _Bound) -> exp.Select | None:
    """The rows with what is worked out for each; a field may use those before it by name."""
    fields = [exp.alias_(value_sql(field.term, bound), field.name, quoted=True) for field in query.calculated]
    fields += [exp.alias_(period_sql(period), period.name, quoted=True) for period in query.periods]
    return exp.select("*", *fields).from_("source") if fields else None


def _ordered(query: Query, select: exp.Select) -> exp.Select:
    for order in query.order:
        ordered = exp.Ordered(this=named(order.name), desc=order.descending, nulls_first=not order.descending)
        select.order_by(ordered, copy=False)
    if query.limit is not None:
        select = select.limit(query.limit)
    return select.offset(query.skip) if query.skip else select


def _outputs(query: Query) -> list[exp.Expr]:
    keys: tuple[Key, ...] = query.group_by if query.grouped else query.fields
    return [named(key.name) for key in keys] + [_measure(measure) for measure in query.measures]


def _measure(measure: Measure) -> exp.Expr:
    column = named(measure.column.name)
    value: exp.Expr
    match measure.function:
        case Function.COUNT:
            value = exp.Count(this=column)
        case Function.COUNT_DISTINCT:
            value = _distinct(measure)
        case Function.SUM:
            value = exp.Coalesce(this=_sum(measure), expressions=[exp.Literal.number(0)])
        case Function.AVG:
            value = exp.Div(this=_sum(measure), expression=exp.Count(this=column))
        case Function.MIN:
            value = exp.Min(this=column)
        case Function.MAX:
            value = exp.Max(this=column)
    return exp.alias_(value, measure.name, quoted=True)


def _sum(measure: Measure) -> exp.Expr:
    """Of floats the sum of millionths as the float next to it. Floats as they are would give another last digit in
    every order, and each thread has its own. Units and their fractions are added up apart, each without an error."""
    column = named(measure.column.name)
    if measure.column.type is Type.INTEGER:
        return exp.cast(exp.Sum(this=column), "BIGINT")
    units = exp.Floor(this=column)
    fraction = exp.Paren(this=exp.Sub(this=column.copy(), expression=units.copy()))
    scaled = exp.Add(this=exp.Mul(this=fraction, expression=_number(MILLION)), expression=_number(0.5))
    whole, rest = (exp.Sum(this=exp.cast(part, "BIGINT")) for part in (units, exp.Floor(this=scaled)))
    return _as_float(exp.Add(this=exp.Mul(this=whole, expression=_number(MILLION)), expression=rest))


def _as_float(total: exp.Expr) -> exp.Expr:
    """A HUGEINT of millionths as the float next to it. One that a float can hold is divided as such; of a larger one
    the units and the rest apart, for it would be rounded twice, as the units of a smaller one with their rest would."""
    together = exp.Div(this=exp.cast(exp.Paren(this=total), "DOUBLE"), expression=_number(MILLION))
    units = exp.cast(exp.IntDiv(this=exp.Paren(this=total.copy()), expression=_number(MILLION)), "DOUBLE")
    rest = exp.cast(exp.Mod(this=exp.Paren(this=total.copy()), expression=_number(MILLION)), "DOUBLE")
    apart = exp.Add(this=units, expression=exp.Div(this=rest, expression=_number(MILLION)))
    is_exact = exp.LTE(this=exp.Abs(this=total.copy()), expression=_number(2**53))
    return exp.case().when(is_exact, together).else_(apart)


def _number(value: float) -> exp.Expr:
    return exp.Literal.number(repr(value))


def _distinct(measure: Measure) -> exp.Expr:
    column = named(measure.column.name)
    if measure.column.type is not Type.STRINGS:
        return exp.Count(this=exp.Distinct(expressions=[column]))
    everything = _call("list_distinct", _call("flatten", _call("list", column)))
    return exp.Coalesce(this=_call("len", everything), expressions=[exp.Literal.number(0)])


def _call(name: str, value: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[value])
