"""What changed between two snapshots: rows by their key, columns, and totals."""

from analytics.compare.diff import Diff, diff
from analytics.compare.snapshots import IGNORED, Comparison, compare
from analytics.compare.summary import Change, change

__all__ = ["IGNORED", "Change", "Comparison", "Diff", "change", "compare", "diff"]
