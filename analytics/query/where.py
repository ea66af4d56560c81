"""Conditions as DuckDB tests them: true or false, never null, where the opposite keeps nulls as MongoDB does."""

from collections.abc import Callable

from sqlglot import exp

from analytics.query.calculated.model import Field
from analytics.query.model import Condition, Operator, Value
from stockverify.datasets import Type

Bind = Callable[[Value], exp.Expr]


def where(condition: Condition, bind: Bind) -> exp.Expr:
    """The condition in a WHERE."""
    column, value = named(condition.column.name), condition.value
    match condition.operator:
        case Operator.EXISTS | Operator.IS_NULL:
            null = exp.Is(this=column, expression=exp.Null())
            return null if value == (condition.operator is Operator.IS_NULL) else exp.Not(this=null)
        case Operator.REGEX:
            return exp.func("regexp_matches", column, bind(_one(value)), exp.Literal.string("i"))
        case Operator.CONTAINS | Operator.STARTS_WITH:
            return _piece(condition, bind)
        case Operator.BETWEEN:
            low, high = map(bind, _all(value))
            return exp.Between(this=column, low=low, high=high)
        case Operator.IN | Operator.EQ:
            return _any_of(condition.column, _all(value), bind)
        case Operator.NIN | Operator.NE:
            return exp.Not(this=exp.Paren(this=_any_of(condition.column, _all(value), bind)))
    return _COMPARE[condition.operator](this=column, expression=bind(_one(value)))


def named(name: str) -> exp.Column:
    """A column."""
    return exp.column(name, quoted=True)


def _piece(condition: Condition, bind: Bind) -> exp.Expr:
    column, wanted = named(condition.column.name), bind(_one(condition.value))
    if condition.column.type is not Type.STRINGS:
        return exp.Anonymous(this=condition.operator.value, expressions=[column, wanted])
    one = exp.to_identifier("one")
    test = exp.Anonymous(this=condition.operator.value, expressions=[exp.Column(this=one), wanted])
    found = exp.Anonymous(this="list_filter", expressions=[column, exp.Lambda(this=test, expressions=[one.copy()])])
    return exp.GT(this=exp.Anonymous(this="len", expressions=[found]), expression=exp.Literal.number(0))


def _any_of(column: Field, choices: tuple[Value, ...], bind: Bind) -> exp.Expr:
    """Whether the column is one of the choices."""
    name = named(column.name)
    tests: list[exp.Expr] = [exp.Is(this=name, expression=exp.Null())] if None in choices else []
    present = [bind(choice) for choice in choices if choice is not None]
    if present and column.type is Type.STRINGS:
        tests.append(_certain(exp.func("list_has_any", name, exp.Array(expressions=present))))
    elif present:
        tests.append(_certain(exp.In(this=name, expressions=present)))
    return exp.or_(*tests) if tests else exp.false()


def _certain(test: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=test, expressions=[exp.false()])


def _all(value: Value | tuple[Value, ...]) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else (value,)


def _one(value: Value | tuple[Value, ...]) -> Value:
    assert not isinstance(value, tuple)  # noqa: S101 - the check gives tuples to `in`, `nin` and `between` only
    return value


_COMPARE: dict[Operator, Callable[..., exp.Expr]] = {
    Operator.GT: exp.GT,
    Operator.GTE: exp.GTE,
    Operator.LT: exp.LT,
    Operator.LTE: exp.LTE,
}
