"""DuckDB as this house uses it: in memory, over an explicit list of Parquet files, and able to touch nothing else.

Whoever reads them says `hive_partitioning = false`: a folder called `floor=9` on the way to the data directory would
otherwise be read as a column, in place of the file's own.

What does not fit into its memory spills into a folder of its own, which is gone afterwards.
"""

import os
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from analytics.lake.store import RemovedMeanwhile
from stockverify.datasets import HELD
from stockverify.errors import BadInput

# A quarter of the smallest machine we expect; two queries of two people still fit.
_LIMITS: dict[str, Any] = {"memory_limit": "1GB", "threads": 2, "max_temp_directory_size": "20GB"}
_OF_LAKE: dict[str, Any] = _LIMITS | {"memory_limit": "500MB", "enable_external_file_cache": False}
TELLS_PROGRESS = ("enable_progress_bar = true", "enable_progress_bar_print = false")


class QueryTooLong(BadInput):
    """The query took more than {seconds:g} seconds and was stopped. Narrow its filters, or group by fewer fields."""


class QueryTooBig(BadInput):
    """The query needs more memory than a query may have ({limit}, and what fits on the disk). Narrow its filters, or
    group by fewer fields."""


@contextmanager
def engine(files: Sequence[Path], seconds: float | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own for one use; it can read these files and reach nothing else. It costs 15 to 22 ms of
    processor time, four fifths of them DuckDB's own start.

    What its memory does not hold goes into a folder of its own beside the lake in which the files lie, or else in the
    system's folder for such things. After `seconds` what it does is stopped: QueryTooLong. Raises QueryTooBig and
    RemovedMeanwhile, too.
    """
    started = _started("allowed_paths", texts(files), _beside_lake(files), _LIMITS)
    with started as connection, all_there(files), limited(connection, seconds, seconds):
        yield connection


@contextmanager
def all_there(files: Sequence[Path]) -> Iterator[None]:
    """Says of a file that has vanished what has happened: DuckDB takes it for one that it may not read, and amid rows
    that are read in batches it is an OSError of Arrow. Raises RemovedMeanwhile."""
    try:
        yield
    except (duckdb.IOException, duckdb.PermissionException, OSError):
        if all(path.exists() for path in files):
            raise
        raise RemovedMeanwhile() from None


@contextmanager
def engine_of(root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can read what lies in a lake at `root` now and later, for work that asks many small questions
    of files that it is just writing: each takes a cursor, in a third of a millisecond (decision 0060). Only for SQL
    without a word from outside, since it could write there, too. Beside its memory there is what Python holds; it keeps
    nothing of what it has read. Raises QueryTooBig."""
    folders = [root, *((root / name).resolve() for name in HELD)]  # a dataset may be a link to another disk
    started = _started("allowed_directories", texts(folders), beside(root), _OF_LAKE)
    with started as connection, limited(connection, None, None, _OF_LAKE["memory_limit"]):
        yield connection


@contextmanager
def _started(
    allowed: str, paths: list[str], spill: Path | None, config: dict[str, Any]
) -> Iterator[duckdb.DuckDBPyConnection]:
    with _folder(spill) as folder, duckdb.connect(":memory:", config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET temp_directory = $folder", {"folder": str(folder)})
        connection.execute(f"SET {allowed} = $paths", {"paths": paths})
        for setting in ("enable_external_access = false", "python_enable_replacements = false", *TELLS_PROGRESS):
            connection.execute(f"SET {setting}")
        connection.execute("SET lock_configuration = true")
        yield connection


@contextmanager
def limited(
    connection: duckdb.DuckDBPyConnection, seconds: float | None, allowed: float | None, memory: str | None = None
) -> Iterator[None]:
    """Stops what a connection does after `seconds`, the rest of the time that it was `allowed`. Raises QueryTooLong or
    QueryTooBig: what stops an engine amid rows that are read in batches is an OSError of Arrow with its words."""
    try:
        with stopped_after(connection, seconds):
            yield
    except (duckdb.Error, OSError) as error:
        if isinstance(error, duckdb.InterruptException) or str(error).startswith("INTERRUPT"):
            raise QueryTooLong(seconds=allowed) from None
        if isinstance(error, duckdb.OutOfMemoryException) or str(error).startswith("Out of Memory"):
            raise QueryTooBig(limit=memory or _LIMITS["memory_limit"]) from None
        raise


@contextmanager
def stopped_after(connection: duckdb.DuckDBPyConnection, seconds: float | None) -> Iterator[None]:
    """Interrupts what a connection does after `seconds`, in DuckDB's own words."""
    timer = threading.Timer(seconds or 0, connection.interrupt)
    timer.daemon = True
    try:
        if seconds is not None:
            timer.start()
        yield
    finally:
        timer.cancel()
        if timer.ident is not None:
            timer.join()  # it must not interrupt a connection that has been closed meanwhile


@contextmanager
def _folder(spill: Path | None) -> Iterator[Path]:
    """A name that nobody else uses; DuckDB makes the folder when it needs it. Folders of processes that were killed
    are removed here by whoever comes next."""
    with ExitStack() as stack:
        place = (spill or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stockverify-")))).absolute()
        place.mkdir(parents=True, exist_ok=True)
        for left in place.iterdir():
            if not _alive(left.name.partition("-")[0]):
                shutil.rmtree(left, ignore_errors=True)
        folder = place / f"{os.getpid()}-{uuid.uuid4().hex}"
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


def _beside_lake(files: Sequence[Path]) -> Path | None:
    """For files of a lake, which lie in `lake/{dataset}/{snapshot_id}/`."""
    lakes = (path.absolute().parents[2] for path in files[:1])
    return next((beside(lake) for lake in lakes if any((lake / name).is_dir() for name in HELD)), None)


def _alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    with suppress(ProcessLookupError, OverflowError):
        try:
            os.kill(int(pid), 0)
        except PermissionError:
            return True
        return True
    return False


def beside(lake: Path) -> Path:
    """Where what reads the lake of that folder spills: in the data directory, next to it."""
    return lake.parent / "spill"


def texts(files: Sequence[Path]) -> list[str]:
    """Paths as DuckDB is given them, in its settings and in its queries alike."""
    return [str(path.absolute()) for path in files]


Parameters = Mapping[str, Any]


def one(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Parameters | None = None) -> tuple[Any, ...]:
    """The only row of a query. All are fetched: a result of which one row was fetched stays open until the next
    statement, with its transaction and its files."""
    (row,) = connection.execute(sql, parameters).fetchall()
    found: tuple[Any, ...] = row
    return found


def frame(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Parameters) -> pl.DataFrame:
    """The rows of a query; instants come back in UTC."""
    rows: pl.DataFrame = connection.sql(sql, params=dict(parameters)).pl()
    instants = [name for name, kind in rows.schema.items() if isinstance(kind, pl.Datetime)]
    return rows.with_columns(pl.col(instants).cast(pl.Datetime("ms", "UTC")))
