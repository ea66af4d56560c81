"""Overview: how far the count is, what it says against the book, and what somebody should look at."""

import streamlit as st

from analytics import charts
from analytics.figures import Overview, tolerance_of
from analytics.glance.attention import notices
from analytics.glance.tiles import pace, tiles
from dashboard import drawing, loads, open_questions, over_time, rack_tables, snapshot_button
from dashboard.context import House, open_house
from dashboard.heading import heading
from dashboard.picker import Choice
from dashboard.times import shown

_WATERFALL = "From book value to verified value at cost, by category"
_RACKS = "Largest net variances at cost, by rack"


def show() -> None:
    """Draw the page."""
    house = open_house()
    if (choice := heading(house, "Overview")) is None:
        return
    root, snapshot_id, before = house.settings.lake, choice.freeze.snapshot_id, choice.previous
    tolerance = tolerance_of(house.settings)
    now = loads.overview(root, snapshot_id, tolerance)
    earlier = loads.totals(root, before.snapshot_id, tolerance) if before else None
    drawing.tiles(tiles(now.totals, earlier, currency=house.currency))
    _since(house, choice, pace(now.work.totals))
    drawing.attention(notices(now.by_rack, loads.doubts(root, snapshot_id)), snapshot_id)
    live = st.container(key="waits_now")
    _charts(now, house.currency)
    trends = st.container(key="trends")
    rack_tables.racks(now.by_rack, house, snapshot_id)
    rack_tables.biggest(loads.biggest(root, snapshot_id), house, snapshot_id)
    with trends:  # late: it looks at many snapshots, and everything else is in sight by now
        over_time.draw(house, choice)
    with live:  # last of all: a service that is slow to answer keeps nobody from the figures
        open_questions.draw(house)


def _since(house: House, choice: Choice, pace: str) -> None:
    earlier = choice.previous
    since = f"Arrows show the change since the snapshot of {shown(earlier.as_of, house.zone)}." if earlier else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{since or 'There is no earlier snapshot to compare with.'} {pace}", width="stretch")
        snapshot_button.offer(house)


def _charts(now: Overview, currency: str) -> None:
    floors = now.by_floor.height
    with st.container(key="charts"):
        drawing.chart(charts.progress_by_floor(now.by_floor), floors, step=40)
        drawing.chart(charts.verified_against_book(now.by_floor), floors, step=40)
        drawing.variances(now.by_category, _WATERFALL, charts.variance_waterfall, currency, beside=2)
        drawing.variances(now.by_rack, _RACKS, charts.biggest_rack_variances, currency)


if __name__ == "__main__":
    show()
