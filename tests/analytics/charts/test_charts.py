from datetime import UTC, datetime, timedelta
from typing import Any

import altair as alt
import polars as pl
import pytest
import vl_convert

from analytics import charts
from analytics.compare import Change, Contributions
from analytics.compare.contributions import Contribution, Rest
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


def drawn(chart: alt.Chart | alt.LayerChart) -> tuple[dict[str, Any], list[dict[str, Any]]]:
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
    euros, _ = drawn(charts.variance_by_category(seen.by_category, currency="EUR"))
    assert euros["encoding"]["x"]["title"] == "Net variance (EUR; left of 0 is missing)"
    spec, rows = drawn(charts.variance_by_category(seen.by_category))
    assert spec["encoding"]["x"]["title"] == "Net variance (currency; left of 0 is missing)"
    values = [row["net_variance_value"] for row in rows]
    assert values == sorted(values)
    assert {row["category"] for row in rows} == {"(none)", "C2"}
    [exact] = seen.by_category.filter(pl.col("category") == "C1")["net_variance_value"]
    assert exact == 0.0
    few, shown = drawn(charts.variance_by_category(seen.by_category, shown=1))
    assert (few["title"], len(shown)) == ("Net variance at cost, by category (first 1 of 2 categories)", 1)


def test_only_the_biggest_racks_are_drawn(seen: Overview) -> None:
    spec, rows = drawn(charts.biggest_rack_variances(seen.by_rack, shown=2))
    assert spec["title"] == "Largest net variances at cost, first 2 racks"
    largest = seen.by_rack.sort(pl.col("net_variance_value").abs(), descending=True)["rack_id"].head(2)
    assert {row["rack_id"] for row in rows} == set(largest)


def test_the_waterfall_leads_from_the_book_to_what_was_found(seen: Overview) -> None:
    spec, rows = drawn(charts.variance_waterfall(seen.by_category, shown=1))
    assert [row["step"] for row in rows] == ["Book value", "(none)", "All others (1)", "Verified value"]
    assert [row["after"] for row in rows[1:]] == [row["before"] + row["amount"] for row in rows[1:]]
    assert [row["before"] for row in rows[1:-1]] == [row["after"] for row in rows[:-2]]
    ends = seen.totals.book_value, seen.totals.verified_value
    assert (rows[0]["after"], rows[-2]["after"], rows[-1]["after"]) == (ends[0], ends[1], ends[1])
    assert [row["meaning"] for row in rows] == ["Total", "Missing", "Missing", "Total"]
    assert [row["shown"] for row in rows[1:3]] == [f"{row['amount']:+,.0f}" for row in rows[1:3]]
    assert spec["layer"][0]["encoding"]["x"]["title"] == "Value at cost (currency); axis does not start at 0"


def test_the_map_has_a_cell_for_each_rack(seen: Overview) -> None:
    spec, rows = drawn(charts.progress_map(seen.by_rack))
    assert spec["title"] == "Lines counted, by floor; a cell is one rack"
    assert [(row["floor"], row["racks"], row["column"], row["progress"]) for row in rows] == [
        ("F0", "R0", 0, 5 / 6),
        ("F0", "R2", 1, 5 / 6),
        ("F1", "R1", 0, 5 / 6),
        ("F1", "R3", 1, 5 / 6),
    ]


