"""Profiles of columns, over real Parquet."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from analytics import profile as module
from analytics.profile import Common, Profile, profile
from stockverify.datasets import Type

NOON, LATER = datetime(2026, 1, 5, 12, tzinfo=UTC), datetime(2026, 1, 6, 12, tzinfo=UTC)
COLUMNS = (
    ("code", Type.STRING),
    ("qty", Type.FLOAT),
    ("round", Type.INTEGER),
    ("counted", Type.BOOLEAN),
    ("at", Type.INSTANT),
    ("serials", Type.STRINGS),
    ('odd "name"', Type.STRING),
)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two files of one table."""
    table = pl.DataFrame(
        {
            "code": ["00123", "00123", "B", None],
            "qty": [1.5, 2.5, None, 0.0],
            "round": [1, 1, 2, 2],
            "counted": [True, False, True, None],
            "at": [LATER, NOON, None, None],
            "serials": [["x", "y"], ["x"], [], None],
            'odd "name"': [None, None, None, None],
        },
        schema_overrides={"at": pl.Datetime("ms", "UTC"), 'odd "name"': pl.String},
    )
    paths = [tmp_path / "part-0.parquet", tmp_path / "part-1.parquet"]
    table.head(3).write_parquet(paths[0])
    table.tail(1).write_parquet(paths[1])
    return paths


def test_each_column_is_told_as_its_type_has_it(files: list[Path]) -> None:
    assert profile(files, COLUMNS) == (
        Profile("code", Type.STRING, 4, 1, 2, False, "00123", "B", None, (Common("00123", 2), Common("B", 1))),
        Profile(
            "qty",
            Type.FLOAT,
            4,
            1,
            3,
            False,
            0.0,
            2.5,
            pytest.approx(4 / 3),
            (Common(0.0, 1), Common(1.5, 1), Common(2.5, 1)),
        ),
        Profile("round", Type.INTEGER, 4, 0, 2, False, 1, 2, 1.5, (Common(1, 2), Common(2, 2))),
        Profile("counted", Type.BOOLEAN, 4, 1, 2, False, None, None, None, (Common(True, 2), Common(False, 1))),
        Profile("at", Type.INSTANT, 4, 2, 2, False, NOON, LATER, None, (Common(NOON, 1), Common(LATER, 1))),
        Profile("serials", Type.STRINGS, 4, 2, 2, False, None, None, None, (Common("x", 2), Common("y", 1))),
        Profile('odd "name"', Type.STRING, 4, 4, 0, False, None, None, None, ()),
    )


def test_of_a_large_table_only_columns_of_few_values_are_counted_one_by_one(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXACT_ROWS", 3)
    monkeypatch.setattr(module, "EXACT_VALUES", 2)
    code, qty, *_ = profile(files, COLUMNS)
    assert (code.about, code.distinct, len(code.top)) == (False, 2, 2)
    assert (qty.about, qty.distinct, qty.top) == (True, 3, ())


def test_an_empty_table_has_nothing_in_it(tmp_path: Path) -> None:
    pl.DataFrame(schema={"code": pl.String}).write_parquet(tmp_path / "none.parquet")
    (found,) = profile([tmp_path / "none.parquet"], (("code", Type.STRING),))
    assert found == Profile("code", Type.STRING, 0, 0, 0, False, None, None, None, ())
    assert profile([], ()) == ()
