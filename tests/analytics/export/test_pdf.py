"""The PDF as its reader sees it, and the chart and summary of the workbook."""

import json
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import polars as pl
import pypdf
import pytest

from analytics.compare import Comparison, compare, moved
from analytics.export import Format, Order, Table, export, of_comparison, of_result, of_snapshot, pdf_file
from analytics.export.insight import of_differences
from analytics.export.pdf_file import SHOWN_ROWS
from analytics.export.pdf_words import cell, chosen, number, visible
from analytics.export.tables import Top
from analytics.export.tallies import Tally
from analytics.lake import Freeze, Lake
from analytics.query import checked, run
from stockverify.datasets import POSITIONS, Type
from stockverify.wire.reports import QuerySpec
from tests.analytics.conftest import Store, Take
from tests.analytics.export.reading import attached, pdf_text
from tests.analytics.export.test_agreement import HOSTILE
from tests.analytics.stock import NOW, item, record

ORDER = Order("ann", "Asia/Kolkata", NOW)
PAIR = (("item_code", Type.STRING), ("verified_qty", Type.FLOAT))


@pytest.fixture
def counted(take: Take) -> Freeze:
    """Two floors, one of them with a name that is nothing but trouble."""
    items = [item("R1", "00123", 10, floor="#eval(1) $x$"), item("R2", "b", 5, floor="Attic", item_name=HOSTILE[3])]
    return take("night *shift*", erp_items=items, verification_records=[record("c-1", "R1", "00123", 7.5)])


def test_a_cover_with_its_source_figures_charts_and_rows(counted: Freeze, lake: Lake, tmp_path: Path) -> None:
    order = msgspec.structs.replace(ORDER, currency="EUR")
    path = export(of_snapshot(lake, counted.snapshot_id), Format.PDF, tmp_path / "x.pdf", order).path
    text, reader = pdf_text(path), pypdf.PdfReader(path)
    for said in (
        "night *shift* As of ",
        "Amounts in EUR",
        "Net variance (EUR; left of 0 is missing)",
        "Net variance value -6.25 EUR",
        "(Asia/Kolkata)",
        f"Snapshot {counted.snapshot_id}",
        "Rows 2 of positions",
        "Requested by ann, 2026-02-01T00:00:15.250000+05:30",
        "Counted lines 1 ",
        "Progress 50.0% ",
        "Net variance -2.5 ",
        "Lines counted, by floor",
        "Largest net variances at cost",
        "Rows 1 to 2 of 2",
        "#eval(1) $x$",
        HOSTILE[3].split(" ", maxsplit=1)[0],
        "00123",
        "Page 1 of ",
    ):
        assert said in text, said
    metadata = reader.metadata
    assert metadata is not None
    assert (metadata.title, metadata.author) == ("night *shift*", "ann")
    assert json.loads(str(metadata.subject))["snapshot_id"] == counted.snapshot_id
    assert (attached(path)["query"], attached(path)["currency"]) == ({"collection": "positions"}, "EUR")


def test_a_second_snapshot_makes_a_trend(counted: Freeze, take: Take, lake: Lake, tmp_path: Path) -> None:
    first = export(of_snapshot(lake, counted.snapshot_id), Format.PDF, tmp_path / "one.pdf", ORDER).path
    assert "snapshot by snapshot" not in pdf_text(first)
    later = take("noon", verification_records=[record("c-2", "R2", "b", 5, floor="Attic")])
    second = export(of_snapshot(lake, later.snapshot_id), Format.PDF, tmp_path / "two.pdf", ORDER).path
    for said in ("Progress, snapshot by snapshot", "Net variance value, snapshot by snapshot", "As of (Asia/Kolkata)"):
        assert said in pdf_text(second), said
    assert "snapshot by snapshot" not in pdf_text(
        export(of_snapshot(lake, counted.snapshot_id), Format.PDF, tmp_path / "again.pdf", ORDER).path
    ), "a trend ends with the snapshot that is told of"
    [part] = lake.files("positions", counted.snapshot_id)
    part.write_bytes(b"damaged")
    third = export(of_snapshot(Lake(lake.root), later.snapshot_id), Format.PDF, tmp_path / "three.pdf", ORDER).path
    assert "snapshot by snapshot" not in pdf_text(third), "what cannot be read is left out"


