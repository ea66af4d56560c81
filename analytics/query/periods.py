"""The first day of an instant's period in a zone, as an ISO date: once as SQL, once as an expression of MongoDB.

Both add to the instant what local time is ahead (analytics.query.offsets), and cut the result as if it were UTC.
Before the year 1 and after 9999 there are no dates, so local time stops at these ends.
"""

from typing import Any
from zoneinfo import ZoneInfo

import sqlglot
from sqlglot import exp

from analytics.query.model import Period
from analytics.query.offsets import Rule, offsets

_BEGIN, _END = -62_135_596_800_000, 253_402_300_799_999
_FORMAT = "%Y-%m-%d"


def period_sql(period: Period) -> exp.Expr:
    """The date, as text; null for null."""
    at = f"epoch_ms({exp.to_identifier(period.column.name, quoted=True).sql('duckdb')})"
    local = f"greatest(least({at} + {_ahead_sql(period, at)}, {_END}), {_BEGIN})"
    date = f"strftime(date_trunc('{period.by.value}', epoch_ms({local})), '{_FORMAT}')"
    return sqlglot.parse_one(f"CASE WHEN {at} IS NOT NULL THEN {date} END", dialect="duckdb")


def _ahead_sql(period: Period, at: str) -> str:
    table = offsets(ZoneInfo(period.zone))
    cases = [f"WHEN {at} >= {table.rule.since} THEN {_rule_sql(table.rule, at)}"] if table.rule else []
    cases += [f"WHEN {at} >= {step.since} THEN {step.ahead}" for step in reversed(table.steps)]
    return f"CASE {' '.join(cases)} ELSE {table.first} END" if cases else str(table.first)


def _rule_sql(rule: Rule, at: str) -> str:
    year = f"year(epoch_ms({at}))"
    leap = f"dayofyear(make_date({year}, 12, 31)) - 365"
    kind = f"isodow(make_date({year}, 1, 1)) + 7 * ({leap})"
    within = f"{at} - epoch_ms(make_date({year}, 1, 1))"
    summer = f"{within} >= {list(rule.begins)}[{kind}] AND {within} < {list(rule.ends)}[{kind}]"
    return f"CASE WHEN {summer} THEN {rule.summer} ELSE {rule.ahead} END"


def period_expression(period: Period) -> dict[str, Any]:
    """The date, as text; null for null or a missing field."""
    at = {"$toLong": f"${period.column.field}"}
    local = {"$max": [{"$min": [{"$add": ["$$at", _ahead(period)]}, _END]}, _BEGIN]}
    cut = {"$dateTrunc": {"date": {"$toDate": local}, "unit": period.by.value, "startOfWeek": "monday"}}
    date = {"$dateToString": {"date": cut, "format": _FORMAT}}
    return {"$let": {"vars": {"at": at}, "in": {"$cond": [{"$eq": ["$$at", None]}, None, date]}}}


def _ahead(period: Period) -> Any:
    table = offsets(ZoneInfo(period.zone))
    cases: list[tuple[int, Any]] = [(table.rule.since, _rule(table.rule))] if table.rule else []
    cases += [(step.since, step.ahead) for step in reversed(table.steps)]
    branches = [{"case": {"$gte": ["$$at", since]}, "then": ahead} for since, ahead in cases]
    return {"$switch": {"branches": branches, "default": table.first}} if branches else table.first


def _rule(rule: Rule) -> dict[str, Any]:
    year = {"$year": {"$toDate": "$$at"}}
    first, last = ({"$dateFromParts": {"year": year, "month": month, "day": day}} for month, day in ((1, 1), (12, 31)))
    leap = {"$subtract": [{"$dayOfYear": last}, 365]}
    kind = {"$add": [{"$isoDayOfWeek": first}, -1, {"$multiply": [leap, 7]}]}
    within = {"$subtract": ["$$at", {"$toLong": first}]}
    begins, ends = ({"$arrayElemAt": [list(moments), "$$kind"]} for moments in (rule.begins, rule.ends))
    summer = {"$and": [{"$gte": ["$$within", begins]}, {"$lt": ["$$within", ends]}]}
    variables = {"kind": kind, "within": within}
    return {"$let": {"vars": variables, "in": {"$cond": [summer, rule.summer, rule.ahead]}}}
