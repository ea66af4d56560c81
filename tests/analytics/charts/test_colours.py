"""The colours of all charts can be told from the page, and from each other, by whoever looks at them."""

import json
import re
import tomllib
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import dashboard
from analytics import charts
from analytics.charts.style import QUIET
from analytics.compare import Change, Contributions
from analytics.compare.contributions import Rest
from analytics.figures import FIGURES
from tests.analytics.charts.colours import SIGHTS, apart, contrast

_THEME = tomllib.loads((Path(dashboard.__path__[0]) / ".streamlit" / "config.toml").read_text())["theme"]
GROUNDS = ["#ffffff", *(_THEME[name]["backgroundColor"] for name in ("light", "dark"))]
_COLUMNS: dict[str, Any] = {figure.name: pl.Float64 for figure in FIGURES}
EMPTY = pl.DataFrame(schema={"floor": pl.String, "rack_id": pl.String, "category": pl.String} | _COLUMNS)
NOTHING = Contributions(
    total="lines", by="floor", change=Change(0.0, 0.0, 0.0, 0.0, "stable"), parts=[], other=Rest(groups=0, change=0.0)
)
POINTS = pl.DataFrame(schema={"snapshot_id": pl.String, "as_of": pl.Datetime("ms", "UTC"), "value": pl.Float64})
DRAWN = {
    "progress_by_floor": charts.progress_by_floor(EMPTY),
    "progress_map": charts.progress_map(EMPTY),
    "verified_against_book": charts.verified_against_book(EMPTY),
    "variance_by_category": charts.variance_by_category(EMPTY),
    "biggest_rack_variances": charts.biggest_rack_variances(EMPTY),
    "variance_waterfall": charts.variance_waterfall(EMPTY),
    "accuracy_by_floor": charts.accuracy_by_floor(EMPTY),
    "damage_by_category": charts.damage_by_category(EMPTY),
    "contributions_waterfall": charts.contributions_waterfall(NOTHING),
    "changes_by_column": charts.changes_by_column({}),
    "bars": charts.bars("", "", "", []),
    "trend": charts.trend(FIGURES[0], POINTS, "UTC"),
    "lines": charts.lines("", "", None, "", [(date(2026, 1, day), None, 1.0) for day in (1, 2)]),
    "grid": charts.grid("", "", "", "", []),
}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def marks(name: str) -> set[str]:
    """The colours of the marks of a chart. Its writing is another matter, and the map's is on its cells."""
    spec = json.dumps(DRAWN[name].to_dict())
    return set(_COLOUR.findall(spec)) - {QUIET} - ({"#17262a", "#ffffff"} if name == "progress_map" else set())


def test_every_chart_is_looked_at() -> None:
    kinds = {name for name in charts.__all__ if name.islower()} - {"has_names", "rows_of_map", "themed"}
    assert kinds == set(DRAWN)
    assert all(marks(name) for name in DRAWN)


@pytest.mark.parametrize("name", DRAWN)
def test_marks_stand_out_from_light_and_dark(name: str) -> None:
    low = {(colour, ground): contrast(colour, ground) for colour in marks(name) for ground in GROUNDS}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 3} == {}


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("name", DRAWN)
def test_marks_of_one_chart_can_be_told_apart(name: str, sight: str) -> None:
    near = {pair: apart(*pair, sight) for pair in combinations(sorted(marks(name)), 2)}
    assert {pair: distance for pair, distance in near.items() if distance < 20} == {}


def test_writing_within_charts_can_be_read_on_both() -> None:
    assert min(contrast(QUIET, ground) for ground in GROUNDS) >= 3.9


def test_distances_are_those_of_the_literature() -> None:
    assert apart("#ffffff", "#000000", "usual") == pytest.approx(100, abs=0.1)
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert apart("#00ff00", "#ff0000", "deuteranopia") < apart("#00ff00", "#ff0000", "usual") / 2
