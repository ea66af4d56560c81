import re
import sys
from pathlib import Path
from typing import Any

import pytest

from analytics.figures import (
    FIGURES,
    WORK,
    Figure,
    Overview,
    Tolerance,
    Totals,
    UnknownFigure,
    WorkTotals,
    keep,
    kept,
    overview,
    stock_of,
    totals_of,
    trend,
)
from analytics.figures.groups import parts
from analytics.lake import Lake
from analytics.lake.beside import figures_of
from analytics.lake.manifest import SnapshotDamaged
from analytics.lake.removing import remove
from tests.analytics.conftest import Take
from tests.analytics.stock import item, record, session

NOTHING = Totals(
    lines=0,
    counted_lines=0,
    progress=None,
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


def test_the_figures_by_hand(take: Take, lake: Lake) -> None:
    items = [
        item("R1", "short", 10, unit_cost=2.5),
        item("R1", "over", 4, unit_cost=10.0),
        item("R2", "exact", 5, floor="First", category="Food"),
        item("R2", "open", 100, floor="First", category=None),
        item("R2", "no cost", 1, floor="First", unit_cost=None),
    ]
    records = [
        record("c-0", "R1", "short", 10),
        record("c-1", "R1", "short", 7, damage_qty=2, round=2),
        record("c-2", "R1", "over", 5, round=2),
        record("c-3", "R2", "exact", 5),
        record("c-4", "R2", "no cost", 3),
        record("c-5", "R2", "not in book", 2, category="Toys", floor="First"),
        record("c-6", "R2", "open", None, status="partial"),
    ]
    found = overview(lake, take(erp_items=items, verification_records=records).snapshot_id)
    assert found.totals == Totals(
        lines=6,
        counted_lines=5,
        progress=5 / 6,
        book_units=20.0,
        verified_units=22.0,
        net_variance_units=2.0,
        gross_variance_units=8.0,
        book_value=25 + 40 + 12.5,
        verified_value=17.5 + 50 + 12.5,
        net_variance_value=2.5,
        gross_variance_value=17.5,
        shrinkage_value=-2.5,
        shrinkage_rate=-2.5 / 77.5,
        uncosted_lines=2,
        uncosted_units=4.0,
        damage_units=2.0,
        damage_rate=2 / 22,
        accuracy=1 / 5,
        accuracy_by_value=60 / 77.5,
        recounted_lines=2,
        recount_rate=2 / 5,
    )
    floors: list[dict[str, Any]] = found.by_floor.to_dicts()
    shown = [(row["floor"], row["lines"], row["counted_lines"], row["net_variance_value"]) for row in floors]
    assert shown == [("First", 4, 3, 0.0), ("Ground", 2, 2, 2.5)]
    assert found.by_rack.select("floor", "rack_id", "progress").rows() == [("First", "R2", 0.75), ("Ground", "R1", 1.0)]
    assert found.by_category["category"].to_list() == ["Food", "Tools", "Toys", "as sent"]


@pytest.mark.parametrize("frame", ["by_floor", "by_rack", "by_category"])
def test_groups_add_up_to_the_totals(take: Take, lake: Lake, frame: str) -> None:
    items = [
        item(f"R{n % 4}", str(n), n / 8, floor=f"F{n % 2}", category=f"C{n % 3}", unit_cost=n / 4) for n in range(40)
    ]
    records = [
        record(f"c-{n}", f"R{n % 4}", str(n), n / 16, damage_qty=n / 32, floor=f"F{n % 2}") for n in range(0, 48, 2)
    ]
    found = overview(lake, take(erp_items=items, verification_records=records).snapshot_id)
    for figure in FIGURES:
        if figure.adds_up:
            assert getattr(found, frame)[figure.name].sum() == getattr(found.totals, figure.name), figure.name


def test_nothing_counted_and_nothing_there(take: Take, lake: Lake) -> None:
    found = overview(lake, take(verification_sessions=[session("s", None)]).snapshot_id)
    assert found.totals == NOTHING
    assert found.by_floor.height == 0
    assert found.by_floor.columns == ["floor", *(figure.name for figure in FIGURES)]


def test_a_tolerance_makes_small_variances_right(take: Take, lake: Lake) -> None:
    items = [item("R1", "small", 100, unit_cost=1.0), item("R1", "large", 100, unit_cost=1.0)]
    records = [record("c-1", "R1", "small", 98), record("c-2", "R1", "large", 97)]
    snapshot_id = take(erp_items=items, verification_records=records).snapshot_id
    shown = [
        (found.accuracy, found.accuracy_by_value)
        for tolerance in (Tolerance(), Tolerance(units=2), Tolerance(share=0.02), Tolerance(1, 0.03))
        for found in [overview(lake, snapshot_id, tolerance).totals]
    ]
    assert shown == [(0.0, 195 / 200), (0.5, 197 / 200), (0.5, 197 / 200), (1.0, 1.0)]


def test_the_trend_of_a_figure_over_snapshots(take: Take, lake: Lake) -> None:
    first = take(erp_items=[item("R1", "a", 4)])
    second = take(verification_records=[record("c-1", "R1", "a", 3)])
    ids = [first.snapshot_id, second.snapshot_id]
    assert trend(lake, "accuracy", ids)["value"].to_list() == [None, 0.0]
    assert trend(lake, "counts", ids).rows() == [
        (first.snapshot_id, first.as_of, 0.0),
        (second.snapshot_id, second.as_of, 1.0),
    ]
    with pytest.raises(UnknownFigure, match="There is no figure 'profit'; use one of: lines, counted_lines,"):
        trend(lake, "profit", ids)


def test_every_figure_is_computed() -> None:
    assert [figure.name for figure in FIGURES] == list(Totals.__struct_fields__)
    assert [figure.name for figure in WORK] == list(WorkTotals.__struct_fields__)
    units = {"lines", "units", "value", "share", "hours", "per hour", "seconds"}
    assert {figure.unit for figure in (*FIGURES, *WORK)} == units


DOCUMENT = Path(__file__).parents[3] / "docs" / "figures.md"


@pytest.mark.parametrize("figure", [*FIGURES, *WORK], ids=lambda figure: figure.name)
def test_every_figure_is_documented_as_it_is_declared(figure: Figure) -> None:
    cells = (f"`{figure.name}`", figure.title, figure.unit, figure.formula, figure.source, figure.better)
    assert "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" in DOCUMENT.read_text().splitlines()


def test_no_figure_is_documented_that_does_not_exist() -> None:
    named = re.findall(r"^\| `(\w+)`", DOCUMENT.read_text(), re.MULTILINE)
    assert named == [figure.name for figure in (*FIGURES, *WORK)]


ANOTHER = Tolerance(3.0, 0.1)
SUMS = [figure.name for figure in FIGURES if figure.unit != "share"]


def test_kept_figures_are_those_that_would_be_computed(take: Take, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not as it was written, or was worked out otherwise, is computed, and never shown."""
    lines = [item(f"R{n % 5}", f"i{n}", n / 7, unit_cost=n / 3, floor=f"F{n % 2}", category=None) for n in range(40)]
    counts = [record(f"c{n}", f"R{n % 5}", f"i{n}", n / 6, floor=f"F{n % 2}") for n in range(30)]
    first = take(erp_items=lines, verification_records=counts).snapshot_id
    second = take(erp_items=[item("R9", "one more", 1, category="Food")]).snapshot_id
    whole, of_all = told(overview(lake, first, ANOTHER)), totals_of(lake, first, ANOTHER)
    for snapshot_id in (first, second):
        keep(lake, snapshot_id, ANOTHER)
    computed = list[str]()

    def counted(*rows: Any, **more: Any) -> Any:
        computed.append("all")
        return parts(*rows, **more)

    monkeypatch.setattr(sys.modules[overview.__module__], "parts", counted)
    assert (told(overview(lake, first, ANOTHER)), totals_of(lake, first, ANOTHER), computed) == (whole, of_all, [])
    assert told(overview(lake, first)) != whole
    exact = totals_of(lake, first)
    computed.clear()
    of_all_but_shares = {name: getattr(stock_of(lake, first), name) for name in SUMS}
    assert (of_all_but_shares, computed) == ({name: getattr(exact, name) for name in SUMS}, [])
    computed.append("all")
    place = figures_of(lake.root, first)
    good, other = place.read_bytes(), figures_of(lake.root, second).read_bytes()
    flipped = [good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in (0, 40, len(good) // 2, len(good) - 1)]
    for number, bad in enumerate((b"", good[:-1], good[:31], good + b"x", other, *flipped), 2):
        place.write_bytes(bad)
        assert (told(overview(lake, first, ANOTHER)), len(computed)) == (whole, number)
    place.write_bytes(good)
    monkeypatch.setattr(kept, "_formulas", lambda: "others")
    assert (told(overview(lake, first, ANOTHER)), len(computed)) == (whole, number + 1)
    next((lake.root / "positions" / first).glob("*.parquet")).unlink()
    for read in (overview, totals_of):
        with pytest.raises(SnapshotDamaged):
            read(Lake(lake.root), first, ANOTHER)
    remove(lake.root, first)
    assert (place.exists(), figures_of(lake.root, second).exists()) == (False, True)


def told(found: Overview) -> tuple[Any, ...]:
    """All of it, to be compared."""
    frames = (found.by_floor, found.by_rack, found.by_category, found.work.by_counter)
    return (found.freeze, found.totals, found.work.totals, *(frame.rows(named=True) for frame in frames))