def test_racks_have_their_names_while_there_is_room_for_them() -> None:
    for racks, layers, per_row in ((240, 2, 12), (241, 1, 60)):
        names = [f"R{n:05}" for n in range(racks)]
        frame = pl.DataFrame({"floor": "F", "rack_id": names, "counted_lines": 1, "lines": 2})
        spec, rows = drawn(charts.progress_map(frame))
        assert (len(spec["layer"]), max(row["column"] for row in rows)) == (layers, per_row - 1)
        assert charts.rows_of_map(frame) == -(-racks // per_row)


def test_many_racks_share_cells_and_none_is_left_out() -> None:
    racks = pl.DataFrame({"floor": "F", "rack_id": [f"R{n:05}" for n in range(9_000)], "counted_lines": 1, "lines": 2})
    spec, rows = drawn(charts.progress_map(racks))
    assert spec["title"] == "Lines counted, by floor; a cell is 6 neighbouring racks"
    assert len(rows) == 1_500
    assert (rows[1]["racks"], rows[1]["lines"], rows[1]["progress"]) == ("R00006 to R00011", 12, 0.5)
    assert sum(row["lines"] for row in rows) == 18_000


def test_accuracy_by_floor(seen: Overview) -> None:
    spec, rows = drawn(charts.accuracy_by_floor(seen.by_floor))
    assert spec["title"] == "Accuracy of the book on counted lines, by floor"
    shown = {(row["floor"], row["kind"]): row["share"] for row in rows}
    floors = {row["floor"]: row for row in seen.by_floor.to_dicts()}
    assert shown == {
        (name, kind): floor[figure]
        for name, floor in floors.items()
        for kind, figure in (("Of lines", "accuracy"), ("Of value", "accuracy_by_value"))
    }


def test_damage_by_category_says_what_it_leaves_out() -> None:
    damage = pl.DataFrame({"category": ["a", None, "c", "d"], "damage_units": [1.0, 3.0, 2.0, 0.0], "damage_rate": 0.1})
    spec, rows = drawn(charts.damage_by_category(damage, shown=2))
    assert spec["title"] == "Damaged units found, by category (first 2 of 3 categories)"
    assert [(row["category"], row["damage_units"]) for row in rows] == [("(none)", 3.0), ("c", 2.0)]


def points(number: int) -> pl.DataFrame:
    hours = [datetime(2026, 3, 29, tzinfo=UTC) + timedelta(hours=hour) for hour in range(number)]
    return pl.DataFrame({"snapshot_id": "s", "as_of": hours, "value": [None, *(0.9 for _ in hours[1:])]})


def test_a_trend_shows_the_times_of_the_house() -> None:
    figure = next(figure for figure in FIGURES if figure.name == "accuracy")
    spec, rows = drawn(charts.trend(figure, points(3), "Europe/Vienna"))
    assert spec["title"] == "Accuracy, snapshot by snapshot"
    assert (spec["encoding"]["y"]["title"], spec["encoding"]["x"]["title"]) == ("Accuracy (%)", "As of (Europe/Vienna)")
    assert [(row["as_of"], row["value"]) for row in rows] == [
        ("2026-03-29T03:00:00", 0.9),
        ("2026-03-29T04:00:00", 0.9),
    ]
    assert len(drawn(charts.trend(figure, points(1200), "UTC"))[1]) == 1000


def moved(**change: float) -> Contributions:
    parts = [Contribution("Ground", -10, -25.5, -15.5), Contribution(None, 0, 3, 3.0), Contribution("After", 1, 2, 1.0)]
    whole = Change(
        **{"baseline": -20.0, "comparison": -31.0, "absolute_diff": -11.0} | change, percent_diff=-55, trend="down"
    )
    return Contributions(total="net_variance_value", by="floor", change=whole, parts=parts, other=Rest(4, 0.5))


def test_the_contributions_lead_from_one_total_to_the_other() -> None:
    spec, rows = drawn(charts.contributions_waterfall(moved()))
    assert spec["title"] == "What moved the total: Net variance value, by floor"
    assert spec["layer"][0]["encoding"]["x"]["title"] == "Net variance value (currency)"
    assert [row["step"] for row in rows] == ["Before", "Ground", "(none)", "After", "All others (4)", "After"]
    assert [row["after"] for row in rows] == [-20.0, -35.5, -32.5, -31.5, -31.0, -31.0]
    assert len({row["place"] for row in rows}) == 6, "a group that is called After has a bar of its own"
    low, high = spec["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert (low < -35.5, high > 0) == (True, True)
    spec, _ = drawn(charts.contributions_waterfall(moved(baseline=1e6, comparison=1e6 - 11), "EUR"))
    assert spec["layer"][0]["encoding"]["x"]["title"] == "Net variance value (EUR); axis does not start at 0"


def test_columns_that_changed_most_come_first() -> None:
    _, rows = drawn(charts.changes_by_column({"a": 3, "b": 7, "c": 3}))
    assert [(row["column"], row["rows"]) for row in rows] == [("b", 7), ("a", 3), ("c", 3)]
    many = {f"c{n:02}": n for n in range(25)}
    assert drawn(charts.changes_by_column(many))[0]["title"].endswith("(first 20 of 25 columns)")


def test_names_of_groups_are_data() -> None:
    spec, rows = drawn(charts.bars("t", "a.b[0]", "datum.x", [("x'y", 1.0), (None, None), ("x'y", -2.0)]))
    assert [(row["group"], row["value"]) for row in rows] == [("x'y", 1.0), ("(none)", None), ("x'y", -2.0)]
    assert spec["encoding"]["x"]["field"] == "value"
    assert len({row["place"] for row in rows}) == 3
    vl_convert.vegalite_to_svg(charts.themed(charts.bars("t", "a.b[0]", "x", [("x'y", 1.0)]), False).to_dict())


def test_charts_of_nothing_are_still_charts() -> None:
    columns: dict[str, Any] = {figure.name: pl.Float64 for figure in FIGURES}
    empty = pl.DataFrame(schema={"floor": pl.String, "rack_id": pl.String, "category": pl.String} | columns)
    for draw in (charts.progress_by_floor, charts.verified_against_book, charts.accuracy_by_floor, charts.progress_map):
        assert drawn(draw(empty))[1] == []
    for draw in (charts.variance_by_category, charts.biggest_rack_variances, charts.damage_by_category):
        assert drawn(draw(empty))[1] == []
    assert [row["after"] for row in drawn(charts.variance_waterfall(empty))[1]] == [0.0, 0.0]


@pytest.mark.parametrize("dark", [False, True])
def test_every_chart_can_be_made_a_picture_for_light_and_dark_pages(seen: Overview, dark: bool) -> None:
    drawings = [
        *(draw(seen.by_floor) for draw in (charts.progress_by_floor, charts.accuracy_by_floor)),
        *(draw(seen.by_category) for draw in (charts.variance_by_category, charts.damage_by_category)),
        charts.variance_waterfall(seen.by_category),
        charts.progress_map(seen.by_rack),
        charts.contributions_waterfall(moved()),
        charts.changes_by_column({"verified_qty": 3}),
        charts.bars("t", "a", "b", [("c", 1.0)]),
        charts.trend(FIGURES[2], points(3), "UTC"),
    ]
    for chart in drawings:
        spec = charts.themed(chart, dark).to_dict()
        assert (spec["width"], spec["config"]["background"]) == (640, "transparent")
        svg = vl_convert.vegalite_to_svg(spec)
        assert ("#dfe6e6" in svg, "#1f2a2e" in svg) == (dark, not dark)
