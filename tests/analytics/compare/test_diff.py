"""The algebra of differences, and single cases."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.compare import diff
from analytics.compare.columns import KeyNotComparable, NamesCollide
from analytics.compare.kinds import Kind
from analytics.compare.tolerance import BadTolerance, Tolerance
from tests.analytics.compare.made import Made, applied, between, table, unique

KEY = ("rack", "code")
SCHEMA: dict[str, Any] = {
    "rack": pl.String,
    "code": pl.String,
    "qty": pl.Float64,
    "round": pl.Int64,
    "name": pl.String,
    "counted": pl.Boolean,
    "serials": pl.List(pl.String),
    "at": pl.Datetime("ms", "UTC"),
}
VALUES = [name for name in SCHEMA if name not in KEY]
NAN, INFINITE = float("nan"), float("inf")
SMALL = settings(deadline=None, max_examples=20)

rows = st.fixed_dictionaries(
    {
        "rack": st.sampled_from(["R1", "R2", "", None]),
        "code": st.sampled_from(["a", "A", "00123", "ü", "u\u0308", "\U0001f4e6", None]),
        "qty": st.sampled_from([0.0, -0.0, 1.5, 0.1, NAN, None, 1e300, -1e300, INFINITE, -INFINITE]),
        "round": st.sampled_from([1, 2, None, 2**63 - 1, -(2**63)]),
        "name": st.sampled_from(["x", "", "ü", "'; DROP TABLE a --", None]),
        "counted": st.sampled_from([True, False, None]),
        "serials": st.sampled_from([[], ["s"], ["s", "t"], [None], None]),
        "at": st.sampled_from([None, 0, 1_769_882_400_123]),
    }
)
tables = st.lists(rows, max_size=12).map(
    lambda found: pl.DataFrame(found, schema={**SCHEMA, "at": pl.Int64}).cast({"at": SCHEMA["at"]})
)


def backwards(found: Made) -> pl.DataFrame:
    """Changed rows with their sides exchanged."""
    sides = {f"{name}_{side}": f"{name}_{other}" for name in VALUES for side, other in _EXCHANGED}
    rows = found.rows[Kind.CHANGED].rename(sides).select(found.rows[Kind.CHANGED].columns)
    return rows.with_columns(-pl.col("qty_delta"), -pl.col("round_delta"))


_EXCHANGED = (("before", "after"), ("after", "before"))


@SMALL
@given(same=tables)
def test_a_table_does_not_differ_from_itself(same: pl.DataFrame) -> None:
    found = between(same, same, KEY)
    assert (found.counts[:3], found.told.column_changes, found.told.within) == ((0, 0, 0), {}, 0)
    repeated = int(found.rows[Kind.KEY_DUPLICATE]["before_rows"].sum())
    assert found.told.unchanged + repeated == same.height


@SMALL
@given(before=tables, after=tables)
def test_carrying_out_a_difference_gives_the_other_table(before: pl.DataFrame, after: pl.DataFrame) -> None:
    found = between(before, after, KEY)
    assert_frame_equal(applied(before, found, KEY), unique(after, found, KEY), check_exact=True)


@SMALL
@given(before=tables, after=tables, size=st.sampled_from([None, 0.0, 0.1, 1.5]))
def test_the_difference_backwards_is_the_inverse(before: pl.DataFrame, after: pl.DataFrame, size: float | None) -> None:
    sizes = {} if size is None else {"qty": Tolerance(absolute=size)}
    there, back = between(before, after, KEY, (), sizes), between(after, before, KEY, (), sizes)
    assert_frame_equal(there.rows[Kind.ADDED], back.rows[Kind.REMOVED])
    assert_frame_equal(there.rows[Kind.REMOVED], back.rows[Kind.ADDED])
    assert there.counts == (back.told.removed, back.told.added, *back.counts[2:])
    assert (there.told.column_changes, there.told.column_within, there.told.within) == (
        back.told.column_changes,
        back.told.column_within,
        back.told.within,
    )
    assert_frame_equal(backwards(there), back.rows[Kind.CHANGED])
    doubled = back.rows[Kind.KEY_DUPLICATE].select(*KEY, before_rows="after_rows", after_rows="before_rows")
    assert_frame_equal(there.rows[Kind.KEY_DUPLICATE], doubled)


@SMALL
@given(before=tables, after=tables, ignore=st.sampled_from([(), ("qty",), tuple(VALUES)]), parts=st.integers(1, 3))
def test_every_row_is_in_exactly_one_part(
    before: pl.DataFrame, after: pl.DataFrame, ignore: tuple[str, ...], parts: int
) -> None:
    found = between(before, after, KEY, ignore, parts=parts)
    doubled, matched = found.rows[Kind.KEY_DUPLICATE], found.told.changed + found.told.unchanged
    assert found.told.removed + matched + doubled["before_rows"].sum() == before.height
    assert found.told.added + matched + doubled["after_rows"].sum() == after.height
    assert not set(ignore) & set(found.told.column_changes)
    assert (found.told.changed == 0) or len(ignore) < len(VALUES)
    for kind in Kind:
        assert_frame_equal(found.rows[kind], found.rows[kind].sort(KEY, maintain_order=True))


@SMALL
@given(before=tables, after=tables, dropped=st.sampled_from(VALUES), turned=st.sampled_from(["qty", "round"]))
def test_columns_that_only_one_side_has_or_has_in_another_type_make_no_row_changed(
    before: pl.DataFrame, after: pl.DataFrame, dropped: str, turned: str
) -> None:
    other = after.with_columns(pl.col(turned).cast(pl.String)).drop(dropped).with_columns(extra=pl.lit("new"))
    found = between(before, other, KEY)
    kinds = {"qty": "float", "round": "integer", "name": "string", "counted": "boolean", "serials": "strings"}
    known = {**kinds, "at": "instant"}
    strange = {dropped: (known[dropped], None), "extra": (None, "string")}
    if turned != dropped:
        strange[turned] = (known[turned], "string")
    assert found.told.plan.type_changed == strange
    shared = [name for name in SCHEMA if name not in strange]
    same = between(before.select(shared), after.select(shared), KEY)
    assert found.counts == same.counts
    assert found.told.column_changes == same.told.column_changes
    assert_frame_equal(found.rows[Kind.CHANGED].select(same.rows[Kind.CHANGED].columns), same.rows[Kind.CHANGED])
    assert found.rows[Kind.ADDED].columns == [*KEY, *(name for name in other.columns if name not in KEY)]


def test_a_changed_row_shows_before_after_delta_and_which_columns_changed() -> None:
    before = table(
        SCHEMA,
        ("R1", "a", 0.1, 1, "x", True, ["s"], None),
        ("R1", "b", None, 1, "y", False, None, None),
        ("R1", "c", 1.0, 2**63 - 1, "y", False, None, None),
    )
    after = table(
        SCHEMA,
        ("R1", "a", 0.3, 1, "x", True, ["s", "t"], None),
        ("R1", "b", 2.0, 1, "y", False, None, None),
        ("R1", "c", 1.0, -2, "y", False, None, None),
    )
    found = between(before, after, KEY)
    assert found.told.column_changes == {"qty": 2, "round": 1, "serials": 1}
    shown = found.rows[Kind.CHANGED].select(
        *KEY, "changed_columns", "qty_before", "qty_after", "qty_delta", "round_delta"
    )
    assert shown.rows() == [
        ("R1", "a", ["qty", "serials"], 0.1, 0.3, 0.2, 0),
        ("R1", "b", ["qty"], None, 2.0, None, 0),
        ("R1", "c", ["round"], 1.0, 1.0, 0.0, None),  # the step is none of 64 bits
    ]
    assert found.rows[Kind.CHANGED]["serials_after"].to_list() == [["s", "t"], None, None]


def test_duplicates_are_reported_and_never_joined() -> None:
    one, two = ("R1", "a", 1.0, 1, "x", True, [], None), ("R1", "a", 2.0, 1, "x", True, [], None)
    other = ("R1", None, 2.0, 1, "x", True, [], None)
    found = between(table(SCHEMA, one, two, other), table(SCHEMA, one, other, other, other), KEY)
    assert found.rows[Kind.KEY_DUPLICATE].rows() == [("R1", None, 1, 3), ("R1", "a", 2, 1)]
    assert found.counts == (0, 0, 0, 0, 2)


@pytest.mark.parametrize("before", ["", "a", "b", "ab", "aa", "aab", "abb", "aabb", "abc"])
@pytest.mark.parametrize("after", ["", "a", "b", "ba", "bb", "abb", "bbb", "ccc", "acc", "aabb"])
def test_doubled_keys_are_found_on_either_side_whatever_else_is_there(before: str, after: str) -> None:
    found = between(
        *(pl.DataFrame({"code": list(keys)}, schema={"code": pl.String}) for keys in (before, after)), ["code"]
    )
    counts = {code: (before.count(code), after.count(code)) for code in sorted({*before, *after})}
    once = {code for code, number in counts.items() if max(number) == 1}
    assert found.rows[Kind.KEY_DUPLICATE].rows() == [(code, *counts[code]) for code in counts if code not in once]
    assert found.rows[Kind.ADDED]["code"].to_list() == sorted(once - {*before})
    assert found.rows[Kind.REMOVED]["code"].to_list() == sorted(once - {*after})
    assert (found.told.changed, found.told.unchanged) == (0, len(once & {*before} & {*after}))


def test_rows_that_are_twice_the_same_on_both_sides_are_duplicates_too() -> None:
    twice = table(SCHEMA, *[("R1", "a", 1.0, 1, "x", True, [], None)] * 2)
    assert between(twice, twice, KEY).rows[Kind.KEY_DUPLICATE].rows() == [("R1", "a", 2, 2)]


def test_null_nan_infinity_and_zero_equal_themselves_and_nothing_else() -> None:
    values: list[tuple[str, float | None]] = [
        ("null", None),
        ("nan", NAN),
        ("zero", 0.0),
        ("zero", -0.0),
        ("inf", INFINITE),
    ]
    for left, before in values:
        for right, after in values:
            sides = (table(SCHEMA, ("R", "a", value, 1, "", True, [], None)) for value in (before, after))
            found = between(*sides, KEY, (), {"qty": Tolerance(absolute=1e9, relative=1.0)})
            assert found.told.changed == (0 if left == right else 1), (before, after)


@pytest.mark.parametrize(
    ("before", "after", "tolerance", "is_within"),
    [
        (0.1, 0.3, Tolerance(absolute=0.2), True),  # the difference of these floats is a little less
        (1.0, 1.1, Tolerance(absolute=0.1), True),  # and of these a little more
        (1.1, 1.0, Tolerance(absolute=0.1), True),
        (1.0, 1.100001, Tolerance(absolute=0.1), False),
        (1.0, 1.0, Tolerance(absolute=0.0), True),
        (1.0, 1.000001, Tolerance(absolute=0.0), False),
        (100.0, 107.0, Tolerance(relative=0.07), True),  # 0.07 * 100 is a little more than 7
        (100.0, 129.0, Tolerance(relative=0.29), True),  # and 0.29 * 100 a little less than 29
        (-100.0, -129.0, Tolerance(relative=0.29), True),
        (100.0, 129.00001, Tolerance(relative=0.29), False),
        (129.0, 100.0, Tolerance(relative=0.225), True),  # a share of the value before
        (129.0, 99.0, Tolerance(relative=0.225), False),
        (0.0, 0.1, Tolerance(relative=0.5), False),
        (10.0, 12.0, Tolerance(absolute=1, relative=0.2), True),  # either is enough
        (10.0, 11.0, Tolerance(absolute=1, relative=0.01), True),
        (10.0, 12.0, Tolerance(absolute=1, relative=0.1), False),
        (None, 1.0, Tolerance(absolute=9), False),
        (1.0, None, Tolerance(relative=9), False),
        (NAN, 1.0, Tolerance(absolute=9, relative=9), False),
        (INFINITE, 1.0, Tolerance(absolute=9, relative=9), False),
        (-1e308, 1e308, Tolerance(absolute=9, relative=1), False),
        (1e300, 1.5e300, Tolerance(relative=0.5), True),
        (12345678901.5, 12345678902.0, Tolerance(absolute=0.5), True),
    ],
)
def test_what_is_within_tolerance_is_unchanged(
    before: float | None, after: float | None, tolerance: Tolerance, is_within: bool
) -> None:
    sides = (table(SCHEMA, ("R", "a", value, 1, "", True, [], None)) for value in (before, after))
    found = between(*sides, KEY, (), {"qty": tolerance})
    moved = before != after
    assert found.counts == ((0, 0, 0, 1, 0) if is_within else (0, 0, 1, 0, 0))
    assert (found.told.within, found.told.column_within) == ((1, {"qty": 1}) if is_within and moved else (0, {}))


def test_a_step_within_tolerance_is_not_among_the_changed_columns_of_a_row_that_changed_elsewhere() -> None:
    before, after = (table(SCHEMA, ("R", "a", qty, round_, "", True, [], None)) for qty, round_ in ((1.0, 1), (1.5, 4)))
    found = between(before, after, KEY, (), {"qty": Tolerance(absolute=0.5), "round": Tolerance(absolute=2)})
    assert found.rows[Kind.CHANGED].select("changed_columns", "qty_delta", "round_delta").rows() == [
        (["round"], 0.5, 3)
    ]
    assert (found.told.column_changes, found.told.column_within, found.told.within) == ({"round": 1}, {"qty": 1}, 0)


def test_a_share_of_the_smallest_integer_is_one_too() -> None:
    before, after = (table(SCHEMA, ("R", "a", 1.0, value, "", True, [], None)) for value in (-(2**63), -(2**62)))
    assert between(before, after, KEY, (), {"round": Tolerance(relative=0.5)}).counts == (0, 0, 0, 1, 0)


@pytest.mark.parametrize(
    ("column", "tolerance", "reason"),
    [
        ("name", Tolerance(absolute=1), "none of the numbers that are compared: qty"),
        ("round", Tolerance(absolute=1), "none of the numbers"),  # it is ignored
        ("rack", Tolerance(absolute=1), "none of the numbers"),
        ("nope", Tolerance(absolute=1), "'nope'"),
        ("qty", Tolerance(absolute=-1), "-1 is not a size"),
        ("qty", Tolerance(relative=NAN), "nan is not a size"),
        ("qty", Tolerance(relative=INFINITE), "inf is not a size"),
    ],
)
def test_bad_tolerances_are_named(column: str, tolerance: Tolerance, reason: str) -> None:
    empty = table(SCHEMA)
    with pytest.raises(BadTolerance, match=reason):
        between(empty, empty, KEY, ("round",), {column: tolerance})


def test_keys_that_cannot_be_paired_are_named() -> None:
    empty = table(SCHEMA)
    with pytest.raises(KeyNotComparable, match="'code': it is string before and integer after"):
        between(empty, empty.cast({"code": pl.Int64}), KEY)
    with pytest.raises(KeyNotComparable, match="'code': it is string before and missing after"):
        between(empty, empty.drop("code"), KEY)


def test_names_that_would_meet_are_refused() -> None:
    empty = pl.DataFrame(schema={"code": pl.String, "qty": pl.Float64, "QTY_delta": pl.Float64, "qty_": pl.Float64})
    assert between(empty, empty.drop("QTY_delta"), ["code"]).counts == (0, 0, 0, 0, 0)
    with pytest.raises(NamesCollide, match="'qty_delta'"):
        between(empty, empty, ["code", "QTY_delta"])


def test_any_name_of_a_column_is_quoted() -> None:
    schema = {'co"de': pl.String, "in_before": pl.Float64, "before_0": pl.Int64, "it's; --": pl.String}
    found = between(table(schema, ("a", 1.0, 1, "x")), table(schema, ("a", 2.0, 1, "y")), ['co"de'])
    assert found.rows[Kind.CHANGED].rows() == [("a", ["in_before", "it's; --"], 1.0, 2.0, 1.0, 1, 1, 0, "x", "y")]


def test_tables_without_values_or_without_rows() -> None:
    keys = table({"code": pl.String}, ("a",), ("b",))
    assert between(keys, keys, ["code"]).counts == (0, 0, 0, 2, 0)
    assert between(keys, keys.head(0), ["code"]).counts == (0, 2, 0, 0, 0)
    assert between(keys.head(1), keys.tail(1), ["code"]).counts == (1, 1, 0, 0, 0)


def test_what_neither_memory_nor_disk_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(diff.LIMITS, "memory_limit", "20MB")
    monkeypatch.setitem(diff.LIMITS, "max_temp_directory_size", "1MB")
    codes = pl.select(code=pl.int_range(100_000).cast(pl.String))
    before, after = (codes.with_columns(text=pl.col("code").hash(seed).cast(pl.String)) for seed in (1, 2))
    with pytest.raises(diff.ComparisonTooLarge, match="do not fit into the memory and the disk space"):
        between(before, after, ["code"])


def test_one_that_takes_too_long_is_stopped_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(connection: duckdb.DuckDBPyConnection, *_: object) -> None:
        connection.execute("SELECT count(*) FROM range(10000000) a(i), range(10000000) b(i) WHERE a.i * b.i = -1")

    monkeypatch.setattr(diff, "_join", endless)
    monkeypatch.setattr(diff, "SECONDS", 0.3)
    codes = pl.DataFrame({"code": ["a"]})
    with pytest.raises(diff.ComparisonTooLong, match=r"took more than 0\.3 seconds and was stopped"):
        between(codes, codes, ["code"])


def test_what_memory_does_not_hold_goes_to_the_disk_and_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(diff.LIMITS, "memory_limit", "60MB")
    codes = pl.select(code=pl.int_range(600_000).cast(pl.String), text=pl.lit("x" * 40))
    sides = [tmp_path / "before.parquet", tmp_path / "after.parquet"]
    codes.write_parquet(sides[0])
    codes.with_columns(text=pl.col("code").hash(1).cast(pl.String)).reverse().write_parquet(sides[1])
    folder, ended, seen = tmp_path / "out", threading.Event(), [0]
    folder.mkdir()

    def watch() -> None:
        while not ended.wait(0.005):
            with suppress(FileNotFoundError):
                seen.append(sum(path.stat().st_size for path in (folder / "spilled").iterdir()))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        found = diff.difference([sides[0]], [sides[1]], ["code"], folder)
    finally:
        ended.set()
        watching.join()
    assert (found.changed, found.added, found.removed) == (600_000, 0, 0)
    assert max(seen) > 1_000_000
    assert list(folder.glob("spilled/*")) == []
