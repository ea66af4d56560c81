"""Racks as a map."""

import polars as pl

from dashboard.views.rack_map import PER_ROW, places, rack_map


def racks(floor: str | None, number: int) -> list[tuple[str | None, str, int, int, float | None]]:
    """So many racks of a floor, half counted."""
    return [(floor, f"{floor}-{index:02}", 1, 2, 0.5) for index in range(number)]


def frame(*floors: list[tuple[str | None, str, int, int, float | None]]) -> pl.DataFrame:
    """Figures by rack, as far as the map needs them."""
    rows = [row for floor in floors for row in floor]
    return pl.DataFrame(rows, schema=["floor", "rack_id", "counted_lines", "lines", "progress"], orient="row")


def test_each_floor_begins_a_row_and_long_floors_take_several() -> None:
    found = places(frame(racks("B", 2), racks("A", PER_ROW + 1)))
    assert found.select("rack", "column", "place").rows()[-3:] == [
        (f"A-{PER_ROW:02}", 0, "A\u001f0001"),
        ("B-00", 0, "B\u001f0000"),
        ("B-01", 1, "B\u001f0000"),
    ]


def test_racks_without_a_floor_or_without_lines_have_a_place_too() -> None:
    found = places(frame([(None, "X", 0, 0, None), ("", "Y", 0, 0, None)]))
    assert found.select("floor", "rack", "progress").rows() == [("No floor", "X", 0.0), ("No floor", "Y", 0.0)]


def test_the_chart_has_a_fill_and_a_name_for_each_rack() -> None:
    spec = rack_map(places(frame(racks("A", 3))), dark=True).to_dict()
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["rect", "text"]
    assert [row["rack"] for row in next(iter(spec["datasets"].values()))] == ["A-00", "A-01", "A-02"]
