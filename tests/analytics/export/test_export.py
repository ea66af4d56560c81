"""All formats of one table agree in rows, sums and identifiers, read back by other libraries than wrote them."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import polars as pl
import pytest

from analytics.compare import compare
from analytics.export import Format, Order, Table, export, of_comparison, of_result, of_snapshot
from analytics.export.tallies import Tally
from analytics.export.write import UnknownFormat, format_of
from analytics.lake import Lake
from analytics.query import checked, run
from analytics.zones import UnknownZone
from stockverify.datasets import RECORDS, Type
from stockverify.wire.reports import QuerySpec
from tests.analytics.conftest import Store, Take
from tests.analytics.export.reading import READERS
from tests.analytics.stock import NOW, item, record

ORDER = Order("ann", "Asia/Kolkata", NOW)
SERIAL = "123456789012345678"
TRICKY = [
    "00123",
    SERIAL,
    "=1+1",
    "+49 1",
    "-5",
    "@x",
    "'quoted",
    "\ttab",
    "\rreturn",
    "＝wide",
    "1e5",
    "TRUE",
    "2026-01-31",
    "https://example.org",
    '=HYPERLINK("http://x")',
    'a"b,c;d\ne',
    "ü漢😀",
    " pad ",
    "",
]


@pytest.fixture
def tricky(take: Take, lake: Lake) -> Table:
    """Records with everything that files get wrong."""
    taken = take(
        "night shift",
        verification_records=[
            record(
                f"c-{number:02}",
                "R1",
                text,
                -1.5 if number % 2 else number / 4,
                serial_numbers=[text, SERIAL],
                mrp=None,
            )
            for number, text in enumerate(TRICKY)
        ],
    )
    return of_snapshot(lake, taken.snapshot_id, "records")


@pytest.mark.parametrize("kind", Format)
def test_every_format_holds_the_same(tricky: Table, tmp_path: Path, kind: Format) -> None:
    done = export(tricky, kind, tmp_path / f"out.{kind}", ORDER)
    rows = READERS[kind](done.path)
    assert done.rows == len(rows) == len(TRICKY)
    assert list(rows[0]) == list(RECORDS.names)
    assert [row["item_code"] for row in rows] == TRICKY
    assert sum(row["verified_qty"] for row in rows) == 9 * -1.5 + sum(range(0, 19, 2)) / 4
    assert [row["serial_numbers"] for row in rows] == [[text, SERIAL] for text in TRICKY]
    assert {row["mrp"] or None for row in rows} == {None}
    local = datetime.fromisoformat("2026-02-01T00:00:15.250")
    assert {row["received_at"] for row in rows} == {local if kind is Format.XLSX else NOW}


@pytest.mark.parametrize("kind", Format)
def test_the_manifest_says_where_the_numbers_come_from(tricky: Table, tmp_path: Path, kind: Format) -> None:
    done = export(tricky, kind, tmp_path / "deep" / f"out.{kind}", ORDER)
    about = json.loads(done.manifest_path.read_text())
    content = done.path.read_bytes()
    assert {name: about[name] for name in ("file", "format", "rows", "bytes", "sha256", "zone", "requested_by")} == {
        "file": f"out.{kind}",
        "format": str(kind),
        "rows": len(TRICKY),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "zone": "Asia/Kolkata",
        "requested_by": "ann",
    }
    assert (about["dataset"], about["snapshot_name"]) == ("verification_records", "night shift")
    assert about["as_of"].endswith("+05:30")
    assert about["requested_at"] == "2026-02-01T00:00:15.250000+05:30"
    assert about["query"] == {"collection": "verification_records"}
    assert ("note" in about) == (kind is Format.CSV)
    assert sorted(path.name for path in done.path.parent.iterdir()) == [f"out.{kind}", f"out.{kind}.manifest.json"]


def test_csv_cells_as_a_spreadsheet_sees_them(tricky: Table, tmp_path: Path) -> None:
    raw = export(tricky, Format.CSV, tmp_path / "out.csv", ORDER).path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfclient_record_id,session_id,")
    assert raw.count(b"\r\n") == len(TRICKY) + 1
    text = raw.decode("utf-8-sig")
    for guarded in (
        "'=1+1",
        "'+49 1",
        "'-5",
        "'@x",
        "''quoted",
        "'\ttab",
        "'＝wide",
        ",00123,",
        f",{SERIAL},",
        ",-1.5,",
    ):
        assert guarded in text


def test_workbook_cells_are_texts_numbers_and_times(tricky: Table, tmp_path: Path) -> None:
    path = export(tricky, Format.XLSX, tmp_path / "out.xlsx", ORDER).path
    book = openpyxl.load_workbook(path)
    sheet = book["verification_records"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", f"A1:AA{len(TRICKY) + 1}")
    codes = {cell.value: cell for cell in sheet["G"][1:]}
    assert {cell.data_type for text, cell in codes.items() if text} == {"s"}
    assert not any(cell.data_type == "f" or cell.hyperlink for row in sheet.iter_rows() for cell in row)
    assert {cell.data_type for cell in sheet["H"][1:]} == {"n"}
    assert (sheet["AA2"].is_date, sheet["AA2"].number_format) == (True, "yyyy-mm-dd hh:mm:ss")
    about = {row[0]: row[1] for row in book["About"].iter_rows(values_only=True)}
    assert (about["rows"], about["zone"], about["dataset"]) == (
        str(len(TRICKY)),
        "Asia/Kolkata",
        "verification_records",
    )


def test_sheets_are_split_where_they_are_full(tmp_path: Path) -> None:
    from analytics.export import xlsx_file

    batches = iter([pl.DataFrame({"item_code": [str(n) for n in range(3)]}), pl.DataFrame({"item_code": ["3", "4"]})])
    table = Table("positions", (("item_code", Type.STRING),), batches, {})
    assert xlsx_file.write(table, tmp_path / "x.xlsx", "UTC", {}, sheet_rows=3) == 5
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    assert book.sheetnames == ["positions", "positions 2", "positions 3", "Summary", "About"]
    columns = [[cell.value for cell in book[name]["A"]] for name in book.sheetnames[:3]]
    assert columns == [["item_code", "0", "1"], ["item_code", "2", "3"], ["item_code", "4"]]


def test_a_text_too_long_for_a_cell_is_on_a_sheet_of_its_own(tmp_path: Path) -> None:
    text = "x" * 32_767 + "end"
    table = Table("t", (("item_code", Type.STRING),), iter([pl.DataFrame({"item_code": ["a", text]})]), {})
    path = export(table, Format.XLSX, tmp_path / "x.xlsx", ORDER).path
    book = openpyxl.load_workbook(path)
    assert book["t"]["A3"].value == "(a text of 32770 characters: see sheet Long texts, row 1)"
    assert [cell.value for cell in book["Long texts"][1]] == ["x" * 32_767, "end"]


@pytest.mark.parametrize("kind", Format)
def test_times_at_the_ends_of_the_calendar(take: Take, lake: Lake, tmp_path: Path, kind: Format) -> None:
    """A device may say that it counted in the year 1."""
    ends = [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(1899, 12, 31, tzinfo=UTC),
    ]
    records = [record(f"c-{n}", "R1", "a", 1, created_at=moment) for n, moment in enumerate(ends)]
    table = of_snapshot(lake, take(verification_records=records).snapshot_id, "records")
    zone = Order("ann", "America/New_York", NOW)
    assert export(table, kind, tmp_path / "x", zone).rows == 3


@pytest.mark.parametrize("kind", Format)
def test_an_empty_table_keeps_its_header(take: Take, lake: Lake, tmp_path: Path, kind: Format) -> None:
    table = of_snapshot(lake, take(erp_items=[item("R", "a", 1)]).snapshot_id, "records")
    done = export(table, kind, tmp_path / "x", ORDER)
    assert done.rows == 0
    if kind in (Format.CSV, Format.PARQUET):
        frame = pl.read_csv(done.path) if kind is Format.CSV else pl.read_parquet(done.path)
        assert (frame.columns, frame.height) == (list(RECORDS.names), 0)


@pytest.mark.parametrize("kind", Format)
def test_a_query_result(take: Take, lake: Lake, tmp_path: Path, kind: Format) -> None:
    taken = take(
        erp_items=[item("R1", "a", 1.5, floor="=A"), item("R2", "b", 2, floor="=A"), item("R3", "c", 4, floor="B")]
    )
    spec = QuerySpec(
        collection="items", filters={"book_qty": {"gt": 1}}, group_by=["floor"], aggregations={"book_qty": "sum"}
    )
    result = run(lake, taken.snapshot_id, checked(spec))
    done = export(of_result(result), kind, tmp_path / "x", ORDER)
    about = json.loads(done.manifest_path.read_text())
    assert about["query"]["filters"] == {"book_qty": {"gt": 1.0}}
    assert (about["query"]["group_by"], about["query"]["aggregations"]) == (["floor"], {"book_qty": "sum"})
    assert (about["snapshot_id"], done.rows) == (taken.snapshot_id, 2)
    if kind is Format.JSON:
        rows = msgspec.json.decode(done.path.read_bytes())["rows"]
        assert rows == [{"floor": "=A", "book_qty_sum": 3.5}, {"floor": "B", "book_qty_sum": 4.0}]


def test_a_comparison(take: Take, lake: Lake, db: Store, tmp_path: Path) -> None:
    first = take(erp_items=[item("R1", "a", 10), item("R1", "b", 1), item("R1", "gone", 1)])
    db["erp_items"].update_one({"item_code": "a"}, {"$set": {"book_qty": 12.5}})
    db["erp_items"].delete_one({"item_code": "gone"})
    second = take(erp_items=[item("R1", "new", 3)])
    found = compare(lake, first.snapshot_id, second.snapshot_id)
    done = export(of_comparison(found), Format.JSON, tmp_path / "x.json", ORDER)
    content = json.loads(done.path.read_text())
    shown = [
        (row["change"], row["item_code"], row["book_qty_before"], row["book_qty_after"], row["book_qty_delta"])
        for row in content["rows"]
    ]
    assert shown == [
        ("added", "new", None, 3.0, None),
        ("removed", "gone", 1.0, None, None),
        ("changed", "a", 10.0, 12.5, 2.5),
    ]
    assert content["about"]["query"]["counts"]["changed_count"] == 1
    assert content["about"]["summary"]["lines"]["trend"] == "stable"
    for kind in (Format.CSV, Format.XLSX, Format.NDJSON, Format.PARQUET, Format.PDF):
        assert export(of_comparison(found), kind, tmp_path / f"x.{kind}", ORDER).rows == 3
    same = compare(lake, first.snapshot_id, first.snapshot_id)
    assert export(of_comparison(same), Format.CSV, tmp_path / "same.csv", ORDER).rows == 0


def test_batches_of_a_comparison_all_have_the_same_types(take: Take, lake: Lake, db: Store) -> None:
    first = take(erp_items=[item("R1", "a", 10), item("R1", "gone", 1)])
    db["erp_items"].delete_one({"item_code": "gone"})
    second = take(erp_items=[item("R1", "new", 3)], verification_records=[record("c-1", "R1", "a", 9)])
    found = compare(lake, first.snapshot_id, second.snapshot_id)
    batches = list(of_comparison(found).batches)
    assert [batch["change"][0] for batch in batches] == ["added", "removed", "changed"]
    assert batches[0]["counted_at_after"].dtype == pl.Datetime("ms", "UTC")
    assert pl.concat(batches).height == 3, "concat takes no two types for one column"


@pytest.mark.parametrize(
    ("spec", "adding"),
    [
        (QuerySpec(collection="items"), ("book_qty",)),
        (QuerySpec(collection="records", calculated={"share": "damage_qty / verified_qty"}), RECORDS.adding),
        (
            QuerySpec(
                collection="items",
                calculated={"share": "book_qty / (book_qty + 1)", "worth": "book_qty * unit_cost"},
                group_by=["mrp"],
                aggregations={"share": "sum", "worth": "sum", "item_code": ["count", "count_distinct"], "mrp": "sum"},
            ),
            ("worth_sum", "item_code_count"),
        ),
    ],
    ids=["prices", "a share", "groups"],
)
def test_only_what_adds_up_has_a_sum_in_a_file(
    take: Take, lake: Lake, tmp_path: Path, spec: QuerySpec, adding: tuple[str, ...]
) -> None:
    taken = take(erp_items=[item("R1", "a", 3)], verification_records=[record("c-1", "R1", "a", 2, damage_qty=1.0)])
    table = of_result(run(lake, taken.snapshot_id, checked(spec)))
    book = openpyxl.load_workbook(export(table, Format.XLSX, tmp_path / "x.xlsx", ORDER).path)
    said = [row[0] for row in book["Summary"].iter_rows(values_only=True) if str(row[0]).startswith("Sum of ")]
    assert (table.adding, said) == (adding, [f"Sum of {name}" for name in adding])


def test_sums_of_groups_are_to_the_millionth_as_those_of_all() -> None:
    columns = (("floor", Type.STRING), ("verified_qty", Type.FLOAT))
    tally = Tally(columns, ("verified_qty",))
    batch = pl.DataFrame({"floor": ["A", "A"], "verified_qty": [0.1, 0.2]})
    assert sum(each.height for each in tally.through(iter([batch, batch]))) == 4
    found = tally.largest(5)
    assert found is not None
    assert [("verified_qty", found["measured"][0])] == tally.sums() == [("verified_qty", 0.6)]


def test_a_writer_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("old")

    def broken() -> Any:
        yield pl.DataFrame({"a": ["1"]})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        export(Table("t", (("a", Type.STRING),), broken(), {}), Format.CSV, path, ORDER)
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["x.csv"]


def test_a_file_that_somebody_reads_is_replaced_and_not_overwritten(tricky: Table, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("old")
    with path.open() as reader:
        export(tricky, Format.CSV, path, ORDER)
        assert reader.read() == "old"
    assert path.read_bytes().startswith(b"\xef\xbb\xbfclient_record_id")


def test_names_that_are_not_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="'docx' is not an export format"):
        format_of("docx")
    assert format_of("XLSX") is Format.XLSX
    table = Table("t", (), iter([]), {})
    with pytest.raises(UnknownZone, match=r"'\.\./etc' is not a time zone"):
        export(table, Format.CSV, tmp_path / "x", Order("ann", "../etc", NOW))
