"""What changed between two snapshots: rows by their key, columns, totals, and where a change comes from."""

from analytics.compare.comparison import Comparison
from analytics.compare.contributions import Contributions, contributions, of_dataset
from analytics.compare.kinds import Kind
from analytics.compare.manifest import Asked
from analytics.compare.snapshots import IGNORED, compare, compared, moved, moved_between, tolerable
from analytics.compare.summary import Change, change
from analytics.compare.tolerance import Tolerance, parsed

__all__ = [
    "IGNORED",
    "Asked",
    "Change",
    "Comparison",
    "Contributions",
    "Kind",
    "Tolerance",
    "change",
    "compare",
    "compared",
    "contributions",
    "moved",
    "moved_between",
    "of_dataset",
    "parsed",
    "tolerable",
]
