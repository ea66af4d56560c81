"""Any table: the same rows, sums and identifiers in every format, as other libraries read them."""

import csv
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import polars as pl
import python_calamine
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from analytics.export import Format, Order, Table, export
from stockverify.datasets import Type
from tests.analytics.export.reading import attached
from tests.analytics.stock import NOW

ORDER = Order("ann", "Asia/Kolkata", NOW)
COLUMNS = (
    ("item_code", Type.STRING),
    ("item_name", Type.STRING),
    ("verified_qty", Type.FLOAT),
    ("round", Type.INTEGER),
    ("counted", Type.BOOLEAN),
    ("counted_at", Type.INSTANT),
)
POLARS = {
    Type.STRING: pl.String,
    Type.FLOAT: pl.Float64,
    Type.INTEGER: pl.Int64,
    Type.BOOLEAN: pl.Boolean,
    Type.INSTANT: pl.Datetime("ms", "UTC"),
}
HOSTILE = [
    "=cmd|' /C calc'!A0",
    "00123",
    "123456789012345678",
    '#eval("1") $x$ \\ *b* _i_ `c` <l> @r [x] // no /* no */ ~ \\u{41}',
    "<r>not & <b>markup</r>",
    "שלום",
    "漢字😀👍🏽",
    "a\u2028b\r\nc\td",
    "_x0041_",
    "TRUE",
    "NaN",
    "1e5",
    "",
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cn")), max_size=9))
times = st.datetimes().filter(lambda moment: 1 < moment.year < 9999)
rows = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(HOSTILE), texts),
        st.none() | texts,
        st.none() | st.integers(-(10**9), 10**9).map(lambda n: n / 64),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.booleans(),
        st.none() | times,
    ),
    max_size=12,
)
Row = tuple[Any, ...]


def frame(found: list[Row]) -> pl.DataFrame:
    kept = [(*row[:5], row[5].replace(microsecond=1000, tzinfo=UTC, fold=0) if row[5] else None) for row in found]
    return pl.DataFrame(kept, schema={name: POLARS[kind] for name, kind in COLUMNS}, orient="row")


def instant(text: Any) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def table(data: pl.DataFrame) -> Table:
    return Table("t", COLUMNS, data.iter_slices(5), {"dataset": "t"}, data.height, adding=("verified_qty",))


def from_csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            yield tuple(text.removeprefix("'") for text in row)


def from_sheet(found: list[Any]) -> Row:
    """A row of a workbook: integers beyond 15 digits and times before 1900 are texts in it."""
    code, name, quantity, number, counted, _ = found
    return (
        unescape(code or ""),
        unescape(name) if name else None,
        None if quantity in (None, "") else float(quantity),
        None if number in (None, "") else int(number),
        None if counted == "" else counted,
    )


SLOW = settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))


@settings(SLOW, phases=[Phase.explicit, Phase.generate])
@given(rows)
@example([(text, text, 0.5, 1, True, None) for text in HOSTILE])
@example([("a", "=1", 1e300, number, False, datetime(1, 2, 3)) for number in (2**63 - 1, -(10**15), 10**15 - 1)])  # noqa: DTZ001
@example(
    [("a", "b", number, 1, True, None) for number in (0.1 + 0.2, 1234567890.1234567, 9007199254740993.0, 1e-300 / 3)]
)
def test_all_formats_hold_the_same_rows_sums_and_identifiers(tmp_path_factory: Any, found: list[Row]) -> None:
    data, folder = frame(found), tmp_path_factory.mktemp("agree")
    paths = {kind: export(table(data), kind, folder / f"t.{kind}", ORDER).path for kind in Format}
    expected = data.rows()

    as_objects = [json.loads(line) for line in paths[Format.NDJSON].read_bytes().splitlines()]
    document = json.loads(paths[Format.JSON].read_bytes())
    assert (document["rows"], document["row_count"]) == (as_objects, len(found))
    assert [(*list(row.values())[:5], instant(row["counted_at"])) for row in as_objects] == expected

    assert pl.read_parquet(paths[Format.PARQUET]).rows() == expected
    [(count, total)] = duckdb.sql(f"SELECT count(*), sum(verified_qty) FROM '{paths[Format.PARQUET]}'").fetchall()
    wanted = math.fsum(row[2] or 0 for row in expected)
    assert (count, total or 0) == (len(found), wanted)

    header, *lines = from_csv(paths[Format.CSV])
    assert header == tuple(name for name, _ in COLUMNS)
    assert [line[0] for line in lines] == [row[0] for row in expected]
    assert [(line[2], line[3]) for line in lines] == [
        tuple("" if value is None else str(value) for value in row[2:4]) for row in expected
    ]
    assert [instant(line[5]) for line in lines] == [row[5] for row in expected]

    book = openpyxl.load_workbook(paths[Format.XLSX])
    cells = [[cell.value for cell in row] for row in book["t"].iter_rows(min_row=2)] if found else []
    calamine = python_calamine.load_workbook(str(paths[Format.XLSX])).get_sheet_by_name("t").to_python()[1:]
    without_times = [(*row[:1], row[1] or None, *row[2:5]) for row in expected]
    assert [from_sheet(row) for row in cells] == without_times
    assert [row[0] for row in calamine] == [row[0] for row in expected]
    assert not any(cell.data_type == "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    figures = {row[0]: row[1] for row in book["Summary"].iter_rows(values_only=True, max_col=2)}
    assert (figures["Rows"], figures["Sum of verified_qty"]) == (len(found), round(wanted, 6))

    manifest = attached(paths[Format.PDF])
    shown = [(row["item_code"], row["item_name"], row["verified_qty"]) for row in manifest["first_rows"]]
    assert shown == [row[:3] for row in expected]
    assert (manifest["rows"], manifest["rows_shown"]) == (len(found), len(found))
