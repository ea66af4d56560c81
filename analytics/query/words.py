"""A checked query in the words in which it was asked."""

from collections.abc import Iterable
from typing import Any

from analytics.query.model import Condition, Key, Period, Query


def described(query: Query) -> dict[str, Any]:
    """The spec of a query, complete: aliases and `_id` are resolved, and sort ends with the key."""
    aggregations: dict[str, list[str]] = {}
    for measure in query.measures:
        aggregations.setdefault(measure.column.name, []).append(measure.function.value)
    return {
        "collection": query.dataset.name,
        "calculated": {field.name: field.text for field in query.calculated},
        "filters": _conditions(query.conditions),
        "group_by": [_key(key) for key in query.group_by],
        "aggregations": {name: found[0] if len(found) == 1 else found for name, found in aggregations.items()},
        "having": _conditions(query.having),
        "sort": {order.name: -1 if order.descending else 1 for order in query.order},
        "limit": query.limit,
        "skip": query.skip,
    }


def _conditions(conditions: Iterable[Condition]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        value = list(condition.value) if isinstance(condition.value, tuple) else condition.value
        found.setdefault(condition.column.name, {})[condition.operator.value] = value
    return found


def _key(key: Key) -> str | dict[str, str]:
    if isinstance(key, Period):
        return {"field": key.column.name, "by": key.by.value, "zone": key.zone}
    return key.name
