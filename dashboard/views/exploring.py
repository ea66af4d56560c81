"""The state of the Explore page and its address, each made of the other. The shown snapshot has a place of its own
there (dashboard/address.py)."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from dashboard.views.picks import Picks, picks_of
from stockverify import page_links
from stockverify.errors import BadInput
from stockverify.wire.reports import QuerySpec

LIVE, FIGURE = "live", "figure"
NAMES = (page_links.QUESTION, LIVE, FIGURE)
LONGEST = 20_000
"""Characters of a question that are read; nobody picks that much."""


class LinkTooLong(BadInput):
    """The question in this link has {length} characters, and at most {most} are read. Save such a query instead, and
    open it from the list."""


class State(NamedTuple):
    """What is asked, whether of live data, and which figure the chart shows (if it is not there, the one
    that groups are sorted by, or else the first)."""

    spec: QuerySpec
    live: bool = False
    figure: str = ""


def address_of(state: State) -> dict[str, str]:
    """The parts of the address."""
    parts = {page_links.QUESTION: page_links.written(state.spec).decode()}
    return parts | ({LIVE: "1"} if state.live else {}) | ({FIGURE: state.figure} if state.figure else {})


def read(parts: Mapping[str, str], zone: ZoneInfo) -> tuple[State, Picks]:
    """The state of an address, which anybody may have written, and what is picked then. Raises a BadInput that says
    what is wrong with it."""
    text = parts.get(page_links.QUESTION, "")
    if len(text) > LONGEST:
        raise LinkTooLong(length=f"{len(text):,}", most=f"{LONGEST:,}")
    spec = page_links.question(text) if text else QuerySpec(collection=Picks().collection)
    return State(spec, parts.get(LIVE) == "1", parts.get(FIGURE, "")[:200]), picks_of(spec, zone)


def link(base: str, snapshot_id: str, state: State) -> str:
    """The whole address; of live data it names no snapshot."""
    snapshot = {} if state.live or not snapshot_id else {page_links.SNAPSHOT: snapshot_id}
    return f"{base}/explore?{urlencode(snapshot | address_of(state))}"