@pytest.fixture
def compared(take: Take, counted: Freeze, db: Store, lake: Lake) -> Comparison:
    """The same two lines, a night later: one counted anew, and one more."""
    changed = {"$set": {"verified_qty": 9.0, "received_at": NOW}}
    db["verification_records"].update_one({"_id": "c-1"}, changed)
    after = take("morning", erp_items=[item("R9", "new", 1, floor="Cellar")])
    return compare(lake, counted.snapshot_id, after.snapshot_id)


def test_a_comparison_says_what_it_compares_and_what_moved(compared: Comparison, lake: Lake, tmp_path: Path) -> None:
    table = of_comparison(compared, lambda: moved(lake, compared))
    path = export(table, Format.PDF, tmp_path / "x.pdf", ORDER).path
    text = pdf_text(path)
    for said in (
        f"Snapshot {compared.comparison.snapshot_id}",
        f"Compared with {compared.baseline.snapshot_id}, as of ",
        "Rows paired by rack_id, bin, item_code",
        "Not looking at counted_by, counted_at, round",
        "Rows added 1 ",
        "Rows changed 1 ",
        "Change of net variance 1.5 ",
        "What moved the total: Net variance value, by floor",
        "Changed rows, by the column that differs",
    ):
        assert said in text, said
    book = openpyxl.load_workbook(export(table_again(compared, lake), Format.XLSX, tmp_path / "x.xlsx", ORDER).path)
    found = {row[0]: row[1] for row in book["Summary"].iter_rows(values_only=True, max_col=2)}
    assert (found["Compared with"], found["Change of net variance value"]) == (compared.baseline.snapshot_id, 3.75)
    assert (found["What moved the total: Net variance value"], found["#eval(1) $x$"]) == (None, 3.75)


def table_again(compared: Comparison, lake: Lake) -> Table:
    """Batches are read once, so each file wants a table of its own."""
    return of_comparison(compared, lambda: moved(lake, compared))


def test_a_comparison_whose_snapshots_are_gone_has_its_columns_to_show(compared: Comparison, tmp_path: Path) -> None:
    path = export(of_comparison(compared, lambda: None), Format.XLSX, tmp_path / "x.xlsx", ORDER).path
    found = {row[0]: row[1] for row in openpyxl.load_workbook(path)["Summary"].iter_rows(values_only=True, max_col=2)}
    assert (found["verified_qty"], found["variance_qty"], found["Column"]) == (1, 1, "Rows")


def test_columns_beyond_those_shown_are_counted_in_the_title(compared: Comparison) -> None:
    manifest = msgspec.structs.replace(compared.manifest, column_changes={f"c{n:02}": n for n in range(1, 18)})
    breakdown = of_differences(Comparison(compared.folder, manifest), None).breakdown
    assert breakdown is not None
    assert breakdown.title == "Changed rows, by the column that differs, the largest 15 of 17"
    assert (len(breakdown.rows), breakdown.rows[0]) == (15, ("c17", 17))


def test_what_is_not_shown_is_said_and_sums_are_of_all_rows(tmp_path: Path) -> None:
    rows = SHOWN_ROWS + 234
    frame = pl.DataFrame({"item_code": [f"I-{n:05}" for n in range(rows)], "verified_qty": [0.5] * rows})
    done = export(
        Table("t", PAIR, frame.iter_slices(100), {}, rows, adding=("verified_qty",)),
        Format.PDF,
        tmp_path / "x.pdf",
        ORDER,
    )
    reader, text = pypdf.PdfReader(done.path), pdf_text(done.path)
    assert done.rows == rows
    assert "Rows 1 to 1,000 of 1,234" in text
    assert "The first 1,000 of 1,234 rows; the sums below are those of all rows. Export as xlsx or csv" in text
    assert "Sums of all 1,234 rows 617" in text
    assert ("I-00999" in text, "I-01000" in text) == (True, False)
    tables = [page.extract_text() for page in reader.pages if "I-00" in page.extract_text()]
    assert len(tables) > 5
    assert all("item_code" in page for page in tables), "the header is on every page"


