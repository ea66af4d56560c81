"""Files of queries and report snapshots: streamed, and the same as those of the whole answer."""

from pathlib import Path
from typing import Any

import pytest

from analytics import reports
from analytics.export import Format, Order, Table, export, of_query, of_report, of_result
from analytics.lake import Lake
from analytics.lake.reports import Reports
from analytics.query import checked, run, stream
from stockverify.wire.reports import QuerySpec
from tests.analytics.conftest import Take
from tests.analytics.stock import NOW, item, record

ORDER = Order("ann", "Asia/Kolkata", NOW)
ID = "rs-0123456789abcdef"
SPECS: list[dict[str, Any]] = [
    {"collection": "records", "sort": {"verified_qty": -1}},
    {"collection": "positions", "group_by": ["floor"], "aggregations": {"book_qty": ["sum", "avg"]}},
    {"collection": "sessions"},
]


@pytest.fixture
def freeze_id(take: Take) -> str:
    items = [item("R1", f"{number:05d}", number / 3, floor=f"F{number % 4}") for number in range(50)]
    counted = [record(f"c-{number}", "R1", f"{number:05d}", number, serial_numbers=["=s"]) for number in range(50)]
    return take(erp_items=items, verification_records=counted).snapshot_id


@pytest.mark.parametrize("kind", [Format.CSV, Format.JSON, Format.NDJSON])
@pytest.mark.parametrize("spec", SPECS, ids=["records", "groups", "empty"])
def test_the_rows_are_those_of_the_whole_answer(
    lake: Lake, freeze_id: str, tmp_path: Path, kind: Format, spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BATCH", 7)
    query = checked(QuerySpec(**spec))
    kept = reports.keep(lake, ID, freeze_id, query, spec, NOW)
    tables = {
        "whole": of_result(run(lake, freeze_id, query)),
        "query": of_query(lake, freeze_id, query, 30),
        "report": of_report(kept, Reports(lake.root).files(ID), query),
    }
    texts = {name: written(table, kind, tmp_path / name) for name, table in tables.items()}
    assert texts["query"] == texts["whole"]
    assert texts["report"].replace(f'"report_id":"{ID}",', "") == texts["whole"]


def test_a_report_says_how_many_rows_are_to_come_and_a_query_does_not(lake: Lake, freeze_id: str) -> None:
    query = checked(QuerySpec(**SPECS[0]))
    kept = reports.keep(lake, ID, freeze_id, query, SPECS[0], NOW)
    table = of_report(kept, Reports(lake.root).files(ID), query)
    assert (table.rows, table.about["report_id"], table.about["snapshot_id"]) == (50, ID, freeze_id)
    assert of_query(lake, freeze_id, query, 30).rows is None


def written(table: Table, kind: Format, path: Path) -> str:
    return export(table, kind, path, ORDER).path.read_text()
