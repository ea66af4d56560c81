"""Lines over time, and maps of two keys."""

from datetime import date

import pytest
import vl_convert

from analytics import charts

FEBRUARY = [date(2026, 2, day) for day in (1, 2, 28)]


@pytest.mark.parametrize("days", [1, 2, 3])
def test_lines_are_drawn_without_hours(days: int) -> None:
    points = [(day, "F0" if number % 2 else None, 2.5) for number, day in enumerate(FEBRUARY[:days])]
    chart = charts.lines("Verified by day", "Received at", "Floor", "Verified (units)", points)
    spec = chart.to_dict()
    assert spec["encoding"]["x"]["axis"]["format"] == "%-d %b %Y"
    assert spec["encoding"]["color"]["title"] == "Floor"
    assert vl_convert.vegalite_to_png(spec, vl_version="6.1")


def test_lines_of_nothing_and_of_one_group_have_no_legend() -> None:
    assert "color" not in charts.lines("Nothing", "Day", None, "Lines", []).to_dict()["encoding"]


@pytest.mark.parametrize(("value", "scheme"), [(1.0, "blues"), (-1.0, "purpleorange"), (None, "blues")])
def test_maps_have_a_middle_only_when_values_lie_on_both_sides(value: float | None, scheme: str) -> None:
    spec = charts.grid("Variance", "Floor", "Category", "Value", [("F0", None, value), ("F1", "C", 2.0)]).to_dict()
    assert spec["encoding"]["color"]["scale"]["scheme"] == scheme
    [rows] = spec["datasets"].values()
    assert [row["across"] for row in rows] == ["(none)", "C"]
