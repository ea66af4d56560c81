from pathlib import Path

import duckdb
import polars as pl
import pytest

from analytics.engine import engine, frame, texts


@pytest.fixture
def file(tmp_path: Path) -> Path:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"a": [2]}).write_parquet(tmp_path / "b.parquet")
    return tmp_path / "a.parquet"


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
