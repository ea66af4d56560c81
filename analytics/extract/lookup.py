"""Rows of published files by their keys: which there are, which are left without them, and which come twice.

The engine is one of the lake that the files lie in (`analytics.engine.engine_of`).
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from analytics.engine import one, texts
from analytics.extract.moment import Totals, sums
from stockverify.datasets import Dataset

_BATCH = 20_000
_ROWS_AT_ONCE = 4_000_000


def found(engine: DuckDBPyConnection, files: Sequence[Path], columns: Sequence[str], keys: pa.Table) -> pa.Table:
    """The rows whose key is among `keys`, each with its `filename`. Null equals null."""
    if not len(keys):
        return _nothing(files[0], columns)
    chosen = ", ".join(f'd."{name}"' for name in columns)
    rows_of = "read_parquet($files, filename = true, hive_partitioning = false)"
    sql = f"SELECT filename, {chosen} FROM {rows_of} d SEMI JOIN keys k ON {_same(keys)}"  # noqa: S608
    with engine.cursor() as connection:
        connection.register("keys", keys)
        rows: pa.Table = connection.sql(sql, params={"files": texts(files)}).to_arrow_table()
        return rows


def gone(
    engine: DuckDBPyConnection, files: Sequence[Path], names: Sequence[str], keys: pa.Table
) -> tuple[set[str], Totals]:
    """The files that hold rows whose key is among `keys`, and what these rows come to, counted and added up."""
    if not len(keys):
        return set(), Totals(0, dict.fromkeys(names, 0.0))
    added = "".join(f', coalesce(fsum(d."{name}"), 0)' for name in names)
    rows_of = "read_parquet($files, filename = true, hive_partitioning = false)"
    sql = f"SELECT filename, count(*){added} FROM {rows_of} d SEMI JOIN keys k ON {_same(keys)} GROUP BY filename"  # noqa: S608
    with engine.cursor() as connection:
        connection.register("keys", keys)
        rows = connection.execute(sql, {"files": texts(files)}).fetchall()
    sums = {name: math.fsum(row[place] for row in rows) for place, name in enumerate(names, 2)}
    return {row[0] for row in rows}, Totals(sum(row[1] for row in rows), sums)


def left(engine: DuckDBPyConnection, files: Sequence[Path], keys: pa.Table) -> Iterator[pa.Table]:
    """The rows whose key is not among `keys`, in batches."""
    if not files:
        return
    sql = f"SELECT d.* FROM read_parquet($files, hive_partitioning = false) d ANTI JOIN keys k ON {_same(keys)}"  # noqa: S608
    with engine.cursor() as connection:
        connection.register("keys", keys)
        for batch in connection.sql(sql, params={"files": texts(files)}).to_arrow_reader(_BATCH):
            yield pa.Table.from_batches([batch])


def differing(before: pa.Table, after: pa.Table) -> pa.Table:
    """The rows that only one of two tables with the same columns has."""
    same = after.select(before.column_names).cast(before.schema)
    old, new = (pl.DataFrame(pl.from_arrow(table)) for table in (before, same))
    pairs = ((old, new), (new, old))
    only = pl.concat(one.join(other, on=old.columns, how="anti", nulls_equal=True) for one, other in pairs)
    return only.to_arrow().cast(before.schema)


def twice_and_totals(
    engine: DuckDBPyConnection, dataset: Dataset, files: Sequence[Path], rows: int
) -> tuple[str | None, Totals]:
    """A key that several rows have, or None; and what the files themselves hold, counted and added up."""
    names = sums(dataset)
    added = "".join(f', coalesce(fsum("{name}"), 0)' for name in names)
    sql = f"SELECT count(*){added} FROM read_parquet($files, hive_partitioning = false)"  # noqa: S608
    with engine.cursor() as connection:
        key = _twice(connection, dataset, files, rows)
        counted, *values = one(connection, sql, {"files": texts(files)})
    return key, Totals(counted, dict(zip(names, values, strict=True)))


def _twice(connection: DuckDBPyConnection, dataset: Dataset, files: Sequence[Path], rows: int) -> str | None:
    """Memory holds a share of the keys at a time."""
    key = ", ".join(f'"{name}"' for name in dataset.key)
    shares = 1 + rows // _ROWS_AT_ONCE
    sql = f"""SELECT {key} FROM read_parquet($files, hive_partitioning = false) WHERE hash({key}) % $shares = $share
        GROUP BY {key} HAVING count(*) > 1 LIMIT 1"""  # noqa: S608
    for share in range(shares):
        parameters = {"files": texts(files), "shares": shares, "share": share}
        for row in connection.execute(sql, parameters).fetchall():
            return ", ".join(str(value) for value in row)
    return None


def twice_among(engine: DuckDBPyConnection, dataset: Dataset, files: Sequence[Path], keys: pa.Table) -> str | None:
    """One of these keys that several rows have, or None."""
    if not len(keys):
        return None
    rows = found(engine, files, dataset.key, keys).select(list(dataset.key))
    counted = rows.group_by(list(dataset.key)).aggregate([([], "count_all")])
    several = [row for row in counted.to_pylist() if row["count_all"] > 1][:1]
    return ", ".join(str(several[0][name]) for name in dataset.key) if several else None


def _nothing(file: Path, columns: Sequence[str]) -> pa.Table:
    empty = pq.read_schema(file).empty_table().select(list(columns))
    return empty.append_column("filename", pa.array([], pa.string()))


def _same(keys: pa.Table) -> str:
    return " AND ".join(f'd."{name}" IS NOT DISTINCT FROM k."{name}"' for name in keys.column_names)