def test_rows_on_top_are_the_largest_of_all_and_the_pdf_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_file, "SHOWN_ROWS", 3)
    numbers = [1.0, None, -9.0, float("nan"), 2.0, -2.0, 9.0]
    frame = pl.DataFrame({"item_code": [f"I-{n}" for n in range(7)], "verified_qty": numbers}, strict=False)
    top = Top("verified_qty", pl.col("verified_qty").abs())
    table = Table("t", PAIR, frame.iter_slices(2), {}, 7, adding=("verified_qty",), top=top)
    path = export(table, Format.PDF, tmp_path / "x.pdf", ORDER).path
    said = "The 3 of 7 rows with the largest verified_qty, up or down, largest first"
    assert [row["item_code"] for row in attached(path)["first_rows"]] == ["I-2", "I-6", "I-4"]
    assert (attached(path)["shown"], attached(path)["rows_shown"]) == (said, 3)
    text = pdf_text(path)
    assert ("3 of 7 rows, by verified_qty" in text, f"{said}; the sums below are those of all rows" in text) == (
        True,
        True,
    )


def test_what_is_no_number_spoils_no_summary(tmp_path: Path) -> None:
    frame = pl.DataFrame({"item_code": ["a", "b"], "verified_qty": [float("nan"), float("inf")]})
    table = Table("t", PAIR, iter([frame]), {}, 2, adding=("verified_qty",))
    book = openpyxl.load_workbook(export(table, Format.XLSX, tmp_path / "x.xlsx", ORDER).path)
    found = {row[0]: row[1] for row in book["Summary"].iter_rows(values_only=True, max_col=2)}
    assert (found["Sum of verified_qty"], found["a"], found["b"]) == ("nan", "nan", "inf")


def test_what_the_top_rows_of_stock_and_of_its_changes_are(
    counted: Freeze, compared: Comparison, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_file, "SHOWN_ROWS", 1)
    query = checked(QuerySpec(collection="items", sort={"book_qty": -1}))
    wanted = {
        "stock": (of_snapshot(lake, counted.snapshot_id), "The 1 of 2 rows with the largest variance_value"),
        "changes": (of_comparison(compared), "The 1 of 2 rows with the largest change of variance_value"),
        "items": (of_snapshot(lake, counted.snapshot_id, "items"), "The first 1 of 2 rows"),
        "sorted": (
            of_result(run(lake, counted.snapshot_id, query)),
            "The first 1 of 2 rows, sorted by book_qty from the largest down",
        ),
    }
    for name, (table, said) in wanted.items():
        assert chosen(table, 1, 2).startswith(said), name
        top = pdf_file._rows_on_top(table, Tally(table.columns, table.adding), "UTC")
        assert top["item_code"].to_list() == ["00123"], name


def test_columns_without_room_are_named(tmp_path: Path) -> None:
    columns = tuple((f"c{n:02}", Type.STRING) for n in range(14))
    frame = pl.DataFrame({name: ["x"] for name, _ in columns})
    path = export(Table("t", columns, iter([frame]), {}), Format.PDF, tmp_path / "x.pdf", ORDER).path
    assert "Columns left out here: c12, c13." in pdf_text(path)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (1234567.25, "1,234,567.25"),
        (-0.5, "-0.5"),
        (1e16, "10,000,000,000,000,000"),
        (float("nan"), "nan"),
        ("a\x00b", "a␀b"),
        ("123456789012345678", "123456789012345678"),
        ("x" * 30, "\u200b".join(["x" * 12, "x" * 12, "x" * 6])),
        ("ab " * 100, "ab " * 53 + "a… (300 characters)"),
    ],
)
def test_cells(value: Any, shown: str) -> None:
    assert cell(value) == shown


