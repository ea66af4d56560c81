"""How values look in files that people open: instants in the zone of the house, several values as a JSON list."""

import polars as pl

from stockverify.datasets import Type

# A text that begins with one of these is taken for a formula by spreadsheets that read a CSV file.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
GUARD = "'"

Columns = tuple[tuple[str, Type], ...]


# With its offset, so that a time read back is the same instant.
_WHOLE_MINUTES = pl.datetime(1972, 2, 1, time_unit="ms", time_zone="UTC")
_INSTANT = "%Y-%m-%dT%H:%M:%S%.3f%:z"


def zoned(frame: pl.DataFrame, columns: Columns, zone: str) -> pl.DataFrame:
    """Instants as ISO 8601 texts in the zone. Not as Python's datetime, which fails at the ends of its range:
    a device may claim to have counted in the year 1."""
    return frame.with_columns(instant_text(name, zone).alias(name) for name, kind in columns if kind is Type.INSTANT)


def instant_text(name: str, zone: str) -> pl.Expr:
    """An instant in the zone; in UTC before 1972, when offsets had seconds, which the text of an offset has not."""
    instant = pl.col(name)
    local = instant.dt.convert_time_zone(zone).dt.strftime(_INSTANT)
    return pl.when(instant < _WHOLE_MINUTES).then(instant.dt.strftime(_INSTANT)).otherwise(local)


def flat(frame: pl.DataFrame, columns: Columns, zone: str) -> pl.DataFrame:
    """The same, with lists as JSON texts too: one value per cell."""
    return zoned(listed(frame, columns), columns, zone)


def listed(frame: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Lists as JSON texts, instants as they are."""
    lists = [name for name, kind in columns if kind is Type.STRINGS]
    return frame.with_columns(pl.when(pl.col(name).is_not_null()).then(_json(name)).alias(name) for name in lists)


def guarded(frame: pl.DataFrame) -> pl.DataFrame:
    """Texts that a spreadsheet would take for a formula, with an apostrophe before them.

    Texts that begin with an apostrophe get one too, so taking away one leading apostrophe gives every text back.
    """
    return frame.with_columns(
        pl.when(_risky(name)).then(pl.lit(GUARD) + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name, dtype in frame.schema.items()
        if dtype == pl.String
    )


def guarded_text(text: str) -> str:
    """The same for one text."""
    return GUARD + text if text.startswith((*FORMULA_STARTS, GUARD)) else text


def longest_text(column: pl.Series) -> int:
    """The number of characters of the longest text; 0 when there is none."""
    return max((length for length in column.str.len_chars() if length is not None), default=0)


def _risky(name: str) -> pl.Expr:
    return pl.any_horizontal(*(pl.col(name).str.starts_with(start) for start in (*FORMULA_STARTS, GUARD)))


def _json(name: str) -> pl.Expr:
    """The list as JSON: what Polars writes of an object with it alone, without that object."""
    written = pl.struct(pl.col(name).alias("x")).struct.json_encode()
    return written.str.strip_prefix('{"x":').str.strip_suffix("}")
