import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import duckdb
import polars as pl
import pytest

from analytics.engine import _LIMITS, QueryTooBig, QueryTooLong, engine, engine_of, frame, one, texts
from analytics.lake.store import RemovedMeanwhile
from analytics.watching import Watch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"a": [2]}).write_parquet(tmp_path / "b.parquet")
    return tmp_path / "a.parquet"


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """A file of a lake; what reads it spills into `spill` beside that."""
    path = tmp_path / "lake" / "positions" / "20260101T000000000Z-00000000" / "part-00000.parquet"
    path.parent.mkdir(parents=True)
    pl.DataFrame({"a": [1]}).write_parquet(path)
    return path


def test_it_reads_the_files_it_was_given(file: Path) -> None:
    with engine([file]) as connection:
        found = frame(connection, "SELECT * FROM read_parquet($files)", {"files": texts([file])})
    assert found.to_dicts() == [{"a": 1}]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_parquet('{other}')",
        "SELECT * FROM read_parquet('{folder}/*.parquet')",
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '{folder}/c.csv'",
        "COPY (SELECT 1 AS a) TO '{file}' (FORMAT parquet)",
        "ATTACH '{folder}/x.db'",
        "INSTALL httpfs",
        "SET memory_limit = '100GB'",
        "SET enable_external_access = true",
        "SELECT * FROM outside",
    ],
)
def test_it_reaches_nothing_else(file: Path, statement: str) -> None:
    outside = pl.DataFrame({"a": [1]})
    assert outside.height == 1
    text = statement.format(other=file.with_name("b.parquet"), folder=file.parent, file=file)
    with engine([file]) as connection, pytest.raises(duckdb.Error):
        connection.execute(text).fetchall()
    assert sorted(path.name for path in file.parent.iterdir()) == ["a.parquet", "b.parquet"]
    assert pl.read_parquet(file).to_dicts() == [{"a": 1}]


def test_what_is_removed_meanwhile_is_gone_and_not_forbidden(file: Path) -> None:
    other = file.with_name("b.parquet")
    with pytest.raises(RemovedMeanwhile, match="removed while it was read"), engine([file, other]) as connection:
        other.unlink()
        connection.execute("SELECT * FROM read_parquet($files)", {"files": texts([file, other])}).fetchall()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_parquet('{outside}')",
        "SELECT * FROM read_parquet('{folder}/../outside.parquet')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_parquet('{link}')",
        "ATTACH '{outside}.db'",
        "SET enable_external_access = true",
    ],
)
def test_one_of_a_lake_reaches_nothing_beside_it(tmp_path: Path, held: Path, statement: str) -> None:
    lake, outside = tmp_path / "lake", tmp_path / "outside.parquet"
    pl.DataFrame({"a": [2]}).write_parquet(outside)
    (lake / "link.parquet").symlink_to(outside)
    text = statement.format(outside=outside, folder=lake, link=lake / "link.parquet")
    with engine_of(lake) as made, made.cursor() as one_use:
        assert one_use.execute("SELECT a FROM read_parquet($files)", {"files": texts([held])}).fetchall() == [(1,)]
        with pytest.raises(duckdb.Error):
            one_use.execute(text).fetchall()


def test_a_dataset_of_a_lake_may_lie_on_another_disk(tmp_path: Path, held: Path) -> None:
    elsewhere = tmp_path / "other disk" / "positions"
    elsewhere.parent.mkdir()
    held.parents[1].rename(elsewhere)
    held.parents[1].symlink_to(elsewhere)
    with engine_of(tmp_path / "lake") as made, made.cursor() as one_use:
        assert one_use.execute("SELECT a FROM read_parquet($files)", {"files": texts([held])}).fetchall() == [(1,)]


