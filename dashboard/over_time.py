"""How the count went on, snapshot by snapshot, up to the one that is shown."""

from contextlib import suppress

import streamlit as st

from analytics import charts
from analytics.figures import TRENDS, figure_of, points, so_far, tolerance_of
from analytics.lake import UNREADABLE
from dashboard import drawing, loads
from dashboard.context import House
from dashboard.picker import Choice

_HEIGHT = 220


def draw(house: House, choice: Choice) -> None:
    """A chart for each figure; one point is no trend, and that is said."""
    tolerance, seen = tolerance_of(house.settings), []
    freezes = so_far(choice.known, choice.freeze.snapshot_id)
    for freeze in freezes:
        with suppress(*UNREADABLE):
            seen.append((freeze, loads.totals(house.settings.lake, freeze.snapshot_id, tolerance)))
    for name in TRENDS:
        drawn = charts.trend(figure_of(name), points(name, seen), house.settings.time_zone, house.currency)
        if len(seen) > 1:
            drawing.chart(drawn, 1, step=_HEIGHT)
        else:
            drawing.no_chart(str(drawn.title), "One snapshot is no trend yet; the next one makes it a line.")
    if len(seen) < len(freezes):
        st.caption(f"Left out, because they cannot be read: {len(freezes) - len(seen)} of {len(freezes)} snapshots.")
