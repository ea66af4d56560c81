"""The lake: published snapshots in `lake/{dataset}/{snapshot_id}/`, Parquet files and the manifest they answer to."""

from analytics.lake.audit import Problem, verify
from analytics.lake.manifest import Freeze, Manifest, Part
from analytics.lake.store import UNREADABLE, Lake

__all__ = ["UNREADABLE", "Freeze", "Lake", "Manifest", "Part", "Problem", "verify"]
