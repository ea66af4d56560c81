"""Positions by the million as benchmarks export them, made by column."""

from datetime import UTC, datetime

import polars as pl

NOW = datetime(2026, 1, 31, 18, 30, 15, 250_000, UTC)


def positions(rows: int) -> pl.DataFrame:
    """Lines of 20 floors and a rack for each 50, all counted, one in ten with a variance."""
    number = pl.int_range(rows, dtype=pl.Int64)
    text = number.cast(pl.String)
    return pl.select(
        floor=pl.lit("Floor ") + (number % 20).cast(pl.String),
        rack_id=pl.lit("R-") + (number // 50).cast(pl.String),
        bin=pl.lit(""),
        item_code=text.str.zfill(8),
        item_name=pl.lit("Item, number ") + text,
        category=pl.lit("Category ") + (number % 17).cast(pl.String),
        subcategory=pl.lit("Hand"),
        uom=pl.lit("EA"),
        unit_cost=(number % 5_000) / 100,
        book_qty=(number % 90).cast(pl.Float64),
        verified_qty=((number % 90) + (number % 10 == 0).cast(pl.Int64)).cast(pl.Float64),
        damage_qty=pl.lit(0.0),
        variance_qty=(number % 10 == 0).cast(pl.Float64),
        variance_value=(number % 10 == 0).cast(pl.Float64) * (number % 5_000) / 100,
        counted=pl.lit(True),
        in_book=pl.lit(True),
        round=pl.lit(1, pl.Int64),
        counted_by=pl.lit("ann"),
        counted_at=pl.lit(NOW).cast(pl.Datetime("ms", "UTC")),
    )
