"""Compares two Parquet files in a process, whose memory is its own. Arguments: `ours` or `bare`, then both files."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import msgspec

from analytics.compare import IGNORED
from analytics.compare.diff import LIMITS, difference
from stockverify.datasets import POSITIONS
from tests.bench.measured import peak_mib


def ours(before: Path, after: Path, folder: Path) -> int:
    """The whole difference, written as files; gives the number of changed rows."""
    return difference([before], [after], POSITIONS.key, folder, IGNORED).changed


def bare(before: Path, after: Path, folder: Path) -> int:
    """A full join of the same files on the same key, with the same limits, that looks at every column and keeps
    nothing; gives the number of rows."""
    values = [name for name in POSITIONS.names if name not in POSITIONS.key]
    counts = ", ".join(f"count(b.{name}), count(a.{name})" for name in values)
    with duckdb.connect(":memory:", config={**LIMITS, "temp_directory": str(folder)}) as connection:
        joined = f"FROM '{before}' b FULL JOIN '{after}' a USING ({', '.join(POSITIONS.key)})"
        ((rows, *_),) = connection.execute(f"SELECT count(*), {counts} {joined}").fetchall()
    return int(rows)


WAYS: dict[str, Callable[[Path, Path, Path], int]] = {"ours": ours, "bare": bare}


def main() -> None:
    """Print what it took as JSON: seconds, CPU seconds, peak MiB, and the number that came out."""
    way, before, after = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    with tempfile.TemporaryDirectory(dir=before.parent) as folder:
        started, used = time.perf_counter(), time.process_time()
        rows = WAYS[way](before, after, Path(folder))
        seconds, cpu = time.perf_counter() - started, time.process_time() - used
    sys.stdout.write(msgspec.json.encode({"seconds": seconds, "cpu": cpu, "peak": peak_mib(), "rows": rows}).decode())


if __name__ == "__main__":
    main()
