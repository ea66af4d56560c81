"""Snapshots, query results and comparisons as files, each with a manifest that says where its numbers come from."""

from analytics.export.tables import Table, of_comparison, of_query, of_report, of_result, of_snapshot
from analytics.export.watching import Cancelled, Watch
from analytics.export.write import Exported, Format, Order, export

__all__ = [
    "Cancelled",
    "Exported",
    "Format",
    "Order",
    "Table",
    "Watch",
    "export",
    "of_comparison",
    "of_query",
    "of_report",
    "of_result",
    "of_snapshot",
]
