"""A comparison with tolerances is made of the one without, and is what comparing all rows gives."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.compare import Asked, Kind, Tolerance, compare, store
from analytics.lake import Lake
from tests.analytics.compare.made import between, kept
from tests.analytics.compare.test_diff import KEY, tables
from tests.analytics.lake.frozen import LINE, ONE, TWO, freeze

sizes = st.builds(
    Tolerance,
    absolute=st.sampled_from([None, 0.0, 0.1, 1.5, 1e300]),
    relative=st.sampled_from([None, 0.0, 0.5, 9.0]),
)


@settings(deadline=None, max_examples=10)
@given(
    before=tables,
    after=tables,
    gone=st.sampled_from([(), ("name",), ("serials", "at")]),
    is_back=st.booleans(),
    ignore=st.sampled_from([(), ("counted", "name")]),
    tolerances=st.sampled_from([("qty",), ("round",), ("qty", "round")]).flatmap(
        lambda names: st.fixed_dictionaries(dict.fromkeys(names, sizes))
    ),
)
def test_it_is_what_comparing_all_rows_gives(
    before: pl.DataFrame,
    after: pl.DataFrame,
    gone: tuple[str, ...],
    is_back: bool,
    ignore: tuple[str, ...],
    tolerances: dict[str, Tolerance],
) -> None:
    sides = (before, after.drop(gone)) if is_back else (before.drop(gone), after)
    whole = between(*sides, KEY, ignore, tolerances)
    asked = Asked(dataset="any", baseline="a", comparison="b", key=KEY, ignored=ignore, tolerances=tolerances)
    with kept(*sides, asked) as found:
        told = found.manifest
        assert (told.columns, told.type_changed) == (
            tuple(value.name for value in whole.told.plan.values),
            whole.told.plan.type_changed,
        )
        assert (told.unchanged, told.within) == (whole.told.unchanged, whole.told.within)
        assert (told.column_changes, told.column_within) == (whole.told.column_changes, whole.told.column_within)
        for kind in Kind:
            assert_frame_equal(pl.read_parquet(found.folder / kind.file), whole.rows[kind], check_exact=True)


def test_no_tolerance_compares_anew_what_was_compared_without(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [LINE | {"item_code": f"{number}", "book_qty": 2.0} for number in range(5)]
    freeze(lake.root, ONE, *lines)
    freeze(lake.root, TWO, *lines[:3], lines[3] | {"book_qty": 2.5}, LINE | {"item_code": "new"})
    exact = compare(lake, ONE, TWO)

    def refused(*_: Any) -> None:
        raise AssertionError("nothing is to be compared again")

    monkeypatch.setattr(store, "difference", refused)
    loose, strict = (compare(lake, ONE, TWO, tolerances={"book_qty": Tolerance(absolute=size)}) for size in (0.5, 0.4))
    assert [each.counts() for each in (exact, strict)] == [exact.counts()] * 2
    assert loose.counts() == exact.counts() | {"changed_count": 0, "unchanged_count": 4}
    assert (loose.manifest.within, loose.summary, loose.number(Kind.ADDED)) == (1, exact.summary, 1)
    assert len({each.folder for each in (exact, loose, strict)}) == 3
