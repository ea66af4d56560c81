"""What the rows that differ tell of why a total moved is what all rows tell."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.compare import IGNORED, Asked, change, contributions
from analytics.compare.contributions import BY
from analytics.compare.differing import from_differing, tell
from analytics.compare.summary import summary
from stockverify.datasets import POSITIONS
from tests.analytics.compare.made import kept
from tests.analytics.compare.test_contributions import OF_POSITIONS, positions

lines = positions.map(lambda rows: rows.unique(POSITIONS.key, keep="first", maintain_order=True))
ASKED = Asked(dataset="positions", baseline="a", comparison="b", key=POSITIONS.key, ignored=IGNORED)


@settings(deadline=None, max_examples=15)
@given(
    before=lines,
    after=lines,
    left=st.integers(0, 12),
    total=st.sampled_from(sorted(OF_POSITIONS.figures)),
    by=st.sampled_from([name for name in BY if name != "counted_by"]),
    limit=st.integers(0, 4),
)
def test_they_tell_the_same(
    before: pl.DataFrame, after: pl.DataFrame, left: int, total: str, by: str, limit: int
) -> None:
    """So many lines are the same on both sides."""
    same = pl.concat([before.head(left), after]).unique(POSITIONS.key, keep="first", maintain_order=True)
    sides = before.lazy(), same.lazy()
    with kept(before, same, ASKED, summary(POSITIONS, *sides)) as exact:
        assert tell(exact, OF_POSITIONS, total, by) == (total != "recounted_lines")
        if total != "recounted_lines":
            whole = contributions(OF_POSITIONS, *sides, total, by, limit)
            assert from_differing(exact, OF_POSITIONS, sides[0], total, by, limit) == whole


def test_they_do_not_know_of_what_was_ignored_nor_of_doubled_keys() -> None:
    line = {"rack_id": "R", "bin": "", "item_code": "a"}
    once = pl.DataFrame([line | {"counted_by": "ann", "floor": "G", "round": 1, "counted": True}])
    totals = {"lines": change(1, 1), "recounted_lines": change(0, 0)}
    for rows, by, total, known in (
        (once, "floor", "lines", True),
        (once, "counted_by", "lines", False),
        (once, "floor", "recounted_lines", False),
        (once, "category", "lines", False),
        (pl.concat([once, once]), "floor", "lines", False),
    ):
        with kept(rows, once, ASKED, totals) as exact:
            assert tell(exact, OF_POSITIONS, total, by) is known, (by, total)
