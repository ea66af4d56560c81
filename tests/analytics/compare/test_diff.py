"""The algebra of differences, and single cases."""

from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.compare import Diff, diff

KEY = ("rack", "code")
SCHEMA: dict[str, Any] = {
    "rack": pl.String,
    "code": pl.String,
    "qty": pl.Float64,
    "round": pl.Int64,
    "name": pl.String,
    "counted": pl.Boolean,
    "serials": pl.List(pl.String),
}
NAN = float("nan")

rows = st.fixed_dictionaries(
    {
        "rack": st.sampled_from(["R1", "R2", "", None]),
        "code": st.sampled_from(["a", "A", "00123", None]),
        "qty": st.sampled_from([0.0, -0.0, 1.5, 0.1, NAN, None, 1e300]),
        "round": st.sampled_from([1, 2, None]),
        "name": st.sampled_from(["x", "", "ü", None]),
        "counted": st.sampled_from([True, False, None]),
        "serials": st.sampled_from([[], ["s"], ["s", "t"], None]),
    }
)
tables = st.lists(rows, max_size=12).map(lambda found: pl.DataFrame(found, schema=SCHEMA))


def unique(table: pl.DataFrame, found: Diff) -> pl.DataFrame:
    """The rows whose key occurs once on both sides."""
    return table.join(found.key_duplicates, on=list(KEY), how="anti", nulls_equal=True).sort(KEY)


def between(before: pl.DataFrame, after: pl.DataFrame, ignore: tuple[str, ...] = ()) -> Diff:
    return diff(before.lazy(), after.lazy(), KEY, ignore)


def applied(before: pl.DataFrame, found: Diff) -> pl.DataFrame:
    """What the table becomes when the difference is carried out."""
    kept = unique(before, found)
    for gone in (found.removed, found.changed):
        kept = kept.join(gone.select(KEY), on=list(KEY), how="anti", nulls_equal=True)
    renamed = found.changed.select(*KEY, *(pl.col(f"{name}_after").alias(name) for name in SCHEMA if name not in KEY))
    return pl.concat([kept, found.added, renamed]).sort(KEY)


@settings(deadline=None)
@given(table=tables)
def test_a_table_does_not_differ_from_itself(table: pl.DataFrame) -> None:
    found = between(table, table)
    assert (found.added.height, found.removed.height, found.changed.height, found.column_changes) == (0, 0, 0, {})
    assert found.unchanged_count == unique(table, found).height
    repeated = int(found.key_duplicates["before_rows"].sum())
    assert found.unchanged_count + repeated == table.height


@settings(deadline=None)
@given(before=tables, after=tables)
def test_carrying_out_a_difference_gives_the_other_table(before: pl.DataFrame, after: pl.DataFrame) -> None:
    found = between(before, after)
    assert_frame_equal(applied(before, found), unique(after, found), check_exact=True)


@settings(deadline=None)
@given(before=tables, after=tables)
def test_the_difference_backwards_is_the_inverse(before: pl.DataFrame, after: pl.DataFrame) -> None:
    there, back = between(before, after), between(after, before)
    assert_frame_equal(there.added, back.removed)
    assert_frame_equal(there.removed, back.added)
    assert (there.unchanged_count, there.column_changes) == (back.unchanged_count, back.column_changes)
    assert_frame_equal(
        there.changed.select(*KEY, "qty_before", "qty_after", -pl.col("qty_delta")),
        back.changed.select(
            *KEY, pl.col("qty_after").alias("qty_before"), pl.col("qty_before").alias("qty_after"), "qty_delta"
        ),
    )
    assert_frame_equal(
        there.key_duplicates, back.key_duplicates.select(*KEY, before_rows="after_rows", after_rows="before_rows")
    )


@settings(deadline=None)
@given(
    before=tables, after=tables, ignore=st.sampled_from([(), ("qty",), ("qty", "round", "name", "counted", "serials")])
)
def test_every_row_is_in_exactly_one_part(before: pl.DataFrame, after: pl.DataFrame, ignore: tuple[str, ...]) -> None:
    found = between(before, after, ignore)
    matched = found.changed.height + found.unchanged_count
    assert found.removed.height + matched + found.key_duplicates["before_rows"].sum() == before.height
    assert found.added.height + matched + found.key_duplicates["after_rows"].sum() == after.height
    assert not set(ignore) & set(found.column_changes)
    if ignore[1:]:
        assert found.changed.height == 0


def table(*found: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(found, schema=SCHEMA, orient="row")


def test_a_changed_row_shows_before_after_and_delta() -> None:
    before = table(("R1", "a", 0.1, 1, "x", True, ["s"]), ("R1", "b", None, 1, "y", False, None))
    after = table(("R1", "a", 0.3, 1, "x", True, ["s", "t"]), ("R1", "b", 2.0, 1, "y", False, None))
    found = between(before, after)
    assert found.column_changes == {"qty": 2, "serials": 1}
    assert found.changed.select(*KEY, "qty_before", "qty_after", "qty_delta", "round_delta").to_dicts() == [
        {"rack": "R1", "code": "a", "qty_before": 0.1, "qty_after": 0.3, "qty_delta": 0.2, "round_delta": 0},
        {"rack": "R1", "code": "b", "qty_before": None, "qty_after": 2.0, "qty_delta": None, "round_delta": 0},
    ]
    assert found.changed["serials_after"].to_list() == [["s", "t"], None]


def test_duplicates_are_reported_and_never_joined() -> None:
    one, two = ("R1", "a", 1.0, 1, "x", True, []), ("R1", "a", 2.0, 1, "x", True, [])
    found = between(table(one, two), table(one))
    assert found.key_duplicates.to_dicts() == [{"rack": "R1", "code": "a", "before_rows": 2, "after_rows": 1}]
    assert (found.added.height, found.removed.height, found.changed.height, found.unchanged_count) == (0, 0, 0, 0)


def test_null_and_nan_equal_themselves_and_nothing_else() -> None:
    values: list[float | None] = [None, NAN, 0.0]
    for left in values:
        for right in values:
            found = between(table(("R", "a", left, 1, "", True, [])), table(("R", "a", right, 1, "", True, [])))
            assert found.changed.height == (0 if left is right else 1), (left, right)
