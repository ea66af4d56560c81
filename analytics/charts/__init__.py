"""Charts of a snapshot. Theme-neutral: transparent, with marks from a palette that colour-blind people can read.

Every chart takes a frame of figures from analytics.figures and draws a few dozen rows, or cells made of them, at most;
`alt.Chart.to_dict` is its spec. On a page of its own it wants `themed`.
"""

from analytics.charts.progress import progress_by_floor, progress_map
from analytics.charts.quality import accuracy_by_floor, damage_by_category
from analytics.charts.style import themed
from analytics.charts.trends import trend
from analytics.charts.variance import (
    biggest_rack_variances,
    variance_by_category,
    variance_waterfall,
    verified_against_book,
)

__all__ = [
    "accuracy_by_floor",
    "biggest_rack_variances",
    "damage_by_category",
    "progress_by_floor",
    "progress_map",
    "themed",
    "trend",
    "variance_by_category",
    "variance_waterfall",
    "verified_against_book",
]
