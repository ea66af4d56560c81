"""The difference of two tables in Parquet files, written as Parquet files. Memory is bounded: what does not fit goes to
a folder on the disk, and the result is never held whole."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from msgspec import Struct

from analytics.compare import sql
from analytics.compare.columns import Plan, Schema, planned
from analytics.compare.tolerance import Tolerances
from analytics.engine import TELLS_PROGRESS, all_there, one, stopped_after, texts
from analytics.watching import Stopped, Watch
from stockverify.datasets import Type
from stockverify.errors import BadInput, TooLarge

SECONDS = 1500.0
"""Below what the service waits for, so that it can say why. Ten million rows take twelve seconds."""
LIMITS: dict[str, Any] = {
    "memory_limit": "1GB",
    "threads": 2,
    "max_temp_directory_size": "40GB",
    "preserve_insertion_order": False,
}
_LOGICAL = {
    "VARCHAR": Type.STRING,
    "DOUBLE": Type.FLOAT,
    "FLOAT": Type.FLOAT,
    "BIGINT": Type.INTEGER,
    "INTEGER": Type.INTEGER,
    "BOOLEAN": Type.BOOLEAN,
    "TIMESTAMP WITH TIME ZONE": Type.INSTANT,
    "VARCHAR[]": Type.STRINGS,
}
_HASHED, _JOINED = 0.2, 0.8
"""How much of a comparison is done then, of a tenth of the rows changed."""
ROWS_PER_GROUP = 20_480
"""Rows that a reader of one page has to unpack, and that a writer holds in memory for each thread."""


class ComparisonTooLong(BadInput):
    """The comparison took more than {seconds:g} seconds and was stopped. Compare two report snapshots of the rows that
    matter instead of everything."""


class ComparisonTooLarge(TooLarge):
    """These two do not fit into the memory and the disk space that a comparison may use: {reason}. Compare less at
    once, or make room on the disk of the data directory."""


class Difference(Struct, frozen=True):
    """How two tables differ: numbers of rows, and of rows per column. The rows lie in one file of each kind.

    `within` counts matched rows that are unchanged only thanks to tolerances; they are among `unchanged`. Rows whose
    key occurs more than once on a side are in `key_duplicates` (as keys) and nowhere else.
    """

    plan: Plan
    added: int
    removed: int
    changed: int
    unchanged: int
    within: int
    key_duplicates: int
    column_changes: dict[str, int]
    column_within: dict[str, int]


def difference(
    before: Sequence[Path],
    after: Sequence[Path],
    key: Sequence[str],
    folder: Path,
    ignore: Sequence[str] = (),
    tolerances: Tolerances | None = None,
    watch: Watch | None = None,
) -> Difference:
    """Write `{kind}.parquet` for every kind of rows into `folder`, each sorted by key with nulls first.

    Null equals null, NaN equals NaN, -0.0 equals 0.0; a key is equal in the same sense. `delta` is after - before,
    rounded to a millionth. Raises KeyNotComparable, BadTolerance, NamesCollide, ComparisonTooLarge or Stopped.
    """
    watch = watch or Watch()
    with connected((*before, *after), folder, watch) as connection:
        schemas = _table(connection, sql.BEFORE, before), _table(connection, sql.AFTER, after)
        plan = planned(*schemas, key, ignore, tolerances)
        bind(connection, plan)
        wanted = sql.statements(plan)
        rows = _keep_differing(connection, wanted, folder, watch)
        watch.phase(_JOINED, 1.0)
        for kind, statement in wanted.rows.items():
            written(connection, statement, folder / kind.file)
        return counted(connection, plan, rows)


@contextmanager
def connected(files: Sequence[Path], folder: Path, watch: Watch) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads these files, writes into this folder, and reaches nothing else."""
    config = {**LIMITS, "temp_directory": str((folder / "spilled").absolute())}
    with duckdb.connect(":memory:", config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET allowed_paths = $paths", {"paths": texts(files)})
        connection.execute("SET allowed_directories = $folders", {"folders": texts([folder])})
        for name in ("enable_external_access = false", "python_enable_replacements = false", *TELLS_PROGRESS):
            connection.execute(f"SET {name}")
        connection.execute("SET lock_configuration = true")
        try:
            with all_there(files), stopped_after(connection, SECONDS), watch.over(connection):
                yield connection
        except duckdb.OutOfMemoryException as error:
            raise ComparisonTooLarge(reason=str(error).splitlines()[0]) from None
        except duckdb.InterruptException:
            if watch.stopped:
                raise Stopped() from None
            raise ComparisonTooLong(seconds=SECONDS) from None


def _table(connection: duckdb.DuckDBPyConnection, name: str, files: Sequence[Path]) -> Schema:
    rows = connection.read_parquet(texts(files), hive_partitioning=False)
    rows.create_view(name)
    return schema(rows)


def schema(rows: duckdb.DuckDBPyRelation) -> Schema:
    """The columns of these rows, each with its logical type, or DuckDB's own where there is none."""
    return {column: _LOGICAL.get(str(kind), str(kind)) for column, kind in zip(rows.columns, rows.types, strict=True)}


def bind(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Give it the sizes of the tolerances."""
    for place, value in plan.compared:
        if tolerance := value.tolerance:
            for name, size in (("absolute", tolerance.absolute), ("relative", tolerance.relative)):
                if size is not None:
                    connection.execute(f"SET VARIABLE {name}_{place} = $size", {"size": float(size)})


def _keep_differing(connection: duckdb.DuckDBPyConnection, wanted: sql.Statements, folder: Path, watch: Watch) -> int:
    """Sets doubled keys aside and joins the rest. Gives the number of rows before, without those set aside.

    Keys are counted only if there is reason to. Hashes tell that those before are unique, in a fifth of the time. Then
    a row after joins one row at most, and the numbers of rows tell whether any row before was joined twice.
    """
    watch.phase(0.0, _HASHED)
    different, before = one(connection, wanted.unique_before)
    watch.phase(_HASHED, _JOINED)
    if different == before:
        _set_aside(connection, f"{wanted.doubled} LIMIT 0")
        _join(connection, wanted, folder)
        removed, added, different = one(connection, wanted.alone)
        (after,) = one(connection, wanted.rows_after)
        if (before - removed, different) == (after - added, added):
            return int(before)
    _set_aside(connection, wanted.doubled)
    _join(connection, wanted, folder)
    (aside,) = one(connection, sql.SET_ASIDE)
    return int(before - aside)


def _set_aside(connection: duckdb.DuckDBPyConnection, doubled: str) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {sql.DOUBLED} AS {doubled}")


def _join(connection: duckdb.DuckDBPyConnection, wanted: sql.Statements, folder: Path) -> None:
    path = folder / f"{sql.DIFFERING}.parquet"
    path.unlink(missing_ok=True)
    connection.sql(wanted.differing).write_parquet(str(path), row_group_size=ROWS_PER_GROUP)
    connection.read_parquet(str(path), hive_partitioning=False).create_view(sql.DIFFERING)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {sql.JUDGED} AS {wanted.judged}")


def written(connection: duckdb.DuckDBPyConnection, statement: str, path: Path) -> None:
    """Write the rows of a statement to a file that is read a page at a time."""
    connection.sql(statement).write_parquet(str(path), compression="zstd", row_group_size=ROWS_PER_GROUP)


def counted(connection: duckdb.DuckDBPyConnection, plan: Plan, before: int) -> Difference:
    """The outcome of which the rows are judged; so many rows before have a key that occurs once."""
    doubled, removed, added, changed, within, *columns = map(int, one(connection, sql.statements(plan).tally))
    names = [value.name for _, value in plan.compared]
    return Difference(
        plan=plan,
        added=added,
        removed=removed,
        changed=changed,
        unchanged=before - removed - changed,
        within=within,
        key_duplicates=doubled,
        column_changes=_some(names, columns[::2]),
        column_within=_some(names, columns[1::2]),
    )


def _some(names: Sequence[str], numbers: Sequence[int]) -> dict[str, int]:
    return {name: number for name, number in zip(names, numbers, strict=True) if number}
