"""Reports that are queries: a saved one, a template, or one of the schedule's own."""

from functools import partial
from typing import NamedTuple

import msgspec
import polars as pl

from analytics.export import Table, of_result
from analytics.export.insight import of_tally
from analytics.export.tallies import Tally
from analytics.glance.money import VALUE, headed, is_money
from analytics.glance.numbers import amount, step
from analytics.glance.tiles import Tile
from analytics.glance.words import heading
from analytics.lake import Freeze
from analytics.query import Query, QueryResult, checked, run
from analytics.query.templates import templates
from analytics.zones import zone_of
from jobs.reports.columns import narrowed
from jobs.reports.content import Content, readable
from jobs.reports.excerpts import excerpt, fitting
from jobs.reports.pictures import Drawing, of_spec
from jobs.reports.plan import Plan
from jobs.tools import Tools
from stockverify import page_links
from stockverify.datasets import Type
from stockverify.errors import BadInput, NotFound
from stockverify.vocabulary import Collection, Subject
from stockverify.wire.reports import QuerySpec

MOST_TILES = 9
MOST_FIGURES = 6
_ADDED_UP = ("_sum", "_count")
_COUNTED = ("_count", "_count_distinct")
SECONDS = 600


class SavedQueryGone(NotFound):
    """The saved query {query_id} of this report was deleted. Choose another one for the schedule."""


class TemplateUnknown(BadInput):
    """There is no template {name!r}; use one of: {known}."""


class NothingAsked(BadInput):
    """This report has no query. Choose a saved one, a template, or write one for the schedule."""


class _Question(NamedTuple):
    title: str
    spec: QuerySpec

    @property
    def about(self) -> tuple[str, ...]:
        """What it sorts by, then what it compares: readers look for these first. One value of a filter is that of every
        row, and says nothing."""
        compared = (name for name, wanted in self.spec.filters.items() if isinstance(wanted, dict))
        return (*self.spec.sort, *compared)


def of_query(tools: Tools, plan: Plan, freeze: Freeze) -> Content:
    """The rows of a query on the snapshot. Raises the reasons why it cannot be asked."""
    question = _question(tools, plan)
    query = checked(question.spec)
    result = run(tools.lake, freeze.snapshot_id, query, SECONDS)
    since = readable(tools.lake, plan.last.delivered_snapshot_id)
    before = _tally(plan, run(tools.lake, since.snapshot_id, query, SECONDS)) if since else None
    tally, table = _tally(plan, result), _table(plan, result)
    first, currency = result.frame.head(100), tools.settings.currency
    noun, shown = "groups" if query.grouped else "rows", _columns(table, query, first, question.about)
    return Content(
        freeze=freeze,
        what=question.title,
        rows=result.row_count,
        tiles=tuple(_tiles(tally, before, noun, currency)),
        drawings=partial(_drawings, tally, plan.zone, currency),
        excerpt=excerpt("Rows", first, shown, result.row_count, zone_of(plan.zone), noun, currency),
        table=partial(_table, plan, result),
        path=page_links.rows(freeze.snapshot_id, question.spec),
        since=since.as_of if since else None,
    )


def _question(tools: Tools, plan: Plan) -> _Question:
    found = _unfiltered(tools, plan)
    if not plan.report.params:
        return found
    filters = {**found.spec.filters, **plan.report.params}
    return found._replace(spec=msgspec.structs.replace(found.spec, filters=filters))


def _unfiltered(tools: Tools, plan: Plan) -> _Question:
    asked = plan.report
    if asked.subject is Subject.TEMPLATE:
        known = {each.name: each for each in templates(tools.settings.time_zone)}
        if asked.ref not in known:
            raise TemplateUnknown(name=(asked.ref or "")[:80], known=", ".join(known))
        return _Question(f"{known[asked.ref].title}: {known[asked.ref].answers}", known[asked.ref].query_spec)
    if asked.ref:
        return _saved(tools, asked.ref)
    if asked.query is None:
        raise NothingAsked()
    return _Question("", asked.query)


def _saved(tools: Tools, query_id: str) -> _Question:
    document = tools.database[Collection.QUERIES].find_one({"_id": query_id})
    if document is None:
        raise SavedQueryGone(query_id=query_id[:80])
    spec = msgspec.json.decode(document["query_spec"], type=QuerySpec)
    return _Question(f"{document['name']}. {document.get('description') or ''}".strip(), spec)


def _table(plan: Plan, result: QueryResult) -> Table:
    return narrowed(of_result(result), plan.report.columns)


def _tally(plan: Plan, result: QueryResult) -> Tally:
    table = _table(plan, result)
    tally = Tally(table.columns, table.adding)
    for _ in tally.through(table.batches):
        pass
    return tally


def _columns(table: Table, query: Query, first: pl.DataFrame, about: tuple[str, ...]) -> list[tuple[str, Type]]:
    """The group keys and the first figures, those that the question is about before others, and sums before numbers of
    things; of plain rows, what is most telling."""
    if not query.grouped:
        return fitting(table, first, about)
    keys = [key.name for key in query.group_by]
    ranked = sorted(table.columns, key=lambda each: (each[0] not in keys, each[0] not in about, each[1] != Type.FLOAT))
    kept = ranked[:MOST_FIGURES]
    return [column for column in table.columns if column in kept]


def _tiles(now: Tally, before: Tally | None, noun: str, currency: str) -> list[Tile]:
    """How many rows there are, and the sums of their numbers."""
    earlier = dict(before.sums()) if before else {}
    moved = (step(before.rows, now.rows, "lines") or 0) if before else None
    tiles = [Tile(noun.capitalize(), amount(now.rows, "lines"), moved, "off", "")]
    for name, value in now.sums()[: MOST_TILES - 1]:
        unit = VALUE if is_money(name) and not name.endswith(_COUNTED) else "units"
        changed = (step(earlier[name], value, unit) or 0) if name in earlier else None
        label = heading(name) if name.endswith(_ADDED_UP) else f"Sum of {heading(name).lower()}"
        label = headed(label, currency) if unit == VALUE else label
        tiles.append(Tile(label, amount(value, unit), changed, "off", ""))
    return tiles


def _drawings(tally: Tally, zone: str, currency: str) -> list[Drawing]:
    insight = of_tally(tally)
    if (shown := insight.breakdown) is None or not any(row[1] for row in shown.rows):
        return []
    most = (
        f", the largest {len(shown.rows)} of {amount(tally.groups, 'lines')}" if tally.groups > len(shown.rows) else ""
    )
    title = f"{heading(shown.series[0])} by {heading(shown.by).lower()}{most}"
    return [of_spec("rows", title, spec, len(shown.rows)) for spec in insight.charts(zone, currency)]
