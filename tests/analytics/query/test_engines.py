"""One query, two engines: equal rows from live MongoDB and from the Parquet files of the same moment.

ENGINE_EXAMPLES=4000 in the environment draws so many queries instead of 60.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
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
from analytics.query.model import Unit
from stockverify.clients import Document, database
from stockverify.datasets import RECORDS, Type
from stockverify.services.embedded import Backends
from stockverify.wire.reports import GroupBy, QuerySpec
from tests.analytics.conftest import Store, Take
from tests.analytics.stock import NOW, item, record, session

TEXTS = (
    "",
    "a",
    "A",
    "ab",
    "00123",
    "123",
    "é",
    "É",
    "ſ",
    "s",
    "k",
    "\u212a",
    "漢",
    "😀",
    "a\nb",
    "ab\n",
    "x.y",
    "ß",
    " ",
    "a%b_*",
    "e\u0301",
    "\uffff",
    "\U0010ffff",
    "\U0010ffff\U0010ffffa",
    "$floor",
)
NUMBERS = (0, 0.0, -0.0, 1, 2, 2.5, -2.25, 1e12, 0.25, 999_999_999_999.75, 0.1, None)
PATTERNS = (
    "a",
    "^a",
    "a$",
    "^$",
    "b$",
    ".",
    "a.b",
    r"\s",
    r"^\S*$",
    r"\d+",
    r"\w",
    r"\W",
    "[a-z]",
    "É",
    "S|K",
    "(?:ab){1,2}",
)
TIMES = tuple(NOW + timedelta(milliseconds=step) for step in (0, 1, 86_400_000))
INSTANTS = (
    *TIMES,
    *(
        datetime.fromisoformat(text).replace(tzinfo=UTC)
        for text in (
            "0001-01-01T00:00:00",
            "0999-12-31T23:59:59.999",
            "1847-11-30T23:58:44",
            "1890-07-01T22:54:38",
            "1899-12-31T23:30:00",
            "1945-05-08T22:30:00",
            "2026-03-29T00:59:59.999",
            "2026-03-29T01:00:00",
            "2026-03-29T22:00:00",
            "2026-04-05T03:00:00",
            "2026-10-29T21:00:00",
            "2026-10-25T00:30:00",
            "2026-10-25T01:30:00",
            "2026-10-25T22:59:59.999",
            "2026-10-25T23:00:00",
            "2026-12-31T18:29:59.999",
            "2026-12-31T18:30:00",
            "2027-02-28T23:30:00",
            "2048-02-29T22:30:00",
            "2100-06-30T22:30:00",
            "2577-10-29T00:59:59",
            "9999-12-31T23:59:59.999",
        )
    ),
)
ZONES = (
    "UTC",
    "Europe/Vienna",
    "America/Santiago",
    "Asia/Kolkata",
    "Africa/Cairo",
    "America/Vancouver",
    "Australia/Lord_Howe",
    "Etc/GMT+12",
)


NULLABLE = ("floor", "mrp", "serial_numbers", "unknown_item", "received_at", "created_at")


class Both(NamedTuple):
    """A database, and the snapshot of it."""

    db: Store
    lake: Lake
    snapshot_id: str


def varied() -> Iterator[Document]:
    """Records with ties, nulls, missing fields, and numbers stored as integers and as floats."""
    for number, (text, quantity) in enumerate(product(TEXTS, NUMBERS)):
        made = record(
            f"c-{number:03}",
            TEXTS[number % 5] or None,
            text,
            quantity,
            floor=None if number % 4 == 0 else TEXTS[number % 7],
            bin=TEXTS[number % 3],
            round=1 + number % 3,
            mrp=NUMBERS[number % 11],
            created_at=INSTANTS[number % len(INSTANTS)],
            serial_numbers=list(TEXTS[: number % 4]) if number % 5 else None,
            unknown_item=(True, False, None)[number % 3],
            received_at=TIMES[number % 3] if number % 6 else None,
        )
        for position, name in enumerate(NULLABLE):
            if number % (11 + position) == 0:
                del made[name]
        yield made


@pytest.fixture(scope="module")
def both(embedded: Backends, mongo: "MongoClient[Document]", tmp_path_factory: pytest.TempPathFactory) -> Both:
    """One database for all examples."""
    db = database(mongo, msgspec.structs.replace(embedded.settings, mongodb_database=f"engines_{uuid4().hex[:12]}"))
    db["verification_records"].insert_many(varied())
    lake = Lake(Path(tmp_path_factory.mktemp("lake")))
    return Both(db, lake, materialise(lake, db, NOW).snapshot_id)


VALUES: dict[Type, st.SearchStrategy[Any]] = {
    Type.STRING: st.sampled_from(TEXTS),
    Type.STRINGS: st.sampled_from(TEXTS[:5]),
    Type.FLOAT: st.sampled_from([number for number in NUMBERS if number is not None]),
    Type.INTEGER: st.sampled_from([0, 1, 2, 2.5]),
    Type.BOOLEAN: st.booleans(),
    Type.INSTANT: st.sampled_from([*INSTANTS, TIMES[0] + timedelta(microseconds=500)]),
}
COLUMNS = {column.name: column.type for column in RECORDS.columns}
SCALARS = [name for name, kind in COLUMNS.items() if kind is not Type.STRINGS]
MOMENTS = [name for name, kind in COLUMNS.items() if kind is Type.INSTANT]


@st.composite
def comparisons(draw: st.DrawFn, kind: Type, having: bool = False) -> Any:
    """One filter on a field of that type."""
    value = VALUES[kind]
    choices = [value, st.none()]
    operators: dict[str, st.SearchStrategy[Any]] = {
        "eq": st.one_of(choices),
        "ne": st.one_of(choices),
        "in": st.lists(st.one_of(choices), max_size=4),
        "nin": st.lists(st.one_of(choices), max_size=4),
        "exists": st.booleans(),
        "is_null": st.booleans(),
    }
    if kind not in (Type.STRINGS, Type.BOOLEAN):
        operators |= dict.fromkeys(("gt", "gte", "lt", "lte"), value)
        operators["between"] = st.lists(value, min_size=2, max_size=2)
    if kind in (Type.STRING, Type.STRINGS):
        operators |= dict.fromkeys(("contains", "starts_with"), value)
    if kind is Type.STRING and not having:
        operators["regex"] = st.sampled_from(PATTERNS)
    chosen = draw(st.lists(st.sampled_from(sorted(operators)), min_size=1, max_size=2, unique=True))
    return {operator: draw(operators[operator]) for operator in chosen}


def _expressions(kind: Type, names: Mapping[str, Type], depth: int) -> st.SearchStrategy[str]:
    """Expressions of that type over these fields."""
    fields = [name for name, found in names.items() if _as_calculated(found) is kind]
    leaves = [st.sampled_from(fields)] if fields else []
    if kind in LITERALS:
        leaves.append(LITERALS[kind])
    if depth == 0 or kind in (Type.STRING, Type.INSTANT):
        return st.one_of(leaves)
    numbers, truths = (_expressions(each, names, depth - 1) for each in (Type.FLOAT, Type.BOOLEAN))
    if kind is Type.FLOAT:
        moments = _expressions(Type.INSTANT, names, 0)
        sums = st.builds("({} {} {})".format, numbers, st.sampled_from("+-*/"), numbers)
        return st.one_of(
            *leaves, sums, sums, numbers.map("-{}".format), st.builds("({} - {})".format, moments, moments)
        )
    ordered = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
    compared = [
        st.builds("({} {} {})".format, each, ordered, each)
        for each in (numbers, *(_expressions(found, names, 0) for found in (Type.STRING, Type.INSTANT)))
    ]
    equal = st.builds("({} {} {})".format, truths, st.sampled_from(["=", "!="]), truths)
    joined = st.builds("({} {} {})".format, truths, st.sampled_from(["and", "or"]), truths)
    return st.one_of(*leaves, *compared, equal, joined, truths.map("(not {})".format))


def _as_calculated(kind: Type) -> Type:
    return Type.FLOAT if kind is Type.INTEGER else kind


LITERALS: dict[Type, st.SearchStrategy[str]] = {
    Type.FLOAT: st.sampled_from(["0", "1", "2.5", "0.1", "3", "1e12", "1e300", "1e-300"]),
    Type.BOOLEAN: st.sampled_from(["true", "false"]),
    Type.STRING: st.sampled_from(TEXTS).map(lambda text: "'" + text.replace("'", "''") + "'"),
}


@st.composite
def specs(draw: st.DrawFn) -> QuerySpec:
    """Any query that a client may ask."""
    known = dict(COLUMNS)
    calculated = {}
    for name in ("one", "Two")[: draw(st.integers(0, 2))]:
        kind = draw(st.sampled_from([Type.FLOAT, Type.BOOLEAN]))
        calculated[name] = draw(_expressions(kind, known, draw(st.integers(0, 3))))
        known[name] = kind
    fields = draw(st.lists(st.sampled_from([*calculated, *sorted(COLUMNS)]), max_size=3, unique=True))
    plain = draw(st.lists(st.sampled_from([*calculated, *SCALARS]), max_size=3, unique=True))
    periods = draw(st.lists(st.tuples(st.sampled_from(MOMENTS), st.sampled_from(list(Unit))), max_size=2, unique=True))
    group_by = [*plain, *(GroupBy(field=name, by=by, zone=draw(st.sampled_from(ZONES))) for name, by in periods)]
    aggregated = draw(st.lists(st.sampled_from([*calculated, *sorted(COLUMNS)]), max_size=3, unique=True))
    aggregations = {
        name: draw(st.lists(st.sampled_from(_functions(known[name])), min_size=1, max_size=3, unique=True))
        for name in aggregated
    }
    results = {name: known[name] for name in plain} | {f"{name}_{by}": Type.STRING for name, by in periods}
    results |= {f"{name}_{each}": _type(known[name], each) for name in aggregated for each in aggregations[name]}
    having = draw(st.lists(st.sampled_from(sorted(results)), max_size=2, unique=True)) if results else []
    sortable = [*results, "_id"] if results else [*calculated, *SCALARS]
    sort = draw(st.lists(st.sampled_from(sortable), max_size=3, unique=True))
    return QuerySpec(
        collection="verification_records",
        calculated=calculated,
        filters={name: draw(comparisons(known[name])) for name in fields},
        group_by=group_by,
        aggregations={name: found[0] if len(found) == 1 else found for name, found in aggregations.items()},
        having={name: draw(comparisons(results[name], having=True)) for name in having},
        sort={name: draw(st.sampled_from([1, -1])) for name in sort},
        limit=draw(st.none() | st.integers(1, 50)),
        skip=draw(st.integers(0, 5)),
    )


def _functions(kind: Type) -> list[str]:
    if kind is Type.STRINGS:
        return ["count", "count_distinct"]
    numeric = kind in (Type.FLOAT, Type.INTEGER)
    return ["count", "count_distinct", "min", "max", *(["sum", "avg"] if numeric else [])]


def _type(kind: Type, function: str) -> Type:
    if function.startswith("count"):
        return Type.INTEGER
    return Type.FLOAT if function == "avg" else kind


def agree(both: Both, spec: QuerySpec) -> list[dict[str, Any]]:
    """The rows, which both engines must give alike."""
    query = checked(spec)
    live, frozen = run_live(both.db, query, NOW), run(both.lake, both.snapshot_id, query)
    assert_frame_equal(live.frame, frozen.frame, check_exact=True)
    assert (live.snapshot_id, frozen.snapshot_id) == (None, both.snapshot_id)
    return frozen.rows()


@settings(
    max_examples=int(os.environ.get("ENGINE_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(spec=specs())
def test_both_engines_give_equal_rows(both: Both, spec: QuerySpec) -> None:
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
