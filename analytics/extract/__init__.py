"""Out of MongoDB and into the lake: every dataset as it was at one and the same moment."""

from analytics.extract.materialise import Abandoned, NothingToFreeze, materialise

__all__ = ["Abandoned", "NothingToFreeze", "materialise"]
