"""Reports on what has changed since the delivery before."""

from functools import partial
from zoneinfo import ZoneInfo

import polars as pl

from analytics.compare import Comparison, Kind, compare
from analytics.export import Table, of_comparison
from analytics.glance.numbers import amount
from analytics.glance.tiles import Tile, tiles
from analytics.lake import Freeze
from analytics.zones import zone_of
from jobs.reports import pictures
from jobs.reports.content import Content, Excerpt, readable
from jobs.reports.excerpts import MOST_ROWS, excerpt, largest
from jobs.reports.plan import Plan
from jobs.reports.stock import figures, of_positions
from jobs.tools import Tools
from stockverify import page_links
from stockverify.datasets import Type

_FIRST = (
    "This is the first delivery of this report, so there is nothing to compare with yet. The next one says what has "
    "changed since this snapshot."
)
_GONE = "The snapshot of the delivery before is no longer there. The next delivery is compared with this one."
_FIGURES = frozenset({"progress", "counted_lines", "verified_units", "net_variance_value", "accuracy"})
_SHOWN = ("rack_id", "item_code", "change", "verified_qty_before", "verified_qty_after", "variance_value_moved")
_SIDES = ("before", "after", "delta")


def of_changes(tools: Tools, plan: Plan, freeze: Freeze) -> Content:
    """Lines that were added, removed or changed; of the first delivery, that it is the first."""
    since = readable(tools.lake, plan.last.delivered_snapshot_id)
    if since is None:
        note = _GONE if plan.last.delivered_snapshot_id else _FIRST
        return of_positions(tools, plan, freeze)._replace(table=None, first=True, diff=True, notes=(note,))
    found = compare(tools.lake, since.snapshot_id, freeze.snapshot_id)
    now, before = figures(tools, freeze), figures(tools, since)
    return Content(
        freeze=freeze,
        what="",
        rows=sum(map(found.number, Kind)),
        tiles=(*_counts(found), *tiles(now.totals, before.totals, _FIGURES, tools.settings.currency)),
        drawings=partial(pictures.of_overview, now, tools.settings.currency),
        excerpt=_moved(found, zone_of(plan.zone), tools.settings.currency),
        table=partial(_table, found, plan),
        path=page_links.comparison(since.snapshot_id, freeze.snapshot_id),
        since=since.as_of,
        diff=True,
    )


def _table(found: Comparison, plan: Plan) -> Table:
    """The columns that were asked for stand for their values before and after."""
    table, wanted = of_comparison(found), plan.report.columns
    if not wanted:
        return table
    fixed = ("change", *found.key, "changed_columns")
    sides = {f"{name}_{side}" for name in wanted for side in _SIDES}
    columns = tuple((name, kind) for name, kind in table.columns if name in fixed or name in sides)
    batches = (batch.select(name for name, _ in columns) for batch in table.batches)
    return table._replace(columns=columns, batches=batches)


def _counts(found: Comparison) -> list[Tile]:
    numbers = found.counts()
    named = {"Lines changed": "changed_count", "Lines added": "added_count", "Lines removed": "removed_count"}
    return [Tile(label, amount(numbers[name], "lines"), None, "off", "") for label, name in named.items()]


def _moved(found: Comparison, zone: ZoneInfo, currency: str) -> Excerpt:
    """The lines whose variance moved most, in value."""
    table = of_comparison(found)
    kinds = dict(table.columns) | {"variance_value_moved": Type.FLOAT}
    sides = [_side(name, sign, kinds) for name, sign in (("delta", 1.0), ("after", 1.0), ("before", -1.0))]
    columns = [(name, kinds[name]) for name in _SHOWN if name in kinds]
    names = list(dict.fromkeys([*found.key, *(name for name, _ in columns)]))
    moved = (batch.with_columns(variance_value_moved=pl.coalesce(sides)).select(names) for batch in table.batches)
    rows = largest(moved, pl.col("variance_value_moved").abs(), found.key, MOST_ROWS)
    return excerpt("Largest changes", rows, columns, table.rows or 0, zone, "changes", currency)


def _side(side: str, sign: float, kinds: dict[str, Type]) -> pl.Expr:
    name = f"variance_value_{side}"
    return pl.col(name) * sign if name in kinds else pl.lit(None, pl.Float64)
