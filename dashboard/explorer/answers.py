"""The rows of a query: of a snapshot from the lake, or live from the service. Both say of which moment they are."""

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import polars as pl
import streamlit as st

from analytics.query import MAX_LIMIT, Query, checked
from dashboard import loads
from dashboard.calls import queries as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.paging import Page
from dashboard.views.charting import MOST_GROUPS
from dashboard.views.live_rows import frame
from stockverify.wire.reports import PreviewReply, QuerySpec

_LIVE = "explore_live"
_MOST_KEPT = 4


class Answer(NamedTuple):
    """One page of rows. `groups` are all of them, for a chart; `cut` when there are more than were asked for.
    `snapshot_id` is empty for live data."""

    query: Query
    page: pl.DataFrame
    before: int
    total: int
    groups: pl.DataFrame | None
    as_of: datetime
    snapshot_id: str
    cut: bool = False


def size(house: House, snapshot_id: str, spec: QuerySpec) -> int:
    """How many rows a query has on a snapshot."""
    groups = _groups(house, snapshot_id, spec)
    if groups is not None and groups.height <= MOST_GROUPS:
        return groups.height
    return loads.size(house.settings.lake, snapshot_id, msgspec.json.encode(spec))


def of_snapshot(house: House, snapshot_id: str, spec: QuerySpec, page: Page, total: int) -> Answer:
    """One page, and all groups while a chart can show them; the page is then a part of these."""
    as_of = house.lake.manifest(checked(spec).dataset.name, snapshot_id).as_of
    groups = _groups(house, snapshot_id, spec)
    if groups is not None and groups.height <= MOST_GROUPS:
        shown = groups.slice(page.before, page.size)
        return Answer(checked(spec), shown, page.before, total, groups, as_of, snapshot_id)
    wanted = msgspec.json.encode(_part(spec, page, total))
    shown = loads.answer(house.settings.lake, snapshot_id, wanted).frame
    return Answer(checked(spec), shown, page.before, total, None, as_of, snapshot_id)


def live_size(desk: Desk, spec: QuerySpec) -> tuple[int, bool]:
    """How many rows a query has on live data now, and whether there are more groups than one answer holds."""
    if checked(spec).grouped:
        found = _ask(desk, _whole(spec)).row_count
        return found, found == MAX_LIMIT and (spec.limit or MAX_LIMIT + 1) > MAX_LIMIT
    key = checked(spec).dataset.key[-1]
    counting = msgspec.structs.replace(spec, aggregations={key: "count"}, sort={}, limit=None, skip=0)
    [row] = _ask(desk, counting).rows or [{}]
    found = max(0, int(row.get(f"{key}_count", 0)) - spec.skip)
    return (found if spec.limit is None else min(found, spec.limit)), False


def of_live(desk: Desk, spec: QuerySpec, page: Page, size: tuple[int, bool]) -> Answer:
    """One page. Groups come all at once, so that their pages are of one moment."""
    query, (total, cut) = checked(spec), size
    reply = _ask(desk, _whole(spec) if query.grouped else _part(spec, page, total))
    rows = frame(query, reply.rows)
    groups = rows if query.grouped and total <= MOST_GROUPS else None
    shown = rows.slice(page.before, page.size) if query.grouped else rows
    as_of = datetime.fromtimestamp(reply.as_of, UTC)
    return Answer(query, shown, page.before, total, groups, as_of, reply.snapshot_id or "", cut)


def refresh() -> None:
    """Ask live data anew at the next run."""
    st.session_state.pop(_LIVE, None)


def _ask(desk: Desk, spec: QuerySpec) -> PreviewReply:
    """Answers of this session stay as they are until they are asked for anew, or a few others were: drawing the page
    again costs the database nothing."""
    asked = desk.user.username, msgspec.json.encode(spec)
    kept: dict[tuple[str, bytes], PreviewReply] = st.session_state.get(_LIVE, {})
    if asked not in kept:
        room = kept if len(kept) < _MOST_KEPT else {}
        kept = {**room, asked: calls.preview(desk, spec)}
        st.session_state[_LIVE] = kept
    return kept[asked]


def _groups(house: House, snapshot_id: str, spec: QuerySpec) -> pl.DataFrame | None:
    """The groups of a query, and one more than a chart can show when there are more: most queries run once then, and
    not for their number, their page and their chart each."""
    if not (spec.group_by or spec.aggregations):
        return None
    most = min(spec.limit or MOST_GROUPS + 1, MOST_GROUPS + 1)
    wanted = msgspec.json.encode(msgspec.structs.replace(spec, limit=most))
    return loads.answer(house.settings.lake, snapshot_id, wanted).frame


def _part(spec: QuerySpec, page: Page, total: int) -> QuerySpec:
    most = max(1, min(page.size, total - page.before))
    return msgspec.structs.replace(spec, limit=most, skip=spec.skip + page.before)


def _whole(spec: QuerySpec) -> QuerySpec:
    """All groups that one answer holds."""
    return msgspec.structs.replace(spec, limit=min(spec.limit or MAX_LIMIT, MAX_LIMIT))
