"""Reports on the stock as a whole: a snapshot's lines, and the summary as on the dashboard."""

from functools import partial

from analytics.export import Table, of_snapshot
from analytics.figures import Overview, overview, tolerance_of
from analytics.glance import findings
from analytics.glance.attention import notices
from analytics.glance.numbers import amount
from analytics.glance.tiles import tiles
from analytics.lake import Freeze
from analytics.zones import zone_of
from jobs.reports import pictures
from jobs.reports.columns import narrowed
from jobs.reports.content import Content, Excerpt, readable
from jobs.reports.excerpts import MOST_ROWS, excerpt
from jobs.reports.plan import Plan
from jobs.tools import Tools
from stockverify import page_links
from stockverify.datasets import POSITIONS

_SHOWN = ("rack_id", "item_code", "book_qty", "verified_qty", "variance_value")
_BIGGEST = "Biggest variances"


def of_positions(tools: Tools, plan: Plan, freeze: Freeze) -> Content:
    """The lines of the snapshot: the figures, and where the most money is missing or in excess."""
    return _content(tools, plan, freeze, figures(tools, freeze))


def of_summary(tools: Tools, plan: Plan, freeze: Freeze) -> Content:
    """The overview of the dashboard: the same, and what somebody should look at."""
    found = figures(tools, freeze)
    doubts = findings.doubts(tools.lake, freeze.snapshot_id)
    return _content(tools, plan, freeze, found)._replace(attention=tuple(notices(found.by_rack, doubts)))


def figures(tools: Tools, freeze: Freeze) -> Overview:
    """The figures of a snapshot, with the tolerance of the house."""
    return overview(tools.lake, freeze.snapshot_id, tolerance_of(tools.settings))


def _content(tools: Tools, plan: Plan, freeze: Freeze, found: Overview) -> Content:
    since = readable(tools.lake, plan.last.delivered_snapshot_id)
    before = figures(tools, since).totals if since else None
    return Content(
        freeze=freeze,
        what="",
        rows=freeze.rows,
        tiles=tuple(tiles(found.totals, before, currency=tools.settings.currency)),
        drawings=partial(pictures.of_overview, found, tools.settings.currency),
        excerpt=_biggest(tools, plan, freeze),
        table=partial(_table, tools, plan, freeze),
        path=page_links.overview(freeze.snapshot_id),
        since=since.as_of if since else None,
    )


def _table(tools: Tools, plan: Plan, freeze: Freeze) -> Table:
    found = of_snapshot(tools.lake, freeze.snapshot_id, POSITIONS.name, tolerance_of(tools.settings))
    return narrowed(found, plan.report.columns)


def _biggest(tools: Tools, plan: Plan, freeze: Freeze) -> Excerpt:
    found = findings.biggest(tools.lake, freeze.snapshot_id, MOST_ROWS)
    kinds = {column.name: column.type for column in POSITIONS.columns}
    columns = [(name, kinds[name]) for name in _SHOWN]
    zone, noun = zone_of(plan.zone), "lines with a variance in value"
    shown = excerpt(_BIGGEST, found.rows, columns, found.total, zone, noun, tools.settings.currency)
    whole = f"The report has all {amount(freeze.rows, 'lines')} lines."
    return shown._replace(caption=f"{shown.caption} {whole}")
