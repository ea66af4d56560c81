"""A checksum that follows the values of rows, and nothing else."""

from datetime import UTC, datetime

import polars as pl
import pytest

from analytics.export import Table
from jobs.reports.fingerprint import Fingerprint, fingerprint
from stockverify.datasets import Type

COLUMNS = (("code", Type.STRING), ("qty", Type.FLOAT), ("at", Type.INSTANT))
ROWS = [
    ("00123", 2.5, datetime(2026, 1, 5, 6, tzinfo=UTC)),
    ("a\r\nb", None, None),
    (None, 0.0, None),
    ("00123", 2.5, datetime(2026, 1, 5, 6, tzinfo=UTC)),
]


def marked(
    rows: list[tuple[object, ...]], batch: int = 100, columns: tuple[tuple[str, Type], ...] = COLUMNS
) -> Fingerprint:
    schema = {"code": pl.String, "qty": pl.Float64, "at": pl.Datetime("ms", "UTC")}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return fingerprint(Table("t", columns, frame.iter_slices(batch), {}))


def test_order_and_batches_do_not_matter() -> None:
    assert marked(ROWS) == marked(ROWS[::-1], batch=1)
    assert marked(ROWS).rows == 4


def test_minus_zero_is_zero() -> None:
    assert marked([("a", -0.0, None)]) == marked([("a", 0.0, None)])


@pytest.mark.parametrize(
    "other",
    [
        ROWS[:3],
        [*ROWS, ROWS[1]],
        [("123", *ROWS[0][1:]), *ROWS[1:]],
        [("00123", 2.500001, ROWS[0][2]), *ROWS[1:]],
        [*ROWS[:2], ("", 0.0, None), ROWS[3]],
        [ROWS[1], ROWS[2]],
    ],
    ids=["one less", "one twice", "zeros", "a little more", "empty is not null", "two equal ones gone"],
)
def test_values_matter(other: list[tuple[object, ...]]) -> None:
    assert marked(other).digest != marked(ROWS).digest


def test_two_equal_rows_do_not_cancel_out() -> None:
    assert marked([ROWS[0], ROWS[0]]).digest != marked([ROWS[1], ROWS[1]]).digest


def test_columns_matter() -> None:
    assert marked(ROWS, columns=COLUMNS[:2]).digest != marked(ROWS).digest
