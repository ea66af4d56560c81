"""A checked query as an aggregation pipeline for MongoDB, with the same meaning as its SQL.

It shows regular expressions as they were asked; what runs has them replaced (analytics.query.live says why).
"""

from typing import Any

from analytics.millionths import MILLION
from analytics.query.calculated.model import Calculated, Field
from analytics.query.calculated.pipeline import value_expression
from analytics.query.matches import Stage, matched
from analytics.query.model import Condition, Function, Key, Measure, Period, Query, key_path
from analytics.query.periods import period_expression
from stockverify.datasets import Type
from stockverify.errors import BadInput


class OnlyInSnapshots(BadInput):
    """{dataset} is derived when a snapshot is taken; query it on a snapshot instead of on live data."""


def pipeline(query: Query) -> list[Stage]:
    """The stages; rows come out in the shape of the contract. Raises OnlyInSnapshots."""
    if query.dataset.collection is None:
        raise OnlyInSnapshots(dataset=query.dataset.name)
    stored = [each for each in query.conditions if not isinstance(each.column, Calculated)]
    made = [each for each in query.conditions if isinstance(each.column, Calculated)]
    stages = [*_match(stored), *({"$set": {each.name: value_expression(each.term)}} for each in query.calculated)]
    stages += [*_match(made), *_groups(query)]
    stages += [{"$sort": _sort(query)}] if query.order else []
    stages += [{"$skip": query.skip}] if query.skip else []
    stages += [{"$limit": query.limit}] if query.limit is not None else []
    return stages if query.grouped else [*stages, {"$project": _project(query)}]


def _match(conditions: list[Condition] | tuple[Condition, ...]) -> list[Stage]:
    return [{"$match": {"$and": [matched(each) for each in conditions]}}] if conditions else []


def _groups(query: Query) -> list[Stage]:
    if not query.grouped:
        return []
    finished = {each.name: found for each in query.measures if (found := _finished(each)) is not None}
    return [{"$group": _group(query)}, *([{"$set": finished}] if finished else []), *_match(query.having)]


def _present(field: Field) -> Any:
    """A missing field is the same as null."""
    return {"$ifNull": [f"${field.field}", None]}


def _group(query: Query) -> Stage:
    keys = {key.name: _key(key) for key in query.group_by}
    key = next(iter(keys.values()), None) if len(keys) < 2 else keys
    measures = {measure.name: _measure(measure) for measure in query.measures}
    averaged = [measure for measure in query.measures if measure.function is Function.AVG]
    return {"_id": key, **measures, **{_counted(measure): _count(measure) for measure in averaged}}


def _key(key: Key) -> Any:
    return period_expression(key) if isinstance(key, Period) else _present(key)


def _measure(measure: Measure) -> Stage:
    match measure.function:
        case Function.COUNT:
            return _count(measure)
        case Function.COUNT_DISTINCT:
            return {"$addToSet": _present(measure.column)}
        case Function.SUM | Function.AVG:
            return {"$sum": f"${measure.column.field}" if measure.column.type is Type.INTEGER else _millionths(measure)}
    return {f"${measure.function}": f"${measure.column.field}"}


def _count(measure: Measure) -> Stage:
    return {"$sum": {"$cond": [{"$eq": [_present(measure.column), None]}, 0, 1]}}


def _counted(measure: Measure) -> str:
    """Where the group has how many values an average is of."""
    return f"{measure.name}_of"


def _millionths(measure: Measure) -> Stage:
    """Whole ones, rounded half up; units and fraction apart, which is exact for large numbers too. MongoDB adds up
    floats with an error in the last digit, and decimals without one as far as 34 digits."""
    scaled = {"$add": [{"$multiply": [{"$subtract": ["$$number", "$$units"]}, float(MILLION)]}, 0.5]}
    units = {"$multiply": [{"$toDecimal": {"$toLong": "$$units"}}, MILLION]}
    whole = {"$add": [units, {"$toLong": {"$floor": scaled}}]}
    path = f"${measure.column.field}"
    return {"$let": {"vars": {"number": path, "units": {"$floor": path}}, "in": whole}}


def _finished(measure: Measure) -> Stage | None:
    """What makes the result of what the group gave, unless that is it."""
    if measure.function is Function.COUNT_DISTINCT:
        return _distinct(measure)
    if measure.function not in (Function.SUM, Function.AVG):
        return None
    total: Any = f"${measure.name}"
    if measure.column.type is Type.FLOAT:
        total = {"$toDouble": {"$divide": [total, MILLION]}}
    if measure.function is Function.SUM:
        return total if measure.column.type is Type.FLOAT else None
    counted = f"${_counted(measure)}"
    return {"$cond": [{"$eq": [counted, 0]}, None, {"$divide": [total, counted]}]}


def _distinct(measure: Measure) -> Stage:
    """How many there are in the set of what was found, null apart."""
    found: Any = f"${measure.name}"
    if measure.column.type is Type.STRINGS:
        several = {"$setUnion": ["$$value", {"$ifNull": ["$$this", []]}]}
        found = {"$reduce": {"input": found, "initialValue": [], "in": several}}
    return {"$size": {"$setDifference": [found, [None]]}}


def _sort(query: Query) -> dict[str, int]:
    return {_sort_field(query, order.name): -1 if order.descending else 1 for order in query.order}


def _sort_field(query: Query, name: str) -> str:
    if not query.grouped:
        return next(field.field for field in query.fields if field.name == name)
    return key_path(query.group_by, name) if name in [key.name for key in query.group_by] else name


def _project(query: Query) -> Stage:
    return {"_id": 0, **{field.name: _present(field) for field in query.fields}}
