"""One query, two engines: equal rows from live MongoDB and from the Parquet files of the same moment.

ENGINE_EXAMPLES=4000 in the environment draws so many queries instead of 30.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pymongo import MongoClient

from analytics.extract import materialise
from analytics.lake import Lake
from analytics.query import checked, described, live, run, run_live
from stockverify.clients import Document, database
from stockverify.datasets import RECORDS
from stockverify.services.embedded import Backends
from stockverify.wire.reports import QuerySpec
from tests.analytics.conftest import Store, Take
from tests.analytics.query.drawn import PATTERNS, TIMES, specs
from tests.analytics.query.varied import ASKED, SETS, drawn, varied
from tests.analytics.stock import NOW, item, record, session


class Both(NamedTuple):
    """A database, and the snapshot of it."""

    db: Store
    lake: Lake
    snapshot_id: str


Keep = Callable[[Mapping[str, Iterable[Document]]], Both]


@pytest.fixture(scope="module")
def keep(embedded: Backends, mongo: "MongoClient[Document]", tmp_path_factory: pytest.TempPathFactory) -> Keep:
    """Stores documents by their collections in a database of their own, and takes the snapshot of it."""

    def kept(documents: Mapping[str, Iterable[Document]]) -> Both:
        db = database(mongo, msgspec.structs.replace(embedded.settings, mongodb_database=f"engines_{uuid4().hex[:12]}"))
        for name, each in documents.items():
            db[name].insert_many(each)
        lake = Lake(Path(tmp_path_factory.mktemp("lake")))
        return Both(db, lake, materialise(lake, db, NOW).snapshot_id)

    return kept


@pytest.fixture(scope="module")
def both(keep: Keep) -> Both:
    """One database for all examples."""
    return keep({each.name: [*(varied() if each is RECORDS else ()), *drawn(each)] for each in ASKED})


def agree(both: Both, spec: QuerySpec) -> list[dict[str, Any]]:
    """The rows, which both engines must give alike."""
    query = checked(spec)
    live, frozen = run_live(both.db, query, NOW), run(both.lake, both.snapshot_id, query)
    assert_frame_equal(live.frame, frozen.frame, check_exact=True)
    assert (live.snapshot_id, frozen.snapshot_id) == (None, both.snapshot_id)
    return frozen.rows()


@settings(
    max_examples=int(os.environ.get("ENGINE_EXAMPLES", "30")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(spec=st.sampled_from([RECORDS, *ASKED]).flatmap(specs), rack=st.sampled_from([None, *SETS]))
def test_both_engines_give_equal_rows(both: Both, spec: QuerySpec, rack: str | None) -> None:
    """On all rows, and on one of ten lists of rows that were drawn."""
    if rack:
        spec = msgspec.structs.replace(spec, filters=spec.filters | {"rack_id": rack})
    note(msgspec.json.encode(spec).decode())
    agree(both, spec)
    query = checked(spec)
    assert checked(msgspec.convert(described(query), QuerySpec)) == query


# One column of each type, with nulls, missing fields, and a value that some rows have.
SAMPLES: dict[str, Any] = {
    "floor": "a",
    "mrp": 2.5,
    "round": 2,
    "unknown_item": True,
    "received_at": TIMES[0],
    "serial_numbers": "a",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_both_engines_compare_alike(both: Both, name: str) -> None:
    value = SAMPLES[name]
    filters: list[dict[str, Any]] = [{operator: found} for operator in ("eq", "ne") for found in (value, None)]
    filters += [{op: found} for op in ("in", "nin") for found in ([], [value], [None], [value, None])]
    filters += [{"exists": True}, {"exists": False}]
    if name not in ("unknown_item", "serial_numbers"):
        filters += [{operator: value} for operator in ("gt", "gte", "lt", "lte")]
    sizes = {
        str(wanted): len(agree(both, QuerySpec(collection="records", filters={name: wanted}))) for wanted in filters
    }
    everything = len(agree(both, QuerySpec(collection="records")))
    for one, other in (("eq", "ne"), ("in", "nin")):
        shown = value if one == "eq" else [value]
        assert 0 < sizes[str({one: shown})] == everything - sizes[str({other: shown})]
    assert sizes[str({"exists": True})] + sizes[str({"exists": False})] == everything


def test_any_of_several_serial_numbers_is_enough(both: Both) -> None:
    def found(wanted: Any) -> set[str]:
        spec = QuerySpec(collection="records", filters={"serial_numbers": wanted})
        return {row["client_record_id"] for row in agree(both, spec)}

    assert found({"in": ["", "A"]}) == found("") | found("A")
    assert found("A") < found("")
    assert found({"nin": ["", "A"]}) == (found({"exists": True}) | found(None)) - found({"in": ["", "A"]})


@pytest.mark.parametrize("names", [("floor",), ("floor", "mrp"), ("received_at", "unknown_item", "floor"), ()])
def test_both_engines_group_alike(both: Both, names: tuple[str, ...]) -> None:
    for function in ("count", "min", "max", "sum", "avg"):
        spec = QuerySpec(collection="records", group_by=list(names), aggregations={"mrp": function, "round": function})
        assert agree(both, spec)


def test_the_sum_and_the_average_of_one_number_is_that_number(both: Both) -> None:
    functions = ["sum", "avg", "max"]
    spec = QuerySpec(collection="records", group_by=["client_record_id"], aggregations={"verified_qty": functions})
    rows = [row for row in agree(both, spec) if row["verified_qty_max"] is not None]
    assert len(rows) > 300
    assert [(row["verified_qty_sum"], row["verified_qty_avg"]) for row in rows] == [
        (row["verified_qty_max"], row["verified_qty_max"]) for row in rows
    ]


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "serial_numbers"])
def test_both_engines_sort_alike(both: Both, name: str) -> None:
    for direction in (1, -1):
        agree(both, QuerySpec(collection="records", sort={name: direction}, limit=50, skip=20))
        agree(
            both, QuerySpec(collection="records", group_by=[name], aggregations={"mrp": "sum"}, sort={"_id": direction})
        )


@pytest.mark.parametrize("pattern", PATTERNS)
def test_both_engines_read_patterns_alike(both: Both, pattern: str) -> None:
    agree(both, QuerySpec(collection="records", filters={"item_code": {"regex": pattern}}))


def test_patterns_find_what_they_say(both: Both) -> None:
    found = agree(
        both, QuerySpec(collection="records", filters={"item_code": {"regex": "^S$"}}, group_by=["item_code"])
    )
    assert found == [{"_id": "s"}, {"_id": "ſ"}]


def test_rows_have_the_shape_of_the_contract(take: Take, lake: Lake, db: Store) -> None:
    records = [
        record("c-1", "R1", "00123", 1.5, floor="A"),
        record("c-2", "R1", "00123", 2, floor="A"),
        record("c-3", "R2", "b", None, floor=None, status="partial"),
    ]
    both = Both(db, lake, take(verification_records=records).snapshot_id)
    totals = {"verified_qty": "sum", "item_code": "count"}
    assert agree(both, QuerySpec(collection="records", group_by=["floor"], aggregations=totals)) == [
        {"_id": None, "verified_qty_sum": 0.0, "item_code_count": 1},
        {"_id": "A", "verified_qty_sum": 3.5, "item_code_count": 2},
    ]
    several = agree(both, QuerySpec(collection="records", group_by=["floor", "rack_id"], sort={"_id": -1}))
    assert several == [{"_id": {"floor": "A", "rack_id": "R1"}}, {"_id": {"floor": None, "rack_id": "R2"}}]
    assert agree(both, QuerySpec(collection="records", aggregations={"verified_qty": "avg"})) == [
        {"_id": None, "verified_qty_avg": 1.75}
    ]
    nothing = QuerySpec(collection="records", filters={"floor": "nowhere"}, aggregations={"verified_qty": "sum"})
    assert agree(both, nothing) == []
    [row] = agree(both, QuerySpec(collection="records", limit=1, skip=1))
    assert tuple(row) == RECORDS.names
    assert (row["client_record_id"], row["item_code"], row["verified_qty"]) == ("c-2", "00123", 2.0)


def test_all_collections_answer(take: Take, lake: Lake, db: Store) -> None:
    documents: dict[str, Any] = {
        "erp_items": [item("R1", "a", 3), item("R1", "b", 4)],
        "verification_sessions": [session("s-1", "R1")],
        "verification_records": [record("c-1", "R1", "a", 2)],
    }
    both = Both(db, lake, take(**documents).snapshot_id)
    for name, found in documents.items():
        assert len(agree(both, QuerySpec(collection=name))) == len(found)
    query = checked(QuerySpec(collection="positions", group_by=["counted"], aggregations={"book_qty": "sum"}))
    result = run(lake, both.snapshot_id, query)
    assert result.rows() == [{"_id": False, "book_qty_sum": 4.0}, {"_id": True, "book_qty_sum": 3.0}]
    assert (result.row_count, result.as_of) == (2, lake.freeze(both.snapshot_id).as_of)


@pytest.mark.parametrize("pattern", [".*.*[xy]|a$", "^(?:(?:a+)+)+b|a$"])
def test_patterns_on_which_mongodb_would_silently_give_up(take: Take, lake: Lake, db: Store, pattern: str) -> None:
    taken = take(verification_records=[record("c-1", "R1", "a" * 4000, 1), record("c-2", "R1", "b", 1)])
    filters = {"item_code": {"regex": pattern}, "rack_id": {"regex": "^r1$"}}
    found = agree(Both(db, lake, taken.snapshot_id), QuerySpec(collection="records", filters=filters))
    assert [row["client_record_id"] for row in found] == ["c-1"]


def test_too_many_texts_for_a_live_pattern(db: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_TEXTS", 2)
    db["verification_records"].insert_many(record(f"c-{number}", f"R{number}", "a", 1) for number in range(3))
    filters = {"rack_id": {"regex": "R"}}
    with pytest.raises(live.QueryTooHard, match="'rack_id' has too many different texts"):
        run_live(db, checked(QuerySpec(collection="records", filters=filters)), NOW)
    assert (
        run_live(
            db, checked(QuerySpec(collection="records", filters=filters | {"rack_id": {"regex": "1", "ne": "R0"}})), NOW
        ).row_count
        == 1
    )


def test_a_group_that_grows_too_large_for_mongodb_is_refused(db: Store) -> None:
    """MongoDB gives one set of a group 100 MB."""
    for number in range(9):
        db["verification_records"].insert_one(record(f"c-{number}", "R1", f"{number}{'x' * 12_000_000}", 1))
    with pytest.raises(live.QueryTooHard, match="it needs more memory than MongoDB gives it"):
        run_live(db, checked(QuerySpec(collection="records", aggregations={"item_code": "count_distinct"})), NOW)
