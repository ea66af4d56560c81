"""What the detectors look at: the tables of one snapshot, and the positions of an earlier one, by name in SQL."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import msgspec
import polars as pl

from analytics.anomalies.options import Options
from analytics.engine import engine, frame, texts

SECONDS = 1500.0
"""Below what the service waits for, so that it can say why."""
_SOURCE = "SELECT * FROM read_parquet($files_of_{name}, hive_partitioning = false)"
_WORD, _PARAMETER = re.compile(r"\w+"), re.compile(r"\$(\w+)")


class Files(NamedTuple):
    """The files of each table; without earlier positions nothing is compared with them."""

    positions: Sequence[Path]
    records: Sequence[Path]
    previous: Sequence[Path] = ()


class Frames:
    """The tables positions, records and previous, which SQL may name, with the options as its parameters."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, files: Files, options: Options) -> None:
        self._connection = connection
        self._values: dict[str, Any] = {f"files_of_{name}": texts(found) for name, found in files._asdict().items()}
        self._values |= msgspec.structs.asdict(options)
        if not files.previous:
            self._values["files_of_previous"] = self._values["files_of_positions"]
        self._sources = {name: _SOURCE.format(name=name) for name in Files._fields}
        self._sources["previous"] += "" if files.previous else " WHERE false"

    def ask(self, sql: str, **more: Any) -> pl.DataFrame:
        """The rows of a query that begins with its first common table, without WITH. `more` are further parameters."""
        words = set(_WORD.findall(sql))
        named = (f"{name} AS NOT MATERIALIZED ({source})" for name, source in self._sources.items() if name in words)
        whole = f"WITH {', '.join(named)}, {sql}"
        wanted = set(_PARAMETER.findall(whole))
        values = self._values | more
        return frame(self._connection, whole, {name: values[name] for name in wanted})


@contextmanager
def frames(files: Files, options: Options) -> Iterator[Frames]:
    """The tables of these files. Raises QueryTooLong or QueryTooBig."""
    with engine([path for paths in files for path in paths], seconds=SECONDS) as connection:
        yield Frames(connection, files, options)
