"""Report snapshots: computed once, read in pages, and independent of their freeze from then on."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from analytics import reports
from analytics.engine import QueryTooLong
from analytics.lake import Lake, durable, parts
from analytics.lake.removing import remove
from analytics.lake.reports import ReportDamaged, ReportManifest, ReportNotStored, Reports
from analytics.lake.store import SnapshotNotFound
from analytics.query import Query, checked, run
from analytics.query.sql import Sql
from stockverify.wire.reports import QuerySpec
from tests.analytics.conftest import Take
from tests.analytics.stock import NOW, item, record

ID = "rs-0123456789abcdef"
LINES = {"collection": "positions", "sort": {"book_qty": -1}, "limit": 1000}
FLOORS = {
    "collection": "positions",
    "group_by": ["floor", "rack_id"],
    "aggregations": {"book_qty": "sum", "counted": "count"},
}


@pytest.fixture
def freeze_id(take: Take) -> str:
    """A freeze of thirty lines in three racks."""
    items = [item(f"R{number % 3}", f"{number:05d}", number / 10) for number in range(30)]
    return take(erp_items=items, verification_records=[record("c", "R1", "00001", 2.5)]).snapshot_id


def query_of(spec: dict[str, Any]) -> Query:
    return checked(QuerySpec(**spec))


def keep(lake: Lake, freeze_id: str, spec: dict[str, Any]) -> ReportManifest:
    return reports.keep(lake, ID, freeze_id, query_of(spec), spec, NOW)


@pytest.mark.parametrize("spec", [LINES, FLOORS, {"collection": "sessions"}], ids=["lines", "grouped", "empty"])
def test_its_rows_are_those_of_the_query_on_the_freeze(lake: Lake, freeze_id: str, spec: dict[str, Any]) -> None:
    kept, query = keep(lake, freeze_id, spec), query_of(spec)
    wanted = run(lake, freeze_id, query)
    found = reports.rows(lake, kept, query)
    assert (found.rows(), found.frame.schema) == (wanted.rows(), wanted.frame.schema)
    assert (kept.rows, kept.freeze_id, kept.as_of, kept.query) == (wanted.row_count, freeze_id, wanted.as_of, spec)
    pages = [reports.rows(lake, kept, query, skip, 7).rows() for skip in range(0, 35, 7)]
    assert [row for page in pages for row in page] == wanted.rows()


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (FLOORS, {"book_qty_sum_sum": 43.5, "counted_count_sum": 30}),
        ({"collection": "sessions"}, {}),
        ({"collection": "items"}, {"book_qty_sum": 43.5}),
        (
            {"collection": "items", "calculated": {"share": "book_qty / (book_qty + 1)", "value": "book_qty * mrp"}},
            {"book_qty_sum": 43.5, "value_sum": 174.0},
        ),
        (
            {
                "collection": "items",
                "group_by": ["rack_id", "mrp"],
                "aggregations": {"mrp": ["sum", "avg", "count"], "item_code": "count_distinct"},
            },
            {"mrp_count_sum": 30},
        ),
    ],
    ids=["groups", "nothing to add up", "prices", "calculated", "aggregations"],
)
def test_totals_are_sums_of_what_adds_up(
    lake: Lake, freeze_id: str, spec: dict[str, Any], expected: dict[str, Any]
) -> None:
    kept, query = keep(lake, freeze_id, spec), query_of(spec)
    assert reports.totals(lake, kept, query) == {"rows": kept.rows} | expected


def test_it_outlives_its_freeze_but_is_not_made_without_it(lake: Lake, freeze_id: str) -> None:
    kept, query = keep(lake, freeze_id, LINES), query_of(LINES)
    remove(lake.root, freeze_id)
    assert reports.kept(lake, ID, freeze_id, query, LINES, NOW) == kept
    assert reports.rows(lake, kept, query, 0, 1).rows()[0]["item_code"] == "00029"
    with pytest.raises(SnapshotNotFound):
        reports.kept(lake, "rs-" + "1" * 16, freeze_id, query, LINES, NOW)
    assert Reports(lake.root).ids() == {ID}


def test_whoever_was_faster_is_left_alone(lake: Lake, freeze_id: str) -> None:
    first = keep(lake, freeze_id, LINES)
    assert reports.keep(lake, ID, freeze_id, query_of(FLOORS), FLOORS, NOW + timedelta(days=1)) == first


def test_a_damaged_one_is_refused_by_name(lake: Lake, freeze_id: str) -> None:
    kept = keep(lake, freeze_id, LINES)
    [file] = Reports(lake.root).files(ID)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ReportDamaged, match=f"Report snapshot {ID} is damaged: its file part-00000.parquet is not as"):
        reports.rows(lake, kept, query_of(LINES))
    (lake.root / "reports" / ID / "manifest.json").write_text("{")
    with pytest.raises(ReportDamaged, match="its manifest cannot be read"):
        Reports(lake.root).manifest(ID)


def test_files_are_read_through_once_and_again_when_they_have_changed(
    lake: Lake, freeze_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, read = keep(lake, freeze_id, LINES), []
    real = durable.sha256
    monkeypatch.setattr("analytics.lake.durable.sha256", lambda path: read.append(path) or real(path))
    for skip in range(0, 30, 10):
        assert reports.rows(lake, kept, query_of(LINES), skip, 10).row_count == 10
    [file] = Reports(lake.root).files(ID)
    assert read == [file]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ReportDamaged, match="is not as its manifest says"):
        reports.rows(lake, kept, query_of(LINES))


def test_a_half_written_one_is_not_there(lake: Lake, freeze_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as broken, pytest.raises(OSError, match="no space"):
        broken.setattr("analytics.lake.durable.write_file", full)
        keep(lake, freeze_id, LINES)
    assert Reports(lake.root).ids() == set()
    assert keep(lake, freeze_id, LINES).rows == 30


@pytest.mark.parametrize("name", ["", "..", "rs-", "rs-0123456789abcdeX", "../positions", f"{ID}/.."])
def test_ids_from_outside_are_checked_before_they_become_paths(lake: Lake, name: str) -> None:
    with pytest.raises(ReportNotStored):
        Reports(lake.root).remove(name)


def test_orphans_go_after_an_hour(lake: Lake, freeze_id: str) -> None:
    keep(lake, freeze_id, LINES)
    shelf = Reports(lake.root)
    made = (lake.root / "reports" / ID).stat().st_mtime
    soon, late = (NOW.fromtimestamp(made + seconds, NOW.tzinfo) for seconds in (3500, 3700))
    shelf.remove_old({ID}, soon)
    assert shelf.ids() == {ID}
    shelf.remove_old({ID}, late)
    assert shelf.ids() == set()


def test_one_that_takes_too_long_says_so_and_leaves_nothing(
    lake: Lake, freeze_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = Sql("SELECT p.* FROM read_parquet($files) AS p, range(10000000000)", {})
    monkeypatch.setattr(reports, "KEEP_SECONDS", 0.5)
    monkeypatch.setattr("analytics.query.stream.compiled", lambda query: endless)
    with pytest.raises(QueryTooLong, match=r"took more than 0\.5 seconds and was stopped. Narrow its filters"):
        keep(lake, freeze_id, LINES)
    assert Reports(lake.root).ids() == set()


def test_time_is_not_taken_by_the_writing(lake: Lake, freeze_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.query.stream.BATCH", 10)
    now, write = [0.0], parts.write_parts

    def slowly(folder: Path, schema: Any, batches: Any, rows_per_part: int) -> Any:
        def later() -> Any:
            for batch in batches:
                yield batch
                now[0] += 2 * reports.KEEP_SECONDS

        return write(folder, schema, later(), rows_per_part)

    monkeypatch.setattr("analytics.lake.reports.write_parts", slowly)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    assert keep(lake, freeze_id, LINES).rows == 30
    assert now[0] >= 6 * reports.KEEP_SECONDS


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        (
            "a way out",
            {"name": "../../positions/part-00000.parquet"},
            "'../../positions/part-00000.parquet', which is no",
        ),
        ("an absolute path", {"name": "/etc/passwd"}, "names '/etc/passwd', which is no file of a snapshot"),
        ("a huge count", {"rows": 10**18}, "its files hold 1000000000000000000 rows and its manifest says 30"),
        ("another type", {"rows": "30"}, "its manifest cannot be read: Expected `int`, got `str`"),
        ("a negative size", {"bytes": -1}, "its manifest cannot be read: Expected `int` >= 0"),
    ],
)
def test_its_manifest_is_not_believed_blindly(
    lake: Lake, freeze_id: str, name: str, change: dict[str, Any], reason: str
) -> None:
    kept = keep(lake, freeze_id, LINES)
    path = lake.root / "reports" / ID / "manifest.json"
    told = msgspec.json.decode(path.read_bytes())
    told["files"][0].update(change)
    path.write_bytes(msgspec.json.encode(told))
    with pytest.raises(ReportDamaged, match=re.escape(reason)):
        reports.rows(lake, kept, query_of(LINES))


def test_columns_that_its_files_do_not_have_are_named(lake: Lake, freeze_id: str) -> None:
    kept = keep(lake, freeze_id, LINES)
    path = lake.root / "reports" / ID / "manifest.json"
    path.write_text(path.read_text().replace('"book_qty"', '"bo\\"ok"'))
    with pytest.raises(ReportDamaged, match='has other columns than its manifest says: bo"ok, book_qty'):
        reports.totals(lake, kept, query_of(LINES))
