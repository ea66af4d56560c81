"""What a report says, before anybody thinks of how a mail looks."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from analytics.export import Table
from analytics.glance.attention import Notice
from analytics.glance.tiles import Tile
from analytics.lake import Freeze, Lake
from analytics.lake.manifest import SnapshotDamaged, SnapshotOutdated
from analytics.lake.store import SnapshotNotFound
from jobs.reports.pictures import Drawing


class Cell(NamedTuple):
    """One value of a row as people read it."""

    text: str
    is_number: bool


class Excerpt(NamedTuple):
    """The first rows of a report, under headings, and a line that says of how many they are the first."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str


class Content(NamedTuple):
    """`rows` is how many the report has, which may be fewer than what is attached: a report on positions has all the
    lines. `table` makes what is attached anew each time, because its rows are read once; None when there is nothing to
    attach. `path` is where the dashboard shows the same. `since` is the as-of of the delivery that changes are told
    from."""

    freeze: Freeze
    what: str
    rows: int
    tiles: tuple[Tile, ...]
    drawings: Callable[[], list[Drawing]]
    excerpt: Excerpt
    table: Callable[[], Table] | None
    path: str
    since: datetime | None = None
    attention: tuple[Notice, ...] | None = None
    notes: tuple[str, ...] = ()
    first: bool = False
    diff: bool = False


def readable(lake: Lake, snapshot_id: str | None) -> Freeze | None:
    """The snapshot of the delivery before, as long as it can be read."""
    if snapshot_id is None:
        return None
    try:
        return lake.freeze(snapshot_id)
    except (SnapshotNotFound, SnapshotDamaged, SnapshotOutdated):
        return None