def test_how_far_a_query_is_is_told(tmp_path: Path) -> None:
    watch = Watch()
    watch.phase(0.0, 1.0)
    with suppress(QueryTooLong), engine([], seconds=3) as connection, watch.over(connection):
        connection.execute("CREATE TABLE t AS SELECT range % 100000 AS a FROM range(3000000)")
        while not watch.done:
            connection.execute("SELECT count(*) FROM (SELECT a, list(a) FROM t GROUP BY a)").fetchall()
    assert watch.done > 0


def test_one_of_a_lake_that_is_not_there_yet_reads_what_is_written_later(tmp_path: Path) -> None:
    file = tmp_path / "lake" / "positions" / "part.parquet"
    with engine_of(tmp_path / "lake") as made:
        file.parent.mkdir(parents=True)
        pl.DataFrame({"a": [1]}).write_parquet(file)
        with made.cursor() as one_use:
            assert one_use.execute("SELECT a FROM read_parquet($files)", {"files": texts([file])}).fetchall() == [(1,)]


ENDLESS = "SELECT count(*) AS n FROM range(10000000) AS a, range(10000000) AS b WHERE a.range * b.range % 7 = 1"
GREEDY = "SELECT range % 2 AS half, list(md5(range::VARCHAR)) AS found FROM range(3000000) GROUP BY half"
SORTED = "SELECT md5(range::VARCHAR) AS a FROM range(1500000) ORDER BY a"


def test_what_takes_too_long_is_stopped(held: Path, tmp_path: Path) -> None:
    started = time.perf_counter()
    stopped = pytest.raises(QueryTooLong, match=r"took more than 0\.3 seconds and was stopped")
    with stopped, engine([held], 0.3) as connection:
        frame(connection, ENDLESS, {})
    assert time.perf_counter() - started < 10
    assert list((tmp_path / "spill").iterdir()) == []


def test_what_takes_too_long_amid_its_batches_is_stopped_alike() -> None:
    stopped = pytest.raises(QueryTooLong, match=r"took more than 0\.3 seconds and was stopped")
    with stopped, engine([], 0.3) as connection:
        for _ in connection.sql("SELECT md5(range::VARCHAR) AS a FROM range(10000000000)").to_arrow_reader(20_000):
            pass


def test_what_is_in_time_is_not_stopped() -> None:
    before = threading.active_count()
    with engine([], 60) as connection:
        assert frame(connection, "SELECT 1 AS a", {}).to_dicts() == [{"a": 1}]
    assert threading.active_count() <= before


def test_what_memory_does_not_hold_goes_to_the_disk_and_is_removed(
    held: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_LIMITS, "memory_limit", "64MB")
    spill, seen = tmp_path / "spill", 0
    with engine([held]) as connection:
        for batch in connection.sql(SORTED).to_arrow_reader(100_000):
            seen = max(seen, sum(path.stat().st_size for path in spill.rglob("*") if path.is_file()))
            assert batch.num_rows
    assert seen > 1_000_000
    assert list(spill.iterdir()) == []


def test_what_does_not_fit_at_all_is_refused(held: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_LIMITS, "memory_limit", "20MB")
    monkeypatch.setitem(_LIMITS, "max_temp_directory_size", "1MB")
    refused = pytest.raises(QueryTooBig, match=r"needs more memory than a query may have \(20MB")
    with refused, engine([held]) as connection:
        frame(connection, GREEDY, {})
    assert list((tmp_path / "spill").iterdir()) == []


def test_what_killed_processes_left_is_removed_and_nothing_else(held: Path, tmp_path: Path) -> None:
    child = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    spill = tmp_path / "spill"
    left, other = spill / f"{int(child.stdout)}-x", spill / f"{os.getppid()}-y"
    for folder in (left, other):
        folder.mkdir(parents=True)
        (folder / "part").write_bytes(b"x")
    with engine([held]):
        assert [path for path in (left, other) if path.exists()] == [other]


def test_what_reads_the_lake_spills_beside_it(held: Path, tmp_path: Path) -> None:
    with engine([held]) as connection:
        (place,) = one(connection, "SELECT current_setting('temp_directory')")
    assert Path(place).parent == tmp_path / "spill"
