"""What the newer parts of a query mean, said by Python, on both engines."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics.query import checked, run_live
from stockverify.datasets import RECORDS
from stockverify.wire.reports import GroupBy, QuerySpec
from tests.analytics.conftest import Store, Take
from tests.analytics.query.drawn import INSTANTS, TEXTS, ZONES
from tests.analytics.query.test_engines import Both, Keep, agree, keep
from tests.analytics.query.varied import varied
from tests.analytics.stock import NOW, record

__all__ = ["keep"]  # the fixture
ROWS = list(varied())
PIECES = ("", "a", "A", "%", "_", "*", ".", "$floor", "É", "\u0301", "e", "\uffff", "\U0010ffff", "b\n", "00", "xyz")


@pytest.fixture(scope="module")
def both(keep: Keep) -> Both:
    """Both engines over these rows."""
    return keep({RECORDS.name: varied()})


def ids(both: Both, **filters: Any) -> set[str]:
    return {row["client_record_id"] for row in agree(both, QuerySpec(collection="records", filters=filters))}


@pytest.mark.parametrize("piece", PIECES)
def test_pieces_of_texts_are_taken_as_they_are(both: Both, piece: str) -> None:
    assert piece == "xyz" or any(piece in text for text in TEXTS)
    for operator, holds in (("contains", str.__contains__), ("starts_with", str.startswith)):
        one = {row["_id"] for row in ROWS if holds(row["item_code"], piece)}
        any_of = {row["_id"] for row in ROWS if any(holds(text, piece) for text in row.get("serial_numbers") or [])}
        assert ids(both, item_code={operator: piece}) == one
        assert ids(both, serial_numbers={operator: piece}) == any_of


def test_one_of_several_values_has_to_begin_so_by_itself(take: Take, lake: Any, db: Store) -> None:
    taken = take(verification_records=[record("c-1", "R1", "a", 1, serial_numbers=["a", "z"])])
    assert ids(Both(db, lake, taken.snapshot_id), serial_numbers={"starts_with": "k"}) == set()


def test_between_has_both_ends_in(both: Both) -> None:
    within = {row["_id"] for row in ROWS if row["verified_qty"] is not None and 1 <= row["verified_qty"] <= 2.5}
    assert ids(both, verified_qty={"between": [1, 2.5]}) == within != set()
    assert ids(both, verified_qty={"between": [2.5, 1]}) == set()
    early = {row["_id"] for row in ROWS if "a" <= (row.get("floor") or "") <= "ab"}
    assert ids(both, floor={"between": ["a", "ab"]}) == early != set()


def test_is_null_is_also_what_is_missing(both: Both) -> None:
    absent = {row["_id"] for row in ROWS if row.get("serial_numbers") is None}
    assert ids(both, serial_numbers={"is_null": True}) == absent
    assert ids(both, serial_numbers={"is_null": False}) == {row["_id"] for row in ROWS} - absent
    assert {"serial_numbers" in row for row in ROWS if row["_id"] in absent} == {True, False}


def first_day(moment: datetime, by: str, zone: str) -> str:
    """Where a date would not exist any more, the last one that does stands for it."""
    try:
        local = moment.astimezone(ZoneInfo(zone)).date()
    except OverflowError:
        local = date.min if moment.year == 1 else date.max
    begun = {"day": local, "week": local - timedelta(days=local.weekday()), "month": local.replace(day=1)}
    return begun[by].isoformat()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("by", ["day", "week", "month"])
def test_periods_are_those_of_the_calendar_in_the_zone(both: Both, by: str, zone: str) -> None:
    wanted: dict[str | None, int] = defaultdict(int)
    for row in ROWS:
        moment = row.get("created_at")
        wanted[first_day(moment, by, zone) if moment else None] += 1
    key = GroupBy(field="created_at", by=by, zone=zone)
    spec = QuerySpec(collection="records", group_by=[key], aggregations={"client_record_id": "count"})
    assert {row["_id"]: row["client_record_id_count"] for row in agree(both, spec)} == wanted
    assert len(wanted) > len(INSTANTS) // 2


def test_several_keys_are_an_object_with_the_period_by_its_name(both: Both) -> None:
    keys = ["round", GroupBy(field="received_at", by="month")]
    having = {"received_at_month": {"starts_with": "2026-01"}, "round": {"lt": 3}}
    spec = QuerySpec(collection="records", group_by=keys, having=having, sort={"received_at_month": -1, "round": -1})
    assert agree(both, spec) == [
        {"_id": {"round": 2, "received_at_month": "2026-01-01"}},
        {"_id": {"round": 1, "received_at_month": "2026-01-01"}},
    ]


def test_distinct_counts_leave_null_out_and_open_lists(take: Take, lake: Any, db: Store) -> None:
    taken = take(
        verification_records=[
            record("c-1", "R1", "a", 0.0, serial_numbers=["x", "y", "x"], floor=None),
            record("c-2", "R1", "b", -0.0, serial_numbers=["y", "z"]),
            record("c-3", "R1", "b", 3, serial_numbers=[]),
            record("c-4", "R1", "a", 3.0, serial_numbers=None, received_at=datetime(1850, 1, 1, tzinfo=UTC)),
        ]
    )
    fields = dict.fromkeys(
        ("verified_qty", "serial_numbers", "floor", "received_at", "uom", "item_code"), "count_distinct"
    )
    assert agree(Both(db, lake, taken.snapshot_id), QuerySpec(collection="records", aggregations=fields)) == [
        {
            "_id": None,
            "verified_qty_count_distinct": 2,
            "serial_numbers_count_distinct": 3,
            "floor_count_distinct": 1,
            "received_at_count_distinct": 2,
            "uom_count_distinct": 0,
            "item_code_count_distinct": 2,
        }
    ]


VALUES: dict[str, float | bool | None] = {
    "verified_qty / damage_qty": None,
    "damage_qty / verified_qty": 0.0,
    "verified_qty / 3 * 3": 2.5,
    "-verified_qty - -1": -1.5,
    "1 - 2 - 3": -4.0,
    "7 - 2 * 3": 1.0,
    "8 / 2 / 2": 2.0,
    "mrp + 1": None,
    "mrp * 0": None,
    "round + 0.5": 1.5,
    "9e12 + 1": None,
    "9e12 - 1": 8_999_999_999_999.0,
    "1e300 * 1e300 / 1e300": None,
    "9.1e12": None,
    "1e300": None,
    "1e300 > 0": None,
    "received_at - created_at": 90.25,
    "mrp = 1": None,
    "mrp != mrp": None,
    "mrp > 1 and false": False,
    "mrp > 1 or true": True,
    "mrp > 1 and true": None,
    "mrp > 1 or false": None,
    "not mrp > 1": None,
    "not (true and false)": True,
    "not true and false": False,
    "false and false or true": True,
    "true or true and false": True,
    "(verified_qty > 2) = unknown_item": False,
    "floor = 'Ground'": True,
    "floor < 'ground' and floor >= \"Ground\"": True,
    "1e300 * 1e300 > 0": None,
    "received_at > '2026-01-31T18:30:00Z'": True,
    "received_at > '2026-01-31T20:00:00+01:00'": False,
}


def test_what_expressions_give(take: Take, lake: Any, db: Store) -> None:
    later = datetime(2026, 1, 31, 18, 30, 15, 250_000, UTC)
    sent = later - timedelta(seconds=90.25)
    taken = take(verification_records=[record("c-1", "R1", "a", 2.5, received_at=later, created_at=sent)])
    for first in range(0, len(VALUES), 20):
        texts = dict(zip((f"f{n}" for n in range(20)), list(VALUES)[first : first + 20], strict=False))
        [row] = agree(Both(db, lake, taken.snapshot_id), QuerySpec(collection="records", calculated=texts))
        assert {text: row[name] for name, text in texts.items()} == {text: VALUES[text] for text in texts.values()}


def test_calculated_fields_are_filtered_grouped_summed_and_sorted_by(take: Take, lake: Any, db: Store) -> None:
    quantities = (3, 10, None, 0, 5)
    taken = take(
        verification_records=[
            record(f"c-{number}", "R1", "a", quantity, damage_qty=1) for number, quantity in enumerate(quantities)
        ]
    )
    snapshot = Both(db, lake, taken.snapshot_id)
    texts = {"share": "damage_qty / verified_qty", "bad": "share >= 0.2"}
    rows = agree(snapshot, QuerySpec(collection="records", calculated=texts, sort={"share": -1}))
    assert [(row["client_record_id"], row["share"], row["bad"]) for row in rows] == [
        ("c-0", 1 / 3, True),
        ("c-4", 0.2, True),
        ("c-1", 0.1, False),
        ("c-2", None, None),
        ("c-3", None, None),
    ]
    grouped = QuerySpec(
        collection="records",
        calculated=texts,
        filters={"share": {"exists": True}},
        group_by=["bad"],
        aggregations={"share": ["sum", "avg", "max", "count_distinct"]},
        having={"share_sum": {"gt": 0.1}},
    )
    assert agree(snapshot, grouped) == [
        {
            "_id": True,
            "share_sum": 0.533333,
            "share_avg": 0.2666665,
            "share_max": 1 / 3,
            "share_count_distinct": 2,
        }
    ]


def test_sums_do_not_depend_on_the_order_and_know_their_last_digit(take: Take, lake: Any, db: Store) -> None:
    small = [0.1] * 10 + [-0.000_000_4, 0.000_000_5, -0.000_001]
    records = [record(f"s-{number:02}", "R1", "a", amount, round=2) for number, amount in enumerate(small)]
    amounts = [1e12, 0.25, -1e12] + [999_999_999_999.75] * 20
    records += [record(f"c-{number:02}", "R1", "a", amount) for number, amount in enumerate(amounts)]
    taken = take(verification_records=records)
    spec = QuerySpec(collection="records", group_by=["round"], aggregations={"verified_qty": ["sum", "avg"]})
    assert agree(Both(db, lake, taken.snapshot_id), spec) == [
        {"_id": 1, "verified_qty_sum": 19_999_999_999_995.25, "verified_qty_avg": 19_999_999_999_995.25 / 23},
        {"_id": 2, "verified_qty_sum": 1.0, "verified_qty_avg": 1 / 13},
    ]


def test_minus_zero_is_shown_as_zero(take: Take, lake: Any, db: Store) -> None:
    taken = take(verification_records=[record("c-1", "R1", "a", -0.0), record("c-2", "R1", "a", 0.0, damage_qty=-0.0)])
    spec = QuerySpec(collection="records", calculated={"opposite": "-verified_qty"})
    frozen = agree(Both(db, lake, taken.snapshot_id), spec)
    live = run_live(db, checked(spec), NOW).rows()
    for row in (*frozen, *live):
        assert str([row["verified_qty"], row["damage_qty"], row["opposite"]]) == "[0.0, 0.0, 0.0]"
