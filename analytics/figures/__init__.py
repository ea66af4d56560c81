"""What the figures mean. Page, chart, comparison and file take them from here, so that they agree."""

from analytics.figures.declared import EXACT, Figure, Tolerance, tolerance_of
from analytics.figures.groups import grouped, totals
from analytics.figures.overview import (
    MOST_SNAPSHOTS,
    TRENDS,
    Overview,
    UnknownFigure,
    figure_of,
    keep,
    overview,
    points,
    so_far,
    stock_of,
    totals_of,
    trend,
)
from analytics.figures.stock import STOCK as FIGURES
from analytics.figures.stock import Totals
from analytics.figures.work import WORK, Work, WorkTotals

__all__ = [
    "EXACT",
    "FIGURES",
    "MOST_SNAPSHOTS",
    "TRENDS",
    "WORK",
    "Figure",
    "Overview",
    "Tolerance",
    "Totals",
    "UnknownFigure",
    "Work",
    "WorkTotals",
    "figure_of",
    "grouped",
    "keep",
    "overview",
    "points",
    "so_far",
    "stock_of",
    "tolerance_of",
    "totals",
    "totals_of",
    "trend",
]
