"""Expressions as expressions of MongoDB, with the same meaning as their SQL: null where an operand is null, where the
divisor is 0, and where a number is beyond MAX_NUMBER."""

from typing import Any

from analytics.query.calculated.meaning import MAX_NUMBER
from analytics.query.calculated.model import COMPARISONS, Calculated, Op, Term
from stockverify.datasets import Type

_OPERATORS = {
    Op.ADD: "$add",
    Op.SUBTRACT: "$subtract",
    Op.MULTIPLY: "$multiply",
    Op.EQ: "$eq",
    Op.NE: "$ne",
    Op.LT: "$lt",
    Op.LTE: "$lte",
    Op.GT: "$gt",
    Op.GTE: "$gte",
}


def value_expression(term: Term) -> Any:
    """The value of a calculated field; or of what is compared. NaN sorts below all numbers here, and null too, so that
    both fail the first test."""
    found = _expression(term)
    if term.type is not Type.FLOAT or term.field is not None:
        return found
    inside = [{"$gte": ["$$v", -MAX_NUMBER]}, {"$lte": ["$$v", MAX_NUMBER]}]
    return {"$let": {"vars": {"v": found}, "in": {"$cond": [{"$and": inside}, "$$v", None]}}}


def _expression(term: Term) -> Any:
    if term.op is Op.LITERAL:
        return {"$literal": term.value}
    if term.field is not None:
        return _field(term)
    if term.op in COMPARISONS:
        return _comparison(term.op, [value_expression(operand) for operand in term.operands])
    parts = [_expression(operand) for operand in term.operands]
    match term.op:
        case Op.NOT:
            opposite = {"$cond": [{"$eq": ["$$v", None]}, None, {"$not": ["$$v"]}]}
            return {"$let": {"vars": {"v": parts[0]}, "in": opposite}}
        case Op.AND | Op.OR:
            return _several(parts, settles=term.op is Op.OR)
        case Op.NEGATE:
            return {"$multiply": [parts[0], -1.0]}
        case Op.DIVIDE:
            by_zero = {"$cond": [{"$eq": ["$$b", 0]}, None, {"$divide": ["$$a", "$$b"]}]}
            return {"$let": {"vars": {"a": parts[0], "b": parts[1]}, "in": by_zero}}
    if term.operands[0].type is Type.INSTANT:
        return {"$divide": [{"$subtract": parts}, 1000.0]}
    return {_OPERATORS[term.op]: parts}


def _field(term: Term) -> Any:
    """A missing field is null. Numbers may be stored as integers, with which MongoDB would calculate differently."""
    assert term.field is not None  # noqa: S101 - the caller looked
    path = f"${term.field.field}"
    if isinstance(term.field, Calculated):
        return path
    return {"$toDouble": path} if term.type is Type.FLOAT else {"$ifNull": [path, None]}


def _comparison(op: Op, parts: list[Any]) -> Any:
    missing = {"$in": [None, ["$$a", "$$b"]]}
    compared = {"$cond": [missing, None, {_OPERATORS[op]: ["$$a", "$$b"]}]}
    return {"$let": {"vars": {"a": parts[0], "b": parts[1]}, "in": compared}}


def _several(parts: list[Any], settles: bool) -> Any:
    """One false settles an `and`, one true an `or`, whatever else is null; otherwise one null makes it null."""
    branches = [
        {"case": {"$in": [settles, "$$v"]}, "then": settles},
        {"case": {"$in": [None, "$$v"]}, "then": None},
    ]
    return {"$let": {"vars": {"v": parts}, "in": {"$switch": {"branches": branches, "default": not settles}}}}
