"""Expressions as SQL for DuckDB, with the same meaning as their pipeline: null where an operand is null, where the
divisor is 0, and where a number is beyond MAX_NUMBER."""

from collections.abc import Callable

from sqlglot import exp

from analytics.query.calculated.meaning import MAX_NUMBER
from analytics.query.calculated.model import COMPARISONS, Op, Term
from stockverify.datasets import Type

Bind = Callable[..., exp.Expr]
_MOST = exp.Literal.number(repr(MAX_NUMBER))
_LEAST = exp.Neg(this=_MOST)


def value_sql(term: Term, bind: Bind) -> exp.Expr:
    """The value of a calculated field."""
    return _in_range(term, bind)


def _in_range(term: Term, bind: Bind) -> exp.Expr:
    """What is compared or shown has to be in range; within a sum a part may leave it, as in MongoDB."""
    found = _sql(term, bind)
    if term.type is not Type.FLOAT or term.field is not None:
        return found
    inside = exp.Between(this=_inner(found), low=_LEAST.copy(), high=_MOST.copy())
    return exp.Case(ifs=[exp.If(this=inside, true=found.copy())])


def _sql(term: Term, bind: Bind) -> exp.Expr:
    if term.op is Op.LITERAL:
        return bind(term.value)
    if term.field is not None:
        column = exp.column(term.field.name, quoted=True)
        return exp.cast(column, "DOUBLE") if term.field.type is Type.INTEGER else column
    if term.op in COMPARISONS:
        left, right = (_inner(_in_range(operand, bind)) for operand in term.operands)
        return _BINARY[term.op](this=left, expression=right)
    parts = [_inner(_sql(operand, bind)) for operand in term.operands]
    if term.op in (Op.NEGATE, Op.NOT):
        return (exp.Neg if term.op is Op.NEGATE else exp.Not)(this=parts[0])
    if term.op in (Op.AND, Op.OR):
        return exp.and_(*parts) if term.op is Op.AND else exp.or_(*parts)
    left, right = parts
    if term.op is Op.DIVIDE:
        right = exp.func("nullif", right, exp.Literal.number(0))
    if term.operands[0].type is Type.INSTANT:
        steps = (exp.Anonymous(this="epoch_ms", expressions=[part]) for part in parts)
        return exp.Div(this=exp.Paren(this=exp.Sub(this=next(steps), expression=next(steps))), expression=_THOUSAND)
    return _BINARY[term.op](this=left, expression=right)


def _inner(part: exp.Expr) -> exp.Expr:
    """In parentheses, unless it stands by itself; `and` and `or` are functions to sqlglot."""
    alone = isinstance(part, exp.Column | exp.Placeholder | exp.Case | exp.Cast)
    return part if alone else exp.Paren(this=part)


_THOUSAND = exp.Literal.number("1000.0")
_BINARY: dict[Op, Callable[..., exp.Expr]] = {
    Op.ADD: exp.Add,
    Op.SUBTRACT: exp.Sub,
    Op.MULTIPLY: exp.Mul,
    Op.DIVIDE: exp.Div,
    Op.EQ: exp.EQ,
    Op.NE: exp.NEQ,
    Op.LT: exp.LT,
    Op.LTE: exp.LTE,
    Op.GT: exp.GT,
    Op.GTE: exp.GTE,
}
