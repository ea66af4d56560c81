from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from analytics.query import MAX_LIMIT, PREVIEW_LIMIT, checked
from analytics.query.model import Condition, Operator, Order
from stockverify.errors import BadInput
from stockverify.wire.reports import GroupBy, QuerySpec

NAMES = ("item_code", "verified_qty", "round", "unknown_item", "received_at", "serial_numbers")


def spec(collection: str = "records", **fields: Any) -> QuerySpec:
    return QuerySpec(collection=collection, **fields)


def conditions(**filters: Any) -> list[tuple[str, str, Any]]:
    found = checked(spec(filters=filters)).conditions
    return [(condition.column.name, condition.operator.value, condition.value) for condition in found]


def refusal(given: QuerySpec) -> str:
    with pytest.raises(BadInput) as caught:
        checked(given)
    return caught.value.message


@pytest.mark.parametrize(
    ("given", "culprit"),
    [
        (spec("users"), "no collection 'users'; use one of: verification_records, verification_sessions, erp_items"),
        (spec(filters={"password": 1}), "'password' in filters is not a field of verification_records"),
        (spec(group_by=["x; DROP TABLE"]), "'x; DROP TABLE' in group_by is not a field"),
        (spec(aggregations={"$where": "sum"}), "'$where' in aggregations is not a field"),
        (spec(sort={"nope": 1}), "'nope' in sort is not a field"),
        (
            spec(group_by=["floor"], sort={"rack_id": 1}),
            "'rack_id' in sort is not a field of the result; it has: _id, floor",
        ),
        (spec(filters={"floor": {"$eq": 1}}), "'$eq' in the filter on 'floor' is not an operator; use one of: eq, ne"),
        (spec(filters={"floor": {}}), "The filter on 'floor' needs a value, or operators with their values"),
        (spec(aggregations={"verified_qty": "median"}), "'median' for 'verified_qty' is not an aggregation"),
        (spec(aggregations={"floor": "sum"}), "sum cannot use 'floor', which is of type string"),
        (spec(aggregations={"received_at": "avg"}), "avg cannot use 'received_at', which is of type instant"),
        (spec(group_by=["serial_numbers"]), "group_by cannot use 'serial_numbers', which is of type strings"),
        (spec(sort={"serial_numbers": 1}), "sort cannot use 'serial_numbers'"),
        (spec(sort={"floor": 2}), "sort by 'floor' needs 1 (upwards) or -1 (downwards); it has 2"),
        (spec(limit=MAX_LIMIT + 1), "limit 10001 is above 10000; page with skip, or export a snapshot."),
        (
            spec(filters={"floor": {"exists": 1}}),
            "The filter on 'floor' needs true or false for exists and is_null; it has 1",
        ),
        (spec(filters={"floor": {"in": "a"}}), "needs a list of at most 1000 values; it has 'a'"),
        (spec(filters={"floor": {"nin": ["a"] * 1001}}), "needs a list of at most 1000 values"),
        (
            spec(filters={"floor": {"gt": None}}),
            "The filter on 'floor' needs a text of at most 4096 characters; it has None",
        ),
        (spec(filters={"unknown_item": {"gt": True}}), "an order comparison cannot use 'unknown_item'"),
        (spec(filters={"serial_numbers": {"lt": "a"}}), "an order comparison cannot use 'serial_numbers'"),
        (spec(filters={"verified_qty": {"regex": "1"}}), "regex cannot use 'verified_qty', which is of type float"),
        (spec(filters={"floor": 1}), "The filter on 'floor' needs a text of at most 4096 characters; it has 1"),
        (spec(filters={"floor": "x" * 4097}), "needs a text of at most 4096 characters"),
        (spec(filters={"floor": "\ud800"}), "needs a text of at most 4096 characters"),
        (spec(filters={"verified_qty": "1"}), "The filter on 'verified_qty' needs a finite number; it has '1'"),
        (spec(filters={"verified_qty": True}), "needs a finite number; it has True"),
        (spec(filters={"verified_qty": float("nan")}), "needs a finite number; it has nan"),
        (spec(filters={"verified_qty": 10**400}), "needs a finite number"),
        (spec(filters={"round": 2**60}), "needs a number between -2^53 and 2^53"),
        (spec(filters={"unknown_item": 1}), "needs true or false; it has 1"),
        (spec(filters={"received_at": "yesterday"}), "needs an ISO 8601 time or Unix seconds"),
        (spec(filters={"received_at": "2026-02-30"}), "needs an ISO 8601 time or Unix seconds"),
        (spec(filters={"received_at": "2026-02-30T08:00:00Z"}), "needs an ISO 8601 time or Unix seconds"),
        (spec(filters={"received_at": 1e300}), "needs an ISO 8601 time or Unix seconds"),
        (spec(filters={"received_at": [1]}), "needs an ISO 8601 time or Unix seconds"),
        (spec(filters={"verified_qty": {"in": [1, "x"]}}), "needs a finite number; it has 'x'"),
        (spec(filters={"verified_qty": {"between": 1}}), "needs a list of two values for between"),
        (spec(filters={"verified_qty": {"between": [1, 2, 3]}}), "needs a list of two values for between"),
        (spec(filters={"verified_qty": {"between": [1, None]}}), "needs a finite number; it has None"),
        (spec(filters={"serial_numbers": {"between": ["a", "b"]}}), "an order comparison cannot use 'serial_numbers'"),
        (
            spec(filters={"verified_qty": {"contains": "1"}}),
            "a filter cannot use 'verified_qty', which is of",
        ),
        (spec(filters={"floor": {"starts_with": None}}), "The filter on 'floor' needs a text"),
        (spec(filters={"floor": {"contains": 1}}), "The filter on 'floor' needs a text"),
        (spec(filters={"floor": {"is_null": "yes"}}), "needs true or false for exists and is_null; it has 'yes'"),
        (spec(group_by=[GroupBy(field="floor", by="day")]), "group_by day cannot use 'floor', which is of type string"),
        (spec(group_by=[GroupBy(field="nope", by="day")]), "'nope' in group_by is not a field"),
        (
            spec(group_by=[GroupBy(field="received_at", by="year")]),
            "'year' in group_by for 'received_at' is not a period; use one of: day, week, month.",
        ),
        (
            spec(group_by=[GroupBy(field="received_at", by="day", zone="Mars/Olympus")]),
            "'Mars/Olympus' in group_by for 'received_at' is not a time zone; use an IANA name such as Europe/Vienna",
        ),
        (spec(group_by=[GroupBy(field="received_at", by="day", zone="../x")]), "'../x' in group_by for 'received_at'"),
        (
            spec(
                group_by=[
                    GroupBy(field="received_at", by="day"),
                    GroupBy(field="received_at", by="day", zone="Asia/Tokyo"),
                ]
            ),
            "Two columns of the result would be called 'received_at_day'",
        ),
        (spec(aggregations={"mrp": ["sum", "median"]}), "'median' for 'mrp' is not an aggregation"),
        (spec(aggregations={"mrp": []}), "aggregations of 'mrp' is empty; name one of: sum, avg"),
        (spec(aggregations={"serial_numbers": "max"}), "aggregations cannot use 'serial_numbers'"),
        (spec(having={"mrp": 1}), "having looks at groups, and there are none; give group_by or aggregations"),
        (
            spec(group_by=["floor"], having={"mrp_sum": 1}),
            "'mrp_sum' in having is not a field of the result; it has: floor.",
        ),
        (
            spec(group_by=["floor"], having={"floor": {"regex": "a"}}),
            "regex in having cannot use 'floor', which is of type string: there it would need all groups at once",
        ),
        (spec(aggregations={"mrp": "sum"}, having={"mrp_sum": "x"}), "The filter on 'mrp_sum' needs a finite number"),
        (spec(limit=10**9), "limit 1000000000 is above 10000; page with skip, or export a snapshot."),
        (spec(group_by=["floor"] * 51), "group_by has 51 fields; at most 50 are allowed."),
    ],
)
def test_a_refusal_names_the_culprit(given: QuerySpec, culprit: str) -> None:
    assert culprit in refusal(given)


