"""A checked query as an aggregation pipeline for MongoDB, with the same meaning as its SQL.

It shows regular expressions as they were asked; what runs has them replaced (analytics.query.live says why).
"""

from typing import Any

from analytics.query.model import Condition, Function, Measure, Operator, Query
from stockverify.datasets import Column
from stockverify.errors import BadInput

Stage = dict[str, Any]


class OnlyInSnapshots(BadInput):
    """{dataset} is derived when a snapshot is taken; query it on a snapshot instead of on live data."""


def pipeline(query: Query) -> list[Stage]:
    """The stages; rows come out in the shape of the contract. Raises OnlyInSnapshots."""
    if query.dataset.collection is None:
        raise OnlyInSnapshots(dataset=query.dataset.name)
    conditions = [_match(condition) for condition in query.conditions]
    stages: list[Stage] = [{"$match": {"$and": conditions}}] if conditions else []
    if query.grouped:
        stages.append({"$group": _group(query)})
    if query.order:
        stages.append({"$sort": _sort(query)})
    stages += [{"$skip": query.skip}] if query.skip else []
    stages += [{"$limit": query.limit}] if query.limit is not None else []
    return stages if query.grouped else [*stages, {"$project": _project(query)}]


def _match(condition: Condition) -> Stage:
    field, value = condition.column.field, condition.value
    match condition.operator:
        case Operator.EXISTS:
            return {field: {"$ne" if value else "$eq": None}}
        case Operator.REGEX:
            return {field: {"$regex": value, "$options": "i"}}
        case Operator.IN | Operator.NIN:
            return {field: {f"${condition.operator}": list(value) if isinstance(value, tuple) else [value]}}
    return {field: {f"${condition.operator}": value}}


def _present(column: Column) -> Stage:
    """A missing field is the same as null."""
    return {"$ifNull": [f"${column.field}", None]}


def _group(query: Query) -> Stage:
    keys = {column.name: _present(column) for column in query.group_by}
    key = next(iter(keys.values()), None) if len(keys) < 2 else keys
    return {"_id": key, **{measure.name: _measure(measure) for measure in query.measures}}


def _measure(measure: Measure) -> Stage:
    if measure.function is Function.COUNT:
        return {"$sum": {"$cond": [{"$eq": [_present(measure.column), None]}, 0, 1]}}
    return {f"${measure.function}": f"${measure.column.field}"}


def _sort(query: Query) -> dict[str, int]:
    return {_sort_field(query, order.name): -1 if order.descending else 1 for order in query.order}


def _sort_field(query: Query, name: str) -> str:
    if not query.grouped:
        return next(column.field for column in query.dataset.columns if column.name == name)
    if name not in [column.name for column in query.group_by]:
        return name
    return "_id" if len(query.group_by) == 1 else f"_id.{name}"


def _project(query: Query) -> Stage:
    columns = query.dataset.columns
    return {"_id": 0, **{column.name: _present(column) for column in columns}}
