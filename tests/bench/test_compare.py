"""Comparisons against a bare full join in DuckDB of the same files, and against the datacompy library.

BENCH_COMPARED sets how many rows each side has (1,000,000 by default). One row in a hundred is changed, and one in a
thousand is only on one side.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from analytics.compare import IGNORED
from stockverify.datasets import POSITIONS

ROWS = int(os.environ.get("BENCH_COMPARED", "1000000"))
TURNS = 3
ROOT = Path(__file__).parents[2]
ELSEWHERE = ROOT / "var" / "datacompy"
HERE = Path(__file__).parent

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Positions of two snapshots, with texts, numbers and instants as a store has them."""
    folder = tmp_path_factory.mktemp("compared")
    with duckdb.connect() as connection:
        for name, is_after in (("before", 0), ("after", 1)):
            connection.execute(_POSITIONS, {"rows": ROWS, "is_after": is_after})
            connection.table("positions").write_parquet(str(folder / f"{name}.parquet"), compression="zstd")
    return [folder / "before.parquet", folder / "after.parquet"]


def measured(python: Path | str, *arguments: str | Path) -> dict[str, Any]:
    done = subprocess.run([python, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = msgspec.json.decode(done.stdout)
    return found


def best(way: str, pair: list[Path]) -> dict[str, Any]:
    """The fastest of some turns: what else the machine does only ever makes one slower."""
    turns = [measured(sys.executable, "-m", "tests.bench.comparing", way, *pair) for _ in range(TURNS)]
    return min(turns, key=lambda turn: float(turn["seconds"]))


def told(name: str, found: dict[str, Any]) -> str:
    return f"{name} {found['seconds']:.2f} s ({found['cpu']:.2f} s of CPU, {found['peak']:.0f} MiB)"


def test_against_a_bare_full_join(pair: list[Path]) -> None:
    bare, ours = best("bare", pair), best("ours", pair)
    assert ours["rows"] == len(range(0, ROWS, 100))
    print(
        f"\n  {ROWS:,} rows on each side: {told('bare full join', bare)}; {told('comparison', ours)}:"
        f" {ours['seconds'] / bare['seconds']:.2f} times as long (aim: at most 2, memory bounded)"
    )


def test_against_datacompy(pair: list[Path]) -> None:
    if not (ELSEWHERE / "bin" / "python").exists():
        venv.create(ELSEWHERE, with_pip=True)
        subprocess.run([ELSEWHERE / "bin" / "pip", "install", "--quiet", "datacompy"], check=True)
    arguments = ",".join(POSITIONS.key), ",".join(IGNORED)
    theirs = measured(ELSEWHERE / "bin" / "python", HERE / "comparing_elsewhere.py", *arguments, *pair)
    ours = best("ours", pair)
    assert ours["rows"] == theirs["rows"]
    print(
        f"\n  {ROWS:,} rows on each side: {told('datacompy', theirs)}; {told('comparison', ours)}:"
        f" {theirs['seconds'] / ours['seconds']:.1f} times as fast (aim: faster)"
    )


_POSITIONS = """
CREATE OR REPLACE TABLE positions AS
SELECT 'Floor ' || i % 7 AS floor, 'R' || i // 200 AS rack_id, 'B' || i % 12 AS bin,
    lpad((i * 7919 % 1000003)::VARCHAR, 8, '0') || i % 200 AS item_code,
    'Name of item number ' || i * 31 % 50000 AS item_name, 'Category ' || i % 23 AS category,
    'Part ' || i % 91 AS subcategory, 'EA' AS uom, cost AS unit_cost, book AS book_qty, verified AS verified_qty,
    (i % 3)::DOUBLE AS damage_qty, verified - book AS variance_qty, (verified - book) * cost AS variance_value,
    TRUE AS counted, TRUE AS in_book, 1::BIGINT AS round, 'counter' || i % 40 AS counted_by,
    to_timestamp(1770000000 + i % 86400 + 500 * $is_after) AS counted_at
FROM (
    SELECT i, round(1 + i % 1000 / 7.0, 2)::DOUBLE AS cost, (i % 97)::DOUBLE AS book,
        book - (i * 7 % 11 = 0)::INTEGER + ($is_after = 1 AND i % 100 = 0)::INTEGER AS verified
    FROM range($rows) t(i)
    WHERE NOT ($is_after = 0 AND i % 1000 = 1) AND NOT ($is_after = 1 AND i % 1000 = 2)
)
"""