def test_numbers_and_controls() -> None:
    assert [number(0.1 + 0.2), number(1000.0), number(0.0)] == ["0.3", "1,000", "0"]
    assert visible("a\nb\tc\x1b") == "a\nb\tc␛"


@pytest.mark.parametrize(("currency", "money"), [("", "#,##0.00"), ("USD", '#,##0.00 "USD"')])
def test_the_workbook_has_a_summary_with_a_chart(
    counted: Freeze, lake: Lake, tmp_path: Path, currency: str, money: str
) -> None:
    order = msgspec.structs.replace(ORDER, currency=currency)
    path = export(of_snapshot(lake, counted.snapshot_id), Format.XLSX, tmp_path / "x.xlsx", order).path
    book = openpyxl.load_workbook(path)
    [line] = [row for row in book["positions"].iter_rows(min_row=2) if row[3].value == "00123"]
    formats = dict(zip(POSITIONS.names, (cell.number_format for cell in line), strict=True))
    shown = ("round", "unit_cost", "variance_value", "verified_qty", "item_code")
    assert [formats[name] for name in shown] == ["#,##0", money, money, "General", "General"]
    sheet = book["Summary"]
    told = {cells[0].value: cells[1] for cells in sheet.iter_rows(max_col=2)}
    assert told["Net variance value"].number_format == money
    assert ("Currency" in told) is bool(currency)
    found = {row[0]: row[1:3] for row in sheet.iter_rows(values_only=True, max_col=3)}
    assert found["Snapshot id"][0] == counted.snapshot_id
    assert (found["Lines"][0], found["Progress"][0], found["Net variance"][0]) == (2, 0.5, -2.5)
    assert (found["#eval(1) $x$"], found["Attic"]) == ((10, 7.5), (0, 0))
    [chart] = sheet._charts
    refs = [(series.cat.strRef.f, series.val.numRef.f) for series in chart.series]
    floors = [cell.row for (cell,) in sheet.iter_rows(max_col=1) if cell.value in ("#eval(1) $x$", "Attic")]
    first, last = min(floors), max(floors)
    assert chart.y_axis.scaling.min == 0, "bars are compared by their lengths"
    assert refs == [(f"Summary!$A${first}:$A${last}", f"Summary!${x}${first}:${x}${last}") for x in "BC"]


def test_a_summary_says_what_it_leaves_out_and_has_the_largest(take: Take, lake: Lake, tmp_path: Path) -> None:
    floors = {f"F{n:02}" if n else None: float(n) for n in range(17)}
    items = [item(f"R{n}", "a", n, floor=floor) for floor, n in floors.items()]
    records = [record(f"c-{n}", f"R{n}", "a", n, floor=floor) for floor, n in floors.items()]
    snapshot_id = take(erp_items=items, verification_records=records).snapshot_id
    title = "Book and verified units of counted lines, by floor, the largest 15 of 17"
    breakdown = of_snapshot(lake, snapshot_id).insight().breakdown  # type: ignore[misc]
    assert breakdown is not None
    assert breakdown.title == title
    assert [row[0] for row in breakdown.rows] == [f"F{n:02}" for n in range(16, 1, -1)]
    sheet = openpyxl.load_workbook(export(of_snapshot(lake, snapshot_id), Format.XLSX, tmp_path / "x.xlsx", ORDER).path)
    assert title in [row[0] for row in sheet["Summary"].iter_rows(values_only=True)]


def test_long_texts_are_measured_as_excel_does(tmp_path: Path) -> None:
    text = "😀" * 20_000
    table = Table("t", PAIR[:1], iter([pl.DataFrame({"item_code": ["a", text]})]), {})
    book = openpyxl.load_workbook(export(table, Format.XLSX, tmp_path / "x.xlsx", ORDER).path)
    assert book["t"]["A3"].value == "(a text of 20000 characters: see sheet Long texts, row 1)"
    assert "".join(cell.value for cell in book["Long texts"][1]) == text
