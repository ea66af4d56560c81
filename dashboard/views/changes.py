"""What changed between two snapshots, as tables."""

from typing import NamedTuple

import polars as pl

from analytics.compare import Comparison, Kind
from analytics.figures import FIGURES
from analytics.glance.money import unit as unit_in
from analytics.glance.numbers import NOTHING, amount, step
from analytics.glance.words import heading
from dashboard.views.marked import CHANGED
from stockverify.datasets import DATASETS, Type

_UNITS = {figure.name: (figure.title, figure.unit) for figure in FIGURES}


class Count(NamedTuple):
    """How many rows did what, and what that means."""

    label: str
    number: int
    help: str


def counts(found: Comparison) -> list[Count]:
    """Rows by what happened to them. Duplicate keys are only named when there are any."""
    number = found.counts()
    shown = [
        Count("Added", number["added_count"], "Rows that only the later snapshot has."),
        Count("Removed", number["removed_count"], "Rows that only the earlier snapshot has."),
        Count("Changed", number["changed_count"], f"Rows of both that differ, not looking at {_words(found.ignored)}."),
        Count("Unchanged", number["unchanged_count"], _equal(found.manifest.within)),
    ]
    doubled = number["key_duplicate_count"]
    reason = "Keys that occur more than once in a snapshot, which makes their rows impossible to pair."
    return [*shown, Count("Key used twice", doubled, reason)] if doubled else shown


def summary(found: Comparison, currency: str = "") -> pl.DataFrame:
    """The totals before and after."""
    rows = []
    for name, change in found.summary.items():
        title, unit = _UNITS.get(name, (heading(name), "units"))
        rows.append(
            {
                "Figure": title,
                "Unit": unit_in(unit, currency),
                "Before": amount(change.baseline, unit),
                "After": amount(change.comparison, unit),
                "Change": step(change.baseline, change.comparison, unit) or "0",
                "Change, %": _percent(change.percent_diff),
            }
        )
    return pl.DataFrame(rows)


def column_changes(found: Comparison) -> pl.DataFrame:
    """In how many changed rows each column differs, most first; with tolerances, also in how many rows it moved within
    its own."""
    within = found.manifest.column_within
    names = {"Column": pl.String, "Rows": pl.Int64, "Within tolerance": pl.Int64}
    known = [*found.column_changes, *(name for name in within if name not in found.column_changes)]
    rows = [(heading(name), found.column_changes.get(name, 0), within.get(name, 0)) for name in known]
    table = pl.DataFrame(rows, schema=names, orient="row").sort("Rows", "Column", descending=[True, False])
    return table if found.manifest.asked.tolerances else table.drop("Within tolerance")


def columns(found: Comparison, kind: Kind) -> list[tuple[str, Type]]:
    """What to show of rows of that kind, with types. Of changed ones it is the key, the names of the columns that
    differ, then before, after and delta of every column that differs anywhere."""
    dataset = DATASETS[found.dataset]
    kinds = {column.name: column.type for column in dataset.columns}
    keys = [(name, kinds[name]) for name in found.key]
    if kind is Kind.KEY_DUPLICATE:
        return [*keys, ("before_rows", Type.INTEGER), ("after_rows", Type.INTEGER)]
    known = found.schema(kind)
    if kind is not Kind.CHANGED:
        return [(name, kinds[name]) for name in dataset.names if name in known]
    changed = [name for name in found.manifest.columns if name in found.column_changes]
    sides = ((f"{name}_{side}", kinds[name]) for name in changed for side in ("before", "after", "delta"))
    return [*keys, (CHANGED, Type.STRING), *((name, kind) for name, kind in sides if name in known)]


def _percent(moved: float | None) -> str:
    if moved is None:
        return NOTHING
    return f"{moved:+,.1f}%" if moved else "0%"


def _equal(within: int) -> str:
    spared = f", {amount(within, 'lines')} of them only thanks to tolerances" if within else ""
    return f"Rows that are equal in both{spared}."


def _words(names: tuple[str, ...]) -> str:
    return ", ".join(heading(name).lower() for name in names) or "nothing else"
