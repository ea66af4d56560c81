"""The rows of a query: of a snapshot from the lake, or live from the service. Both say of which moment they are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

import msgspec
import polars as pl
import streamlit as st

from analytics.query import MAX_LIMIT, Query, checked
from analytics.watching import Watch
from dashboard import loads, waiting
from dashboard.calls import queries as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.messages import Message
from dashboard.paging import Page
from dashboard.views.charting import MOST_GROUPS
from dashboard.views.live_rows import frame
from stockverify.wire.reports import PreviewReply, QuerySpec

_LIVE = "explore_live"
_WAITED_FOR = "explore_waited_for"
_MANNER = waiting.Manner(
    page="Explore",
    at_once=8,
    progress="Asking the snapshot",
    cancelled=Message("The query was cancelled", "Nothing of it is kept. Narrow its filters, or ask again.", "cancel"),
    again="Ask again",
)
"""A query has a gigabyte of memory and half a minute; only many heavy ones at once wait for each other."""
T = TypeVar("T")
_MOST_KEPT = 4


class Size(NamedTuple):
    """How many rows a live query has, and of which moment that is; `cut` when there are more groups than one answer
    holds."""

    total: int
    cut: bool
    as_of: datetime
    snapshot_id: str


class Answer(NamedTuple):
    """One page of rows. `groups` are all of them, for a chart; `cut` when there are more than were asked for.
    `snapshot_id` is empty for live data, whose rows may have been counted at another moment than they were read."""

    query: Query
    page: pl.DataFrame
    before: int
    total: int
    groups: pl.DataFrame | None
    as_of: datetime
    snapshot_id: str
    cut: bool = False
    counted_at: datetime | None = None


def size(house: House, snapshot_id: str, spec: QuerySpec) -> int:
    """How many rows a query has on a snapshot. This and what follows raise Unfinished while that is worked out."""
    groups = _groups(house, snapshot_id, spec)
    if groups is not None and groups.height <= MOST_GROUPS:
        return groups.height
    whole = msgspec.json.encode(spec)
    return loads.size(house.settings.lake, snapshot_id, whole, _patiently(house, f"rows of {snapshot_id} {whole!r}"))


def of_snapshot(house: House, snapshot_id: str, spec: QuerySpec, page: Page, total: int) -> Answer:
    """One page, and all groups while a chart can show them; the page is then a part of these."""
    as_of = house.lake.manifest(checked(spec).dataset.name, snapshot_id).as_of
    groups = _groups(house, snapshot_id, spec)
    if groups is not None and groups.height <= MOST_GROUPS:
        shown = groups.slice(page.before, page.size)
        return Answer(checked(spec), shown, page.before, total, groups, as_of, snapshot_id)
    shown = _rows(house, snapshot_id, _part(spec, page, total))
    return Answer(checked(spec), shown, page.before, total, None, as_of, snapshot_id)


def live_size(desk: Desk, spec: QuerySpec) -> Size:
    """How many rows a query has on live data now."""
    if checked(spec).grouped:
        reply = _ask(desk, _whole(spec))
        found = reply.row_count
        return _size(reply, found, found == MAX_LIMIT and (spec.limit or MAX_LIMIT + 1) > MAX_LIMIT)
    key = checked(spec).dataset.key[-1]
    counting = msgspec.structs.replace(spec, aggregations={key: "count"}, sort={}, limit=None, skip=0)
    reply = _ask(desk, counting)
    [row] = reply.rows or [{}]
    found = max(0, int(row.get(f"{key}_count", 0)) - spec.skip)
    return _size(reply, found if spec.limit is None else min(found, spec.limit))


def of_live(desk: Desk, spec: QuerySpec, page: Page, size: Size) -> Answer:
    """One page. Groups come all at once, so that their pages are of one moment; other rows are counted by themselves,
    and when a newer snapshot has come in between, both are asked for anew."""
    query = checked(spec)
    reply = _ask(desk, _whole(spec) if query.grouped else _part(spec, page, size.total))
    if (reply.snapshot_id or "") != size.snapshot_id:
        refresh()
        size = live_size(desk, spec)
        reply = _ask(desk, _part(spec, page, size.total))
    rows = frame(query, reply.rows)
    groups = rows if query.grouped and size.total <= MOST_GROUPS else None
    shown = rows.slice(page.before, page.size) if query.grouped else rows
    as_of, snapshot_id = datetime.fromtimestamp(reply.as_of, UTC), reply.snapshot_id or ""
    counted_at = None if snapshot_id else size.as_of
    return Answer(query, shown, page.before, size.total, groups, as_of, snapshot_id, size.cut, counted_at)


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


def _size(reply: PreviewReply, total: int, cut: bool = False) -> Size:
    return Size(total, cut, datetime.fromtimestamp(reply.as_of, UTC), reply.snapshot_id or "")


def _groups(house: House, snapshot_id: str, spec: QuerySpec) -> pl.DataFrame | None:
    """The groups of a query, and one more than a chart can show when there are more: most queries run once then, and
    not for their number, their page and their chart each."""
    if not (spec.group_by or spec.aggregations):
        return None
    most = min(spec.limit or MOST_GROUPS + 1, MOST_GROUPS + 1)
    return _rows(house, snapshot_id, msgspec.structs.replace(spec, limit=most))


def _rows(house: House, snapshot_id: str, spec: QuerySpec) -> pl.DataFrame:
    wanted = msgspec.json.encode(spec)
    asks = _patiently(house, f"{snapshot_id} {wanted!r}")
    return loads.answer(house.settings.lake, snapshot_id, wanted, asks).frame


@contextmanager
def asking() -> Iterator[None]:
    """During one run of the page: what an earlier run waited for, and this one does not, is waited for no more."""
    before: waiting.Unfinished | None = st.session_state.get(_WAITED_FOR)
    try:
        yield
    except Exception:
        _leave(before)
        raise
    _leave(before)


def _leave(before: waiting.Unfinished | None) -> None:
    now: waiting.Unfinished | None = st.session_state.get(_WAITED_FOR)
    if now is before:
        st.session_state.pop(_WAITED_FOR, None)
    if before is not None and (now is None or now is before or now.question != before.question):
        before.leave()


def _patiently(house: House, question: str) -> loads.Ask:
    """Waits beside the page, which shows how far the query is."""

    def ask(make: Callable[[Watch], T], /) -> T:
        try:
            return waiting.result(_MANNER, f"{house.settings.lake} {question}", make)
        except waiting.Unfinished as unfinished:
            st.session_state[_WAITED_FOR] = unfinished
            raise

    return ask


def _part(spec: QuerySpec, page: Page, total: int) -> QuerySpec:
    most = max(1, min(page.size, total - page.before))
    return msgspec.structs.replace(spec, limit=most, skip=spec.skip + page.before)


def _whole(spec: QuerySpec) -> QuerySpec:
    """All groups that one answer holds."""
    return msgspec.structs.replace(spec, limit=min(spec.limit or MAX_LIMIT, MAX_LIMIT))
