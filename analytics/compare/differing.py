"""Why a total moved, as far as the rows that differ can tell: what both sides have alike moves nothing
(docs/decisions/0058)."""

import polars as pl

from analytics.compare.comparison import Comparison
from analytics.compare.contributions import Contributions, Divisible, divided, steps, sums
from analytics.compare.kinds import Kind


def tell(exact: Comparison, rows: Divisible, total: str, by: str) -> bool:
    """Whether they can. `exact` has no tolerances. Unchanged rows may differ in what was ignored, and rows whose key
    occurs more than once are kept nowhere."""
    wanted = {by, *rows.figures[total].meta.root_names()}
    alike = {*exact.key, *exact.manifest.columns} - {*exact.ignored, *exact.manifest.type_changed}
    return exact.number(Kind.KEY_DUPLICATE) == 0 and wanted <= alike and total in exact.summary


def from_differing(
    exact: Comparison, rows: Divisible, baseline: pl.LazyFrame, total: str, by: str, limit: int
) -> Contributions:
    """What `contributions` says of both sides. Of the side before, only the rows of the groups that are shown are read.
    Raises NotSummable."""
    whole = exact.summary[total]
    gone, come = (sums(rows, _side(exact, side), total, by) for side in ("before", "after"))
    moved = steps(gone, come, whole, total)
    first = moved.head(limit)
    known = sums(rows, baseline, total, by, first["group"])
    shown = first.join(known, on="group", how="left", nulls_equal=True, maintain_order="left")
    return divided(total, by, whole, moved, shown)


def _side(exact: Comparison, side: str) -> pl.LazyFrame:
    """The rows that only one side has, or both but not alike, as they are on that side."""
    alone = Kind.REMOVED if side == "before" else Kind.ADDED
    names = [name for name in exact.manifest.columns if name not in exact.manifest.type_changed]
    values = [pl.col(f"{name}_{side}").alias(name) for name in names]
    changed = pl.scan_parquet(exact.folder / Kind.CHANGED.file, glob=False).select(*exact.key, *values)
    return pl.concat([pl.scan_parquet(exact.folder / alone.file, glob=False).select(*exact.key, *names), changed])
