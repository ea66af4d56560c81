"""What becomes of book lines and counts, case by case."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from analytics.engine import engine_of
from analytics.extract import positions
from analytics.lake import Lake
from stockverify.clients import Document
from stockverify.datasets import COLLECTED, ITEMS
from tests.analytics.conftest import Take
from tests.analytics.lake.frozen import LINE, ONE, freeze
from tests.analytics.stock import NOW, item, record, session

LATER = NOW + timedelta(minutes=5)
UNCOUNTED = {
    "verified_qty": None,
    "damage_qty": None,
    "variance_qty": None,
    "variance_value": None,
    "counted": False,
    "round": None,
    "counted_by": None,
    "counted_at": None,
}


class Derive:
    """Freezes the documents and reads the positions."""

    def __init__(self, take: Take, lake: Lake) -> None:
        self._take, self._lake = take, lake

    def __call__(
        self, items: list[Document], records: list[Document], sessions: list[Document] | None = None
    ) -> list[dict[str, Any]]:
        documents = {"erp_items": items, "verification_records": records, "verification_sessions": sessions}
        taken = self._take(**{name: found for name, found in documents.items() if found})
        return pl.read_parquet(self._lake.files("positions", taken.snapshot_id), glob=False).to_dicts()


@pytest.fixture
def derive(take: Take, lake: Lake) -> Derive:
    return Derive(take, lake)


LARGE = 12345678901.123457


def test_large_quantities_keep_their_digits(derive: Derive) -> None:
    counted = [record("c-1", "R1", "a", LARGE, damage_qty=LARGE), record("c-2", "R2", "b", 0.1)]
    counted += [record(f"c-{number}", "R2", "b", LARGE) for number in range(3, 6)]
    found = derive([item("R1", "a", 12345678900.0), item("R2", "b", 1.14, unit_cost=1e10)], counted)
    assert [(row["book_qty"], row["verified_qty"], row["damage_qty"], row["variance_qty"]) for row in found] == [
        (12345678900.0, LARGE, LARGE, 1.123457),
        (1.14, 37037036703.470371, 0.0, 37037036702.330371),
    ]
    assert [row["variance_value"] for row in found] == [2.808643, 37037036702.330371 * 1e10]


def test_a_counted_line_whole(derive: Derive) -> None:
    found = derive([item("R1", "00123", 10)], [record("c-1", "R1", "00123", 8.5, damage_qty=1)])
    assert found == [
        {
            "floor": "Ground",
            "rack_id": "R1",
            "bin": "",
            "item_code": "00123",
            "item_name": "Item 00123",
            "category": "Tools",
            "subcategory": "Hand",
            "uom": "EA",
            "unit_cost": 2.5,
            "book_qty": 10.0,
            "verified_qty": 8.5,
            "damage_qty": 1.0,
            "variance_qty": -1.5,
            "variance_value": -3.75,
            "counted": True,
            "in_book": True,
            "round": 1,
            "counted_by": "ann",
            "counted_at": NOW,
        }
    ]


@pytest.mark.parametrize(
    "records",
    [
        [],
        [record("c-1", "R1", "a", 4, status="partial")],
        [record("c-1", "R1", "a", None, status="partial")],
        [record("c-1", None, "a", 4)],
        [record("c-1", "R1", "b", 4)],
    ],
    ids=["no record", "partial", "seen only", "without a rack", "another item"],
)
def test_a_line_that_is_not_counted(derive: Derive, records: list[Document]) -> None:
    found = derive([item("R1", "a", 4)], records)[0]
    assert {name: found[name] for name in UNCOUNTED} == UNCOUNTED
    assert (found["book_qty"], found["in_book"]) == (4.0, True)


def test_zero_is_a_count(derive: Derive) -> None:
    [found] = derive([item("R1", "a", 4)], [record("c-1", "R1", "a", 0)])
    assert (found["counted"], found["verified_qty"], found["variance_qty"]) == (True, 0.0, -4.0)


def test_records_of_a_line_add_up_and_the_latest_counter_is_named(derive: Derive) -> None:
    records = [
        record("c-1", "R1", "a", 0.1, damage_qty=0.1, username="bob", received_at=LATER),
        record("c-2", "R1", "a", 0.2, damage_qty=None, username="ann"),
        record("c-3", "R1", "a", 99, status="partial", username="eve", received_at=LATER + timedelta(1)),
    ]
    [found] = derive([item("R1", "a", 0.3)], records)
    assert (found["verified_qty"], found["variance_qty"], found["damage_qty"]) == (0.3, 0.0, 0.1)
    assert (found["counted_by"], found["counted_at"]) == ("bob", LATER)


def test_only_the_latest_round_of_each_rack_counts(derive: Derive) -> None:
    records = [
        record("c-1", "R1", "a", 1, round=1),
        record("c-2", "R1", "b", 2, round=1),
        record("c-3", "R1", "a", 5, round=2),
        record("c-4", "R2", "a", 7, round=1),
    ]
    found = derive([item("R1", "a", 1), item("R1", "b", 2), item("R2", "a", 7)], records)
    shown = [(line["rack_id"], line["item_code"], line["verified_qty"], line["round"]) for line in found]
    assert shown == [("R1", "a", 5.0, 2), ("R1", "b", None, None), ("R2", "a", 7.0, 1)]


def test_a_latest_round_with_only_partial_records_is_the_latest(derive: Derive) -> None:
    records = [record("c-1", "R1", "a", 1, round=1), record("c-2", "R1", "a", None, round=2, status="partial")]
    [found] = derive([item("R1", "a", 1)], records)
    assert (found["counted"], found["verified_qty"]) == (False, None)


def test_bins_are_lines_of_their_own_and_none_is_the_empty_bin(derive: Derive) -> None:
    items = [item("R1", "a", 1), item("R1", "a", 2, bin="7"), item("R1", "b", 3, bin=None)]
    records = [record("c-1", "R1", "a", 1, bin=None), record("c-2", "R1", "a", 9, bin="7"), record("c-3", "R1", "b", 3)]
    found = derive(items, records)
    shown = [(line["bin"], line["item_code"], line["book_qty"], line["verified_qty"]) for line in found]
    assert shown == [("", "a", 1.0, 1.0), ("", "b", 3.0, 3.0), ("7", "a", 2.0, 9.0)]


def test_an_item_that_the_book_has_in_another_rack(derive: Derive) -> None:
    found = derive([item("R2", "a", 4)], [record("c-1", "R1", "a", 3, uom="BOX", floor="Attic")])[0]
    named = (found["rack_id"], found["floor"], found["item_name"], found["category"], found["uom"])
    assert named == ("R1", "Attic", "Item a", "Tools", "EA")
    assert (found["in_book"], found["book_qty"], found["unit_cost"]) == (False, 0.0, 2.5)
    assert (found["variance_qty"], found["variance_value"]) == (3.0, 7.5)


def test_an_item_that_no_stock_list_knows(derive: Derive) -> None:
    [found] = derive([], [record("c-1", "R1", "x", None, status="partial", category="Toys", uom="KG")])
    assert (found["item_name"], found["category"], found["uom"], found["in_book"]) == (None, "Toys", "KG", False)
    assert {name: found[name] for name in UNCOUNTED} == UNCOUNTED


def test_codes_are_compared_exactly(derive: Derive) -> None:
    codes = ["123", "00123", " 123", "a", "A", "é", "e\u0301"]
    found = derive([item("R1", code, 1) for code in codes], [record(code, "R1", code, 1) for code in codes])
    assert [line["item_code"] for line in found] == sorted(codes, key=str.encode)
    assert {line["verified_qty"] for line in found} == {1.0}


def test_every_record_of_the_latest_round_is_in_exactly_one_position(derive: Derive) -> None:
    items = [item(f"R{number % 5}", str(number), number) for number in range(60)]
    records = [
        record(f"c-{number}", f"R{number % 7}", str(number % 90), 1 + number / 4, round=1 + number % 2 * (number % 3))
        for number in range(300)
    ]
    latest: dict[str, int] = {}
    for counted in records:
        latest[counted["rack_id"]] = max(latest.get(counted["rack_id"], 0), counted["round"])
    wanted = sum(counted["verified_qty"] for counted in records if counted["round"] == latest[counted["rack_id"]])
    found = derive(items, records)
    assert sum(line["verified_qty"] or 0 for line in found) == wanted
    assert sum(line["book_qty"] for line in found) == sum(line["book_qty"] for line in items)
    keys = [(line["rack_id"], line["bin"], line["item_code"]) for line in found]
    assert len(set(keys)) == len(keys)


def revalued(line: Document, *before: tuple[float, Any, Any]) -> Document:
    """A book line with the values it had before: quantity, from, until. The cost was half as high then."""
    kept = [
        {"book_qty": qty, "unit_cost": 1.25, "valid_from": since, "valid_until": until} for qty, since, until in before
    ]
    return line | {"versions": kept, "valid_from": before[-1][2]}


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def changed_twice(rack_id: str, item_code: str) -> Document:
    """A book line of 10, from minute 10 on of 20, from minute 20 on of 30."""
    return revalued(item(rack_id, item_code, 30), (10, None, at(10)), (20, at(10), at(20)))


CHANGED_TWICE = changed_twice("R1", "a")


@pytest.mark.parametrize(
    ("claimed", "book_qty", "unit_cost"),
    [(0, 10, 1.25), (9.99, 10, 1.25), (10, 20, 1.25), (19.99, 20, 1.25), (20, 30, 2.5), (99, 30, 2.5)],
)
def test_the_book_is_that_of_the_moment_of_the_claim(
    derive: Derive, claimed: float, book_qty: float, unit_cost: float
) -> None:
    [found] = derive([CHANGED_TWICE], [record("c", "R1", "a", 5)], [session("s", "R1", started_at=at(claimed))])
    seen = (found["book_qty"], found["unit_cost"], found["variance_qty"], found["variance_value"])
    assert seen == (book_qty, unit_cost, 5 - book_qty, (5 - book_qty) * unit_cost)


@pytest.mark.parametrize(
    ("sessions", "rounds", "book_qty"),
    [
        ([], [1], 30),
        ([("R2", 1, 0)], [1], 30),
        ([(None, 1, 0)], [1], 30),
        ([("R1", 1, 0)], [], 10),
        ([("R1", 1, 15), ("R1", 1, 0)], [1], 20),
        ([("R1", 1, 0), ("R1", 2, 15)], [1, 2], 20),
        ([("R1", 1, 0), ("R1", 2, 15)], [1], 10),
        ([("R1", 1, 0), ("R1", 2, 15)], [], 20),
        ([("R1", 1, 0)], [1, 2], 30),
        ([("R1", None, 15)], [1], 20),
    ],
    ids=[
        "never claimed",
        "another rack",
        "no rack",
        "claimed, not counted yet",
        "the last claim of the round, of a count whose session nobody knows",
        "the round that is shown",
        "the next round has no record yet",
        "no record at all",
        "the round was not claimed",
        "no round is the first",
    ],
)
def test_which_claim_decides(derive: Derive, sessions: list[Any], rounds: list[int], book_qty: float) -> None:
    records = [record(f"c-{number}", "R1", "a", 5, round=number) for number in rounds]
    claims = [
        session(f"claim-{number}", rack, round=turn, started_at=at(minutes))
        for number, (rack, turn, minutes) in enumerate(sessions)
    ]
    [found] = derive([CHANGED_TWICE], records, claims)
    assert (found["book_qty"], found["in_book"]) == (book_qty, True)


# Who claimed when (session, round, minute), who counted what (session, item, more), and the book of the lines a and b,
# which changed twice.
CLAIMED_AGAIN: dict[str, tuple[list[tuple[str, int, Any]], list[tuple[str | None, str, Document]], tuple[int, int]]] = {
    "given back uncounted": ([("one", 1, 0), ("two", 1, 15)], [("two", "a", {})], (20, 20)),
    "given back twice": ([("one", 1, 0), ("two", 1, 15), ("three", 1, 25)], [("three", "a", {})], (30, 30)),
    "given back when counted": ([("one", 1, 0), ("two", 1, 15)], [("one", "a", {})], (10, 10)),
    "counted in part by each": ([("one", 1, 0), ("two", 1, 15)], [("one", "a", {}), ("two", "b", {})], (10, 20)),
    "late work of who gave it back": (
        [("one", 1, 0), ("two", 1, 15)],
        [("one", "a", {"received_at": at(30)}), ("two", "c", {"received_at": at(16)})],
        (10, 20),
    ),
    "counted twice, the newer count": (
        [("one", 1, 0), ("two", 1, 15)],
        [("one", "a", {}), ("two", "a", {"received_at": at(16)})],
        (20, 20),
    ),
    "counted twice, the older count": (
        [("one", 1, 0), ("two", 1, 15)],
        [("one", "a", {"received_at": at(30)}), ("two", "a", {"received_at": at(16)})],
        (10, 20),
    ),
    "a note of the second is no count": (
        [("one", 1, 0), ("two", 1, 15)],
        [("one", "a", {}), ("two", "a", {"status": "partial", "received_at": at(16)})],
        (10, 20),
    ),
    "only notes of the first": ([("one", 1, 0), ("two", 1, 15)], [("one", "a", {"status": "partial"})], (10, 10)),
    "nobody counted": ([("one", 1, 0), ("two", 1, 15)], [], (20, 20)),
    "a session that nobody knows": ([("one", 1, 0), ("two", 1, 15)], [("gone", "a", {})], (20, 20)),
    "without a session": ([("one", 1, 0)], [(None, "a", {})], (10, 10)),
    "a session of the round before": (
        [("one", 1, 0), ("two", 2, 15)],
        [("one", "a", {"round": 2})],
        (20, 20),
    ),
    "of no known time": ([("one", 1, None)], [("one", "a", {})], (30, 30)),
    "a claim of no known time beside another": ([("one", 1, 0), ("two", 1, None)], [("two", "a", {})], (10, 10)),
}


def test_a_line_goes_by_the_claim_under_which_it_was_counted(derive: Derive) -> None:
    """All in one snapshot, each in a rack of its own."""
    lines, records, sessions = [], [], []
    for rack, (claims, counts, _) in CLAIMED_AGAIN.items():
        lines += [changed_twice(rack, code) for code in "ab"]
        sessions += [
            session(f"{name}, {rack}", rack, round=turn, started_at=None if when is None else at(when))
            for name, turn, when in claims
        ]
        records += [
            record(f"{number}, {rack}", rack, code, 4, session_id=name and f"{name}, {rack}", **more)
            for number, (name, code, more) in enumerate(counts)
        ]
    found = derive(lines, records, sessions)
    books = {(line["rack_id"], line["item_code"]): line["book_qty"] for line in found}
    assert {rack: (books[rack, "a"], books[rack, "b"]) for rack in CLAIMED_AGAIN} == {
        rack: wanted for rack, (_, _, wanted) in CLAIMED_AGAIN.items()
    }


# Versions of the book of the item in other racks (cost, from, until), when the rack was claimed in which it was found,
# and what it is said to cost there.
STRAYS: dict[str, tuple[list[list[tuple[float | None, Any, Any]]], int | None, float | None]] = {
    "one cost": ([[(5.0, None, None)], [(5.0, None, None)]], 0, 5.0),
    "two costs": ([[(5.0, None, None)], [(6.0, None, None)]], 0, None),
    "one cost, and a line without": ([[(5.0, None, None)], [(None, None, None)]], 0, 5.0),
    "no cost": ([[(None, None, None)]], 0, None),
    "nowhere in the book": ([], 0, None),
    "dearer after the claim": ([[(5.0, None, at(10)), (6.0, at(10), None)]], 0, 5.0),
    "dearer before the claim": ([[(5.0, None, at(10)), (6.0, at(10), None)]], 10, 6.0),
    "never claimed": ([[(5.0, None, at(10)), (6.0, at(10), None)]], None, 6.0),
    "two costs, later one": ([[(5.0, None, None)], [(6.0, None, at(10)), (5.0, at(10), None)]], 15, 5.0),
    "two costs, once one": ([[(5.0, None, None)], [(5.0, None, at(10)), (6.0, at(10), None)]], 0, 5.0),
    "known later": ([[(5.0, at(20), at(30)), (6.0, at(30), None)]], 0, 5.0),
}


def test_what_an_item_costs_where_the_book_does_not_have_it(derive: Derive) -> None:
    """Units that lie in another rack than they should are no loss. Each case is an item of its own, all in one rack for
    each time of a claim."""
    lines, records, minutes = [], [], {claimed for _, claimed, _ in STRAYS.values()}
    for code, (elsewhere, claimed, _) in STRAYS.items():
        for number, versions in enumerate(elsewhere):
            *before, (cost, since, _) = versions
            kept = [
                {"book_qty": 10, "unit_cost": cost, "valid_from": since, "valid_until": until}
                for cost, since, until in before
            ]
            more = {"unit_cost": cost, "valid_from": since, "versions": kept}
            lines.append(item("home", code, 10, bin=str(number), **more))
        records.append(record(code, f"found {claimed}", code, 10, session_id=f"s {claimed}"))
    sessions = [session(f"s {each}", f"found {each}", started_at=at(each)) for each in minutes if each is not None]
    found = {line["item_code"]: line for line in derive(lines, records, sessions) if line["rack_id"] != "home"}
    seen = {code: (line["unit_cost"], line["variance_value"], line["in_book"]) for code, line in found.items()}
    assert seen == {code: (cost, None if cost is None else 10 * cost, False) for code, (_, _, cost) in STRAYS.items()}


def test_a_line_that_came_after_the_claim_was_not_in_the_book(derive: Derive) -> None:
    lines = [item("R1", "a", 1, valid_from=at(0)), item("R1", "b", 2, valid_from=at(20))]
    found = derive(lines, [record("c", "R1", "b", 5)], [session("s", "R1", started_at=at(10))])
    shown = [(line["item_code"], line["in_book"], line["book_qty"], line["variance_qty"]) for line in found]
    assert shown == [("a", True, 1.0, None), ("b", False, 0.0, 5.0)]


def test_a_stock_list_that_was_imported_late_still_compares(derive: Derive) -> None:
    lines = [revalued(item("R1", "a", 9), (1, at(20), at(30))), item("R1", "b", 2, valid_from=at(40))]
    found = derive(lines, [record("c", "R1", "a", 5)], [session("s", "R1", started_at=at(10))])
    shown = [(line["item_code"], line["in_book"], line["book_qty"]) for line in found]
    assert shown == [("a", True, 1.0), ("b", True, 2.0)]


def test_what_items_are_called_and_cost_is_read_once_for_all_portions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each portion would else read the whole book: the cost of a snapshot would grow with the square of its size."""
    monkeypatch.setattr(positions, "_ROWS_AT_ONCE", 1)
    lines = [LINE | {"rack_id": f"R{number}", "item_code": f"I{number}"} for number in range(4)]
    freeze(tmp_path, ONE, *lines)
    files = {dataset.name: tuple((tmp_path / dataset.name / ONE).glob("*.parquet")) for dataset in COLLECTED}
    with engine_of(tmp_path) as engine:
        derived = positions.batches(engine, files, positions.all_racks(engine, files))
        first = next(derived)
        for path in files[ITEMS.name]:
            path.unlink()
        rows = pa.concat_tables([first, *derived]).to_pylist()
    assert [row["item_code"] for row in rows] == ["I0", "I1", "I2", "I3"]
