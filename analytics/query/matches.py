"""Conditions as MongoDB matches them."""

from typing import Any

from analytics.query.model import Condition, Operator
from stockverify.datasets import Type

Stage = dict[str, Any]
_LAST_SIGN, _SURROGATES = 0x10FFFF, range(0xD800, 0xE000)


def matched(condition: Condition) -> Stage:
    """The condition in a $match."""
    field, value = condition.column.field, condition.value
    match condition.operator:
        case Operator.EXISTS | Operator.IS_NULL:
            return {field: {"$ne" if value == (condition.operator is Operator.EXISTS) else "$eq": None}}
        case Operator.REGEX:
            return {field: {"$regex": value, "$options": "i"}}
        case Operator.CONTAINS:
            return {"$expr": _contains(condition)}
        case Operator.STARTS_WITH:
            return _in_one(condition, beginning(str(value)))
        case Operator.BETWEEN:
            low, high = value if isinstance(value, tuple) else (value, value)
            return {field: {"$gte": low, "$lte": high}}
        case Operator.IN | Operator.NIN:
            return {field: {f"${condition.operator}": list(value) if isinstance(value, tuple) else [value]}}
    return {field: {f"${condition.operator}": value}}


def beginning(text: str) -> dict[str, str]:
    """The range of all texts that begin with this one; MongoDB compares texts sign by sign. An index can serve it, and
    no sign means more than itself."""
    kept = text.rstrip(chr(_LAST_SIGN))
    if not kept:
        return {"$gte": text}
    following = ord(kept[-1]) + 1
    following = _SURROGATES.stop if following in _SURROGATES else following
    return {"$gte": text, "$lt": kept[:-1] + chr(following)}


def _in_one(condition: Condition, wanted: dict[str, str]) -> Stage:
    """Without $elemMatch one of several values might be above the lower end and another one below the upper end."""
    several = condition.column.type is Type.STRINGS
    return {condition.column.field: {"$elemMatch": wanted} if several else wanted}


def _contains(condition: Condition) -> Stage:
    """Position -1 is nowhere; that of null is null, which is below every number."""
    path, wanted = f"${condition.column.field}", {"$literal": condition.value}
    if condition.column.type is not Type.STRINGS:
        return {"$gte": [{"$indexOfBytes": [path, wanted]}, 0]}
    found = {"$map": {"input": {"$ifNull": [path, []]}, "in": {"$gte": [{"$indexOfBytes": ["$$this", wanted]}, 0]}}}
    return {"$anyElementTrue": [found]}
