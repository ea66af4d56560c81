"""The difference of two tables that share their columns and a key. Pure: frames in, frames out."""

from collections.abc import Sequence

import polars as pl
from msgspec import Struct

_HERE, _THERE = "in_before", "in_after"
_MILLIONTH = 6


class Diff(Struct, frozen=True):
    """`added` and `removed` hold whole rows; `changed` the key, then `{column}_before`, `{column}_after` and, for
    numbers, `{column}_delta`; `key_duplicates` the keys that occur more than once in either table, with how often.
    Rows with such a key are in none of the other parts. Everything is sorted by key."""

    key: tuple[str, ...]
    columns: tuple[str, ...]
    added: pl.DataFrame
    removed: pl.DataFrame
    changed: pl.DataFrame
    key_duplicates: pl.DataFrame
    unchanged_count: int
    column_changes: dict[str, int]


def diff(before: pl.LazyFrame, after: pl.LazyFrame, key: Sequence[str], ignore: Sequence[str] = ()) -> Diff:
    """Compare rows with equal keys; null equals null and NaN equals NaN. Columns in `ignore` make no row changed."""
    names = before.collect_schema().names()
    values = [name for name in names if name not in key]
    compared = [name for name in values if name not in ignore]
    duplicates = _duplicates(before, after, key)
    both = _joined(_without(before, duplicates, key), _without(after, duplicates, key), key, values)
    matched = both.filter(pl.col(_HERE) & pl.col(_THERE))
    differs = matched.select(_differs(name).alias(name) for name in compared)
    is_changed = matched.select(
        pl.repeat(False, pl.len()) | pl.any_horizontal(False, *map(_differs, compared))
    ).to_series()
    return Diff(
        key=tuple(key),
        columns=tuple(names),
        added=_side(both.filter(pl.col(_HERE).not_()), "after", names, key),
        removed=_side(both.filter(pl.col(_THERE).not_()), "before", names, key),
        changed=_changed(matched.filter(is_changed), key, values),
        key_duplicates=duplicates,
        unchanged_count=int((~is_changed).sum()),
        column_changes={name: int(differs[name].sum()) for name in compared if differs[name].any()},
    )


def _duplicates(before: pl.LazyFrame, after: pl.LazyFrame, key: Sequence[str]) -> pl.DataFrame:
    counts = [
        side.group_by(key).agg(pl.len().cast(pl.Int64).alias(name)).filter(pl.col(name) > 0)
        for side, name in ((before, "before_rows"), (after, "after_rows"))
    ]
    joined = counts[0].join(counts[1], on=list(key), how="full", coalesce=True, nulls_equal=True)
    rows = pl.col("before_rows", "after_rows")
    return joined.with_columns(rows.fill_null(0)).filter(pl.any_horizontal(rows > 1)).sort(key).collect()


def _without(side: pl.LazyFrame, duplicates: pl.DataFrame, key: Sequence[str]) -> pl.LazyFrame:
    return side.join(duplicates.lazy(), on=list(key), how="anti", nulls_equal=True)


def _joined(before: pl.LazyFrame, after: pl.LazyFrame, key: Sequence[str], values: Sequence[str]) -> pl.DataFrame:
    left = before.select(*key, pl.col(values).name.suffix("_before"), pl.lit(True).alias(_HERE))
    right = after.select(*key, pl.col(values).name.suffix("_after"), pl.lit(True).alias(_THERE))
    joined = left.join(right, on=list(key), how="full", coalesce=True, nulls_equal=True)
    return joined.with_columns(pl.col(_HERE, _THERE).fill_null(False)).sort(key).collect()


def _differs(name: str) -> pl.Expr:
    return pl.col(f"{name}_before").ne_missing(pl.col(f"{name}_after"))


def _side(rows: pl.DataFrame, side: str, names: Sequence[str], key: Sequence[str]) -> pl.DataFrame:
    return rows.select(pl.col(name if name in key else f"{name}_{side}").alias(name) for name in names)


def _changed(rows: pl.DataFrame, key: Sequence[str], values: Sequence[str]) -> pl.DataFrame:
    columns: list[pl.Expr] = [pl.col(name) for name in key]
    for name in values:
        before, after = pl.col(f"{name}_before"), pl.col(f"{name}_after")
        columns += [before, after]
        if rows.schema[f"{name}_before"].is_numeric():
            columns.append((after - before).round(_MILLIONTH).alias(f"{name}_delta"))
    return rows.select(columns)
