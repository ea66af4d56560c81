"""The tiles of the overview."""

import msgspec
import pytest

from analytics.figures import Totals, WorkTotals
from analytics.glance.tiles import pace, tiles

NOW = Totals(
    lines=40,
    counted_lines=25,
    progress=0.625,
    book_units=1250.0,
    verified_units=1234.5,
    net_variance_units=-15.5,
    gross_variance_units=20.0,
    book_value=2000.0,
    verified_value=1900.1,
    net_variance_value=-99.9,
    gross_variance_value=120.0,
    shrinkage_value=99.9,
    shrinkage_rate=0.04995,
    uncosted_lines=0,
    uncosted_units=0.0,
    damage_units=2.0,
    damage_rate=0.0016,
    accuracy=0.8,
    accuracy_by_value=0.94,
    recounted_lines=5,
    recount_rate=0.2,
)
NOTHING = Totals(
    lines=40,
    counted_lines=0,
    progress=0.0,
    book_units=0.0,
    verified_units=0.0,
    net_variance_units=0.0,
    gross_variance_units=0.0,
    book_value=0.0,
    verified_value=0.0,
    net_variance_value=0.0,
    gross_variance_value=0.0,
    shrinkage_value=0.0,
    shrinkage_rate=None,
    uncosted_lines=0,
    uncosted_units=0.0,
    damage_units=0.0,
    damage_rate=None,
    accuracy=None,
    accuracy_by_value=None,
    recounted_lines=0,
    recount_rate=None,
)


def test_values_and_changes_since_the_previous_snapshot() -> None:
    before = msgspec.structs.replace(NOW, counted_lines=20, progress=0.5, damage_units=3.0, recount_rate=0.0)
    assert [(tile.label, tile.value, tile.delta, tile.good) for tile in tiles(NOW, before)] == [
        ("Progress", "62.5%", "+12.5 pts", "normal"),
        ("Lines counted", "25 / 40", "+5", "normal"),
        ("Verified units", "1,234.5", 0, "off"),
        ("Book units, same lines", "1,250", 0, "off"),
        ("Net variance, units", "-15.5", 0, "off"),
        ("Net variance, value", "-99.90", 0, "off"),
        ("Gross variance, value", "120.00", 0, "inverse"),
        ("Shrinkage, value", "99.90 (4.9%)", 0, "inverse"),
        ("Accuracy", "80.0%", 0, "normal"),
        ("Accuracy by value", "94.0%", 0, "normal"),
        ("Recount rate", "20.0%", "+20.0 pts", "inverse"),
        ("Damaged units", "2 (0.1%)", "-1", "inverse"),
    ]


def test_figures_in_value_name_the_currency_instead() -> None:
    known = {tile.label: tile.value for tile in tiles(NOW, None)}
    named = {label.replace(", value", ", EUR"): value for label, value in known.items()}
    assert {tile.label: tile.value for tile in tiles(NOW, None, currency="EUR")} == named
    assert "Net variance, EUR" in named


def test_the_first_snapshot_has_no_changes() -> None:
    assert {tile.delta for tile in tiles(NOW, None)} == {None}


def test_what_cannot_be_computed_is_a_dash_and_never_zero() -> None:
    assert {tile.label: tile.value for tile in tiles(NOTHING, None)} == {
        "Progress": "0.0%",
        "Lines counted": "0 / 40",
        "Verified units": "0",
        "Book units, same lines": "0",
        "Net variance, units": "0",
        "Net variance, value": "0.00",
        "Gross variance, value": "0.00",
        "Shrinkage, value": "0.00",
        "Accuracy": "–",
        "Accuracy by value": "–",
        "Recount rate": "–",
        "Damaged units": "0",
    }


@pytest.mark.parametrize(("now", "before", "shown"), [(0, 0, []), (3, 0, ["3 (off by 7.5)"]), (0, 2, ["0 (off by 0)"])])
def test_what_values_leave_out_is_a_tile_when_there_is_something(now: int, before: int, shown: list[str]) -> None:
    totals, earlier = (
        msgspec.structs.replace(NOW, uncosted_lines=each, uncosted_units=each * 2.5) for each in (now, before)
    )
    found = [tile for tile in tiles(totals, earlier) if tile.label == "Lines without a cost"]
    assert [tile.value for tile in found] == shown
    assert len(tiles(totals, None)) == len(tiles(NOW, None)) + (now > 0)


def test_every_tile_says_how_it_is_computed() -> None:
    assert all(len(tile.help) > 15 and tile.help.endswith(".") for tile in tiles(NOW, None))


def test_the_pace_is_a_line_while_somebody_counts() -> None:
    work = WorkTotals(counts=90, counting_hours=0.75, items_per_hour=118.6667, time_to_sync=2.5)
    assert pace(work) == "Pace: 119 items per hour, breaks left out. Time to sync: 2.5 s (median)."
    assert pace(WorkTotals(counts=1, counting_hours=0.0, items_per_hour=None, time_to_sync=None)).startswith("Pace: –")
    assert pace(WorkTotals(counts=0, counting_hours=0.0, items_per_hour=None, time_to_sync=None)) == ""
