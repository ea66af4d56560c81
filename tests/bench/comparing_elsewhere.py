"""Compares two Parquet files with the datacompy library, in an environment of its own, of which this house has nothing.
Arguments: the columns of the key and those left out, each with commas between; then both files."""

import json
import re
import sys
import time
from pathlib import Path

import datacompy  # type: ignore[import-not-found]
import polars as pl


def main() -> None:
    """Print what it took as JSON: seconds, CPU seconds, peak MiB, and how many rows changed."""
    key, left_out, *files = sys.argv[1:]
    started, used = time.perf_counter(), time.process_time()
    before, after = (pl.read_parquet(file).drop(left_out.split(",")) for file in files)
    found = datacompy.PolarsCompare(before, after, join_columns=key.split(","))
    changed = found.intersect_rows.height - found.count_matching_rows()
    shown = found.all_mismatch().height, found.df1_unq_rows.height, found.df2_unq_rows.height
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    told = {"seconds": seconds, "cpu": cpu, "peak": int(peak) / 1024, "rows": changed, "shown": shown}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
