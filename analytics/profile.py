"""What the columns of a table hold: how many values, how many different ones, in which range, and the commonest."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from analytics.engine import engine, one, texts
from stockverify.datasets import Type

EXACT_ROWS = 2_000_000
"""Above it only columns of few different values are counted value by value, which is a group for each; of the others
DuckDB's sketch says how many there are, to a few per cent."""
EXACT_VALUES = 50_000
SECONDS = 60.0
TOP = 5

_ORDERED = (Type.FLOAT, Type.INTEGER, Type.STRING, Type.INSTANT)
_SOURCE = "read_parquet($files, hive_partitioning = false)"


class Common(NamedTuple):
    """A value, and in how many rows it is."""

    value: Any
    rows: int


class Profile(NamedTuple):
    """One column. `distinct` is exact unless `about`; of lists all values in them count, and `nulls` are empty ones
    too. `smallest`, `largest` and `mean` are null where a type has none."""

    name: str
    type: Type
    rows: int
    nulls: int
    distinct: int
    about: bool
    smallest: Any
    largest: Any
    mean: float | None
    top: tuple[Common, ...]


def profile(files: Sequence[Path], columns: Sequence[tuple[str, Type]]) -> tuple[Profile, ...]:
    """The profile of each column of these Parquet files, in their order. Raises QueryTooLong or QueryTooBig."""
    if not columns:
        return ()
    with engine(files, seconds=SECONDS) as connection:
        parameters = {"files": texts(files)}
        asked = ", ".join(part for name, kind in columns for part in _measures(name, kind))
        count, *measured = one(connection, f"SELECT count(*), {asked} FROM {_SOURCE}", parameters)  # noqa: S608
        each = iter(measured)
        return tuple(
            _profiled(connection, parameters, name, kind, count, [next(each) for _ in range(5)])
            for name, kind in columns
        )


def _measures(name: str, kind: Type) -> Iterator[str]:
    """Filled rows, a sketch of the different values, the smallest, the largest, the mean."""
    column = _quoted(name)
    yield f"count(*) FILTER (len({column}) > 0)" if kind is Type.STRINGS else f"count({column})"
    yield f"approx_count_distinct({column})"
    yield from (f"min({column})", f"max({column})") if kind in _ORDERED else ("NULL", "NULL")
    yield f"avg({column})" if kind in (Type.FLOAT, Type.INTEGER) else "NULL"


def _profiled(
    connection: duckdb.DuckDBPyConnection,
    parameters: dict[str, Any],
    name: str,
    kind: Type,
    count: int,
    measured: Sequence[Any],
) -> Profile:
    filled, sketch, smallest, largest, mean = measured
    exact = count <= EXACT_ROWS or sketch <= EXACT_VALUES
    distinct, top = _values(connection, parameters, name, kind) if exact else (sketch, ())
    return Profile(name, kind, count, count - filled, distinct, not exact, smallest, largest, mean, top)


def _values(
    connection: duckdb.DuckDBPyConnection, parameters: dict[str, Any], name: str, kind: Type
) -> tuple[int, tuple[Common, ...]]:
    """How many different values there are, and those of most rows; of equally many the smaller value comes first."""
    column = f"unnest({_quoted(name)})" if kind is Type.STRINGS else _quoted(name)
    sql = f"""
        WITH held AS (SELECT {column} AS value FROM {_SOURCE}),
        counted AS (SELECT value, count(*) AS rows FROM held WHERE value IS NOT NULL GROUP BY value)
        SELECT value, rows, (SELECT count(*) FROM counted) FROM counted ORDER BY rows DESC, value LIMIT {TOP}
    """  # noqa: S608 - the name is quoted, the number ours
    found = connection.execute(sql, parameters).fetchall()
    return (found[0][2] if found else 0), tuple(Common(value, rows) for value, rows, _ in found)


def _quoted(name: str) -> str:
    """A column as an identifier: names of measures come from clients, by way of the checked query."""
    return '"' + name.replace('"', '""') + '"'