def test_too_many_filters() -> None:
    assert "filters has 101 fields; at most 100" in refusal(spec(filters={str(n): 1 for n in range(101)}))


def test_values_are_read_as_their_columns_type() -> None:
    assert conditions(verified_qty=3, round={"gte": 2}) == [("verified_qty", "eq", 3.0), ("round", "gte", 2.0)]
    assert conditions(floor=None, unknown_item=False) == [("floor", "eq", None), ("unknown_item", "eq", False)]
    assert conditions(serial_numbers={"in": ["a", None]}) == [("serial_numbers", "in", ("a", None))]
    assert conditions(verified_qty={"gt": 1, "lt": 5}) == [("verified_qty", "gt", 1.0), ("verified_qty", "lt", 5.0)]


@pytest.mark.parametrize(
    "given",
    [
        "2026-01-31T18:00:00.123456Z",
        "2026-01-31T19:00:00.123999+01:00",
        "2026-01-31T18:00:00.1239",
        datetime(2026, 1, 31, 20, 0, 0, 123_999, timezone(timedelta(hours=2))),
        datetime(2026, 1, 31, 18, 0, 0, 123_000, UTC).timestamp(),
    ],
)
def test_instants_are_utc_to_the_millisecond(given: Any) -> None:
    assert conditions(received_at=given) == [("received_at", "eq", datetime(2026, 1, 31, 18, 0, 0, 123_000, UTC))]


def test_aliases_and_limits() -> None:
    assert checked(spec("items")).dataset.name == "erp_items"
    assert checked(spec("sessions")).dataset.name == "verification_sessions"
    assert (
        checked(spec()).limit,
        checked(spec(), PREVIEW_LIMIT).limit,
        checked(spec(limit=7), PREVIEW_LIMIT).limit,
    ) == (
        None,
        100,
        7,
    )


def test_the_order_ends_with_the_key() -> None:
    assert checked(spec("items")).order == (Order("rack_id"), Order("bin"), Order("item_code"))
    assert checked(spec("items", sort={"bin": -1, "floor": 1})).order == (
        Order("bin", True),
        Order("floor"),
        Order("rack_id"),
        Order("item_code"),
    )
    grouped = {"group_by": ["floor", "rack_id"], "aggregations": {"round": "max"}}
    assert checked(spec(**grouped, sort={"round_max": -1})).order == (
        Order("round_max", True),
        Order("floor"),
        Order("rack_id"),
    )
    assert checked(spec(**grouped, sort={"_id": -1})).order == (Order("floor", True), Order("rack_id", True))
    assert checked(spec(**grouped, sort={"rack_id": -1})).order == (Order("rack_id", True), Order("floor"))
    assert checked(spec(aggregations={"round": "max"}, sort={"_id": 1})).order == ()


def test_a_condition_keeps_what_was_asked() -> None:
    [found] = checked(spec(filters={"item_code": {"regex": "^0+1$"}})).conditions
    assert isinstance(found, Condition)
    assert (found.operator, found.value) == (Operator.REGEX, "^0+1$")
