"""Charts of snapshots and of what changed between two, for page, file and mail. Theme-neutral: transparent, with marks
from a palette that colour-blind people can read.

Every chart takes figures from analytics.figures or analytics.compare and draws a few dozen rows, or cells made of them,
at most; `alt.Chart.to_dict` is its spec. On a page of its own it wants `themed`.
"""

from analytics.charts.changes import changes_by_column, contributions_waterfall
from analytics.charts.groups import bars
from analytics.charts.progress import ROW_PIXELS, has_names, progress_by_floor, progress_map, rows_of_map
from analytics.charts.quality import accuracy_by_floor, damage_by_category
from analytics.charts.series import MOST_LINES, grid, lines
from analytics.charts.style import themed
from analytics.charts.trends import trend
from analytics.charts.variance import (
    biggest_rack_variances,
    variance_by_category,
    variance_waterfall,
    verified_against_book,
)

__all__ = [
    "MOST_LINES",
    "ROW_PIXELS",
    "accuracy_by_floor",
    "bars",
    "biggest_rack_variances",
    "changes_by_column",
    "contributions_waterfall",
    "damage_by_category",
    "grid",
    "has_names",
    "lines",
    "progress_by_floor",
    "progress_map",
    "rows_of_map",
    "themed",
    "trend",
    "variance_by_category",
    "variance_waterfall",
    "verified_against_book",
]
