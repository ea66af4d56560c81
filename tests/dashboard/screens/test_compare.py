"""Two snapshots side by side."""

import io
from collections.abc import Callable

import openpyxl
import pytest
from streamlit.testing.v1 import AppTest

from analytics.compare import Kind, compare
from tests.dashboard.conftest import OpenApp, Stocked, made, metrics, sign_in, texts
from tests.service import Service


@pytest.fixture
def at(page: Callable[[str], AppTest]) -> AppTest:
    """The page."""
    return page("compare")


def test_the_newest_is_compared_with_the_one_before(at: AppTest, stocked: Stocked) -> None:
    assert metrics(at) == {"Added": "1", "Removed": "0", "Changed": "138", "Unchanged": "458"}
    assert at.query_params["baseline"] == stocked.older.snapshot_id
    assert at.query_params["snapshot"] == stocked.newer.snapshot_id


def test_totals_columns_and_rows_agree_with_the_comparison(at: AppTest, stocked: Stocked) -> None:
    found = compare(stocked.lake, stocked.older.snapshot_id, stocked.newer.snapshot_id)
    totals, columns, changed, added, removed = (frame.value for frame in at.dataframe)
    by_figure = totals.set_index("Figure")
    assert by_figure.loc["Counted lines", ["Before", "After", "Change", "Trend"]].tolist() == [
        "185",
        "324",
        "+139",
        "▲ up",
    ]
    assert dict(zip(columns["Column"], columns["Rows"], strict=True))["Verified"] == 138
    assert changed["verified_qty_after"].tolist() == found.rows(Kind.CHANGED)["verified_qty_after"].to_list()
    assert (len(changed), len(added), len(removed)) == (138, 1, 0)
    assert "All 138 changed rows." in texts(at)


def test_a_link_names_both_snapshots(open_app: OpenApp, stocked: Stocked, service: Service) -> None:
    query = {"snapshot": stocked.older.snapshot_id, "baseline": stocked.newer.snapshot_id}
    at = sign_in(open_app(stocked.settings, **query), service.person("auditor"))
    at.switch_page("screens/compare.py").run()
    assert metrics(at)["Removed"] == "1"


def test_other_datasets_compare_too(at: AppTest) -> None:
    next(box for box in at.selectbox if box.label == "Dataset").set_value("erp_items").run()
    assert metrics(at) == {"Added": "0", "Removed": "0", "Changed": "0", "Unchanged": "596"}


def test_the_comparison_can_be_had_as_a_file(working_page: Callable[[str], AppTest], stocked: Stocked) -> None:
    at = working_page("compare")
    offered = made(at)
    assert "139 rows" in texts(at)
    assert (offered.manifest["rows"], offered.manifest["compared_with"]) == (139, stocked.older.snapshot_id)
    sheet = openpyxl.load_workbook(io.BytesIO(offered.content())).worksheets[0]
    assert sheet.max_row == 140
