"""Out of MongoDB and into the lake: every dataset as it was at one and the same moment."""

from analytics.extract.gate import SnapshotRefused, Terms
from analytics.extract.materialise import NothingToFreeze, materialise
from analytics.extract.task import Abandoned

__all__ = ["Abandoned", "NothingToFreeze", "SnapshotRefused", "Terms", "materialise"]
