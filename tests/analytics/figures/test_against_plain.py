"""Every figure, against the same figure computed row by row."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.figures import Tolerance, grouped, totals
from analytics.figures.work import WorkTotals, work
from stockverify.datasets import POSITIONS, RECORDS, SESSIONS
from tests.analytics.figures import plain
from tests.analytics.lake.frozen import rows as table

START = datetime(2026, 1, 31, 8, tzinfo=UTC)
quarters = st.integers(-400, 400).map(lambda number: number / 4)
numbers = st.none() | quarters | st.sampled_from([-0.0, math.nan, math.inf, -math.inf])
costs = st.none() | st.sampled_from([0.0, 0.25, 2.5, 1000.0, math.nan])
times = st.integers(0, 40_000).map(lambda seconds: START + timedelta(seconds=seconds))


@st.composite
def positions(draw: st.DrawFn) -> dict[str, Any]:
    """A line as the extraction derives it, or one that no extraction should ever write."""
    book, verified, cost = draw(numbers), draw(numbers), draw(costs)
    counted = verified is not None and draw(st.booleans())
    variance = None if book is None or verified is None else verified - book
    return {
        "category": draw(st.sampled_from([None, "", "A", "Ä"])),
        "unit_cost": cost,
        "book_qty": book,
        "verified_qty": verified,
        "damage_qty": draw(numbers),
        "variance_qty": variance,
        "variance_value": None if variance is None or cost is None else variance * cost,
        "counted": counted,
        "round": draw(st.none() | st.integers(1, 3)),
    }


def agree(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-6)


def frame(rows: list[dict[str, Any]]) -> pl.LazyFrame:
    return pl.DataFrame(pl.from_arrow(table(POSITIONS, *rows))).lazy()


def differing(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    assert found.keys() == expected.keys()
    return {name: (found[name], expected[name]) for name in found if not agree(found[name], expected[name])}


@settings(deadline=None)
@given(rows=st.lists(positions(), max_size=12), units=st.sampled_from([0.0, 1.5]), share=st.sampled_from([0.0, 0.1]))
def test_the_figures_of_the_stock(rows: list[dict[str, Any]], units: float, share: float) -> None:
    tolerance = Tolerance(units, share)
    found = msgspec.structs.asdict(totals(frame(rows), tolerance))
    assert differing(found, plain.stock(rows, units, share)) == {}
    assert not any(isinstance(value, float) and math.copysign(1, value) < 0 and value == 0 for value in found.values())
    for group in grouped(frame(rows), "category", tolerance=tolerance).iter_rows(named=True):
        category = group.pop("category")
        own = [row for row in rows if row["category"] == category]
        assert differing(group, plain.stock(own, units, share)) == {}


@st.composite
def counts(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Records and the sessions of some of them."""
    names = ["s-1", "s-2", "s-3"]
    records = [
        {
            "client_record_id": f"c-{number}",
            "session_id": draw(st.none() | st.sampled_from(names)),
            "verified_qty": draw(st.none() | quarters),
            "status": draw(st.sampled_from(["finalized", "finalized", "partial"])),
            "username": draw(st.none() | st.sampled_from(["ann", "bob"])),
            "created_at": draw(times),
            "updated_at": draw(times),
            "received_at": draw(times),
        }
        for number in range(draw(st.integers(0, 12)))
    ]
    sessions = [
        {"session_id": name, "rack_id": draw(st.none() | st.just("R1")), "started_at": draw(times)}
        for name in names
        if draw(st.booleans())
    ]
    return records, sessions


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=counts())
def test_the_figures_of_the_work(tmp_path: Path, drawn: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> None:
    records, sessions = drawn
    places = tmp_path / "records.parquet", tmp_path / "sessions.parquet"
    for path, dataset, rows in zip(places, (RECORDS, SESSIONS), drawn, strict=True):
        pq.write_table(table(dataset, *rows), path)
    found = work([places[0]], [places[1]])
    assert differing(msgspec.structs.asdict(found.totals), plain.work(records, sessions)) == {}
    by_counter = plain.work_by_counter(records, sessions)
    assert found.by_counter["counter"].to_list() == [group.pop("counter") for group in by_counter]
    for group, wanted in zip(found.by_counter.drop("counter").iter_rows(named=True), by_counter, strict=True):
        assert differing(group, wanted) == {}


def test_a_clock_that_is_off_neither_helps_nor_harms(tmp_path: Path) -> None:
    """One device a year ahead, one a year behind: nobody waited a negative time, or longer than since the claim."""
    year, minute = timedelta(days=365), timedelta(minutes=1)
    records = [
        {
            "client_record_id": f"c-{number}",
            "session_id": "s-1",
            "verified_qty": 1.0,
            "status": "finalized",
            "username": name,
            "created_at": START + off + number * minute,
            "updated_at": START + off + number * minute,
            "received_at": START + (number + 1) * minute,
        }
        for name, off in (("ahead", year), ("behind", -year))
        for number in range(3)
    ]
    paths = [tmp_path / name for name in ("records", "sessions")]
    pq.write_table(table(RECORDS, *records), paths[0])
    pq.write_table(table(SESSIONS, {"session_id": "s-1", "rack_id": "R1", "started_at": START}), paths[1])
    found = work(paths[:1], paths[1:])
    assert found.by_counter.select("counter", "time_to_sync").rows() == [("ahead", 0.0), ("behind", 120.0)]
    assert found.totals == WorkTotals(counts=6, counting_hours=0.066667, items_per_hour=60.0, time_to_sync=30.0)


def test_of_counts_that_are_stamped_alike_the_first_by_id_ends_the_gap(tmp_path: Path) -> None:
    told = [("c-0", "ann", 0), ("c-3", "bob", 60), ("c-2", "cleo", 60), ("c-1", "ann", 0)]
    records = [
        {
            "client_record_id": record_id,
            "session_id": "s-1",
            "verified_qty": 1.0,
            "status": "finalized",
            "username": name,
            "created_at": START + timedelta(seconds=seconds),
        }
        for record_id, name, seconds in told
    ]
    paths = [tmp_path / name for name in ("records", "sessions")]
    pq.write_table(table(RECORDS, *records), paths[0])
    pq.write_table(table(SESSIONS), paths[1])
    found = work(paths[:1], paths[1:]).by_counter.select("counter", "counting_hours", "items_per_hour").rows()
    assert found == [("ann", 0.0, None), ("bob", 0.0, None), ("cleo", 0.016667, 60.0)]


@pytest.mark.parametrize("poison", [math.nan, math.inf, -0.0])
def test_one_bad_book_quantity_costs_only_itself(poison: float) -> None:
    good = {"counted": True, "book_qty": 4.0, "verified_qty": 3.0, "variance_qty": -1.0, "unit_cost": 2.0}
    lines = [{**good, "variance_value": -2.0}, {**good, "book_qty": poison, "variance_qty": 3.0 - poison}]
    found = totals(frame(lines))
    kept = (4.0, 2.0) if poison else (4.0, 5.0 - 3.0 + 2.0)
    assert (found.book_units, found.net_variance_units) == (kept[0], -1.0 if poison else 2.0)
    assert (found.net_variance_value, found.counted_lines) == (-2.0, 2)


def test_a_negative_book_quantity_makes_no_whole_smaller() -> None:
    below = {"counted": True, "book_qty": -5.0, "verified_qty": -4.0, "variance_qty": 1.0, "unit_cost": 2.0}
    found = totals(frame([{**below, "variance_value": 2.0}]))
    assert (found.book_value, found.accuracy_by_value, found.shrinkage_rate) == (-10.0, 0.8, None)


def test_a_sum_that_rounds_to_nothing_is_zero_without_a_sign() -> None:
    line = {"counted": True, "book_qty": 0.0, "verified_qty": -1e-9, "variance_qty": -1e-9, "unit_cost": 2.0}
    found = totals(frame([{**line, "variance_value": -2e-9}]))
    sums = (found.net_variance_units, found.verified_units, found.verified_value)
    assert [str(value) for value in sums] == ["0.0", "0.0", "0.0"]
