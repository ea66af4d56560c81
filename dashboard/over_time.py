"""How the count went on, snapshot by snapshot, up to the one that is shown."""

from analytics import charts
from analytics.figures import FIGURES, points, tolerance_of
from dashboard import drawing, loads
from dashboard.context import House
from dashboard.picker import Choice

MOST = 30
"""Snapshots that a trend shows. Each costs one pass over its positions, once in the life of this process."""
SHOWN = ("progress", "net_variance_value")
_HEIGHT = 220


def draw(house: House, choice: Choice) -> None:
    """A chart for each figure; one point is no trend, and that is said."""
    tolerance = tolerance_of(house.settings)
    freezes = choice.until(MOST)
    seen = [(freeze, loads.totals(house.settings.lake, freeze.snapshot_id, tolerance)) for freeze in freezes]
    for figure in (figure for figure in FIGURES if figure.name in SHOWN):
        drawn = charts.trend(figure, points(figure.name, seen), house.settings.time_zone)
        if len(seen) > 1:
            drawing.chart(drawn, 1, step=_HEIGHT)
        else:
            drawing.no_chart(str(drawn.title), "One snapshot is no trend yet; the next one makes it a line.")
