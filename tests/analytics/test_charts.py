from typing import Any

import altair as alt
import polars as pl
import pytest

from analytics import charts
from analytics.figures import FIGURES, Overview, overview
from analytics.lake import Lake
from tests.analytics.conftest import Take
from tests.analytics.stock import item, record


@pytest.fixture
def seen(take: Take, lake: Lake) -> Overview:
    """Two floors, four racks, three categories, one without a name."""
    items = [
        item(f"R{n % 4}", str(n), 10, floor=f"F{n % 2}", category=f"C{n % 3}" if n % 3 else None) for n in range(24)
    ]
    records = [record(f"c-{n}", f"R{n % 4}", str(n), n, floor=f"F{n % 2}", category=None) for n in range(20)]
    return overview(lake, take(erp_items=items, verification_records=records).snapshot_id)


def drawn(chart: alt.Chart) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The spec, which Altair checks against its schema, and its rows."""
    spec: dict[str, Any] = chart.to_dict()
    [rows] = spec["datasets"].values()
    return spec, rows


def test_progress_by_floor(seen: Overview) -> None:
    spec, rows = drawn(charts.progress_by_floor(seen.by_floor))
    assert spec["title"] == "Lines counted, by floor"
    assert spec["encoding"]["x"]["title"] == "Lines counted (%)"
    assert [(row["floor"], row["progress"]) for row in rows] == [("F0", 10 / 12), ("F1", 10 / 12)]


def test_verified_against_book(seen: Overview) -> None:
    spec, rows = drawn(charts.verified_against_book(seen.by_floor))
    assert spec["encoding"]["x"]["title"] == "Quantity (units)"
    shown = {(row["floor"], row["quantity"]): row["value"] for row in rows}
    assert shown == {("F0", "Book"): 100.0, ("F1", "Book"): 100.0, ("F0", "Verified"): 90.0, ("F1", "Verified"): 100.0}


def test_variance_by_category(seen: Overview) -> None:
    spec, rows = drawn(charts.variance_by_category(seen.by_category))
    assert spec["encoding"]["x"]["title"] == "Net variance (currency; left of 0 is missing)"
    values = [row["net_variance_value"] for row in rows]
    assert values == sorted(values)
    assert {row["category"] for row in rows} == {"(none)", "C2"}
    [exact] = seen.by_category.filter(pl.col("category") == "C1")["net_variance_value"]
    assert exact == 0.0


def test_only_the_biggest_racks_are_drawn(seen: Overview) -> None:
    spec, rows = drawn(charts.biggest_rack_variances(seen.by_rack, shown=2))
    assert spec["title"] == "Largest net variances at cost, first 2 racks"
    largest = seen.by_rack.sort(pl.col("net_variance_value").abs(), descending=True)["rack_id"].head(2)
    assert {row["rack_id"] for row in rows} == set(largest)


def test_charts_of_nothing_are_still_charts() -> None:
    columns: dict[str, Any] = {figure.name: pl.Float64 for figure in FIGURES}
    empty = pl.DataFrame(schema={"floor": pl.String, "rack_id": pl.String, "category": pl.String} | columns)
    for draw in (charts.progress_by_floor, charts.verified_against_book):
        assert drawn(draw(empty))[1] == []
    assert drawn(charts.variance_by_category(empty))[1] == []
    assert drawn(charts.biggest_rack_variances(empty))[1] == []
