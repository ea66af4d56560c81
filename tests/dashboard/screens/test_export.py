"""A whole dataset as a file."""

import hashlib
import json
from collections.abc import Callable

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import Stocked, texts
from tests.dashboard.expected import figures
from tests.dashboard.stock import LONG_SERIAL


@pytest.fixture
def at(page: Callable[[str], AppTest]) -> AppTest:
    """The page."""
    return page("export")


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json", "parquet"])
def test_each_format_holds_all_rows_and_its_manifest_says_where_they_come_from(
    at: AppTest, stocked: Stocked, kind: str
) -> None:
    next(group for group in at.segmented_control if group.label == "Format").set_value(kind).run()
    next(button for button in at.button if button.label == "Make the file").click().run()
    manifest = json.loads(at.code[0].value)
    content = (stocked.settings.exports / manifest["file"]).read_bytes()
    assert manifest["rows"] == figures(stocked.database).rows["Positions"]
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["snapshot_id"] == stocked.newer.snapshot_id
    assert manifest["zone"] == "Europe/Berlin"
    assert manifest["requested_by"].startswith("supervisor")
    assert [button.label for button in at.download_button] == ["Download", "Manifest"]


def test_the_chosen_dataset_is_the_one_in_the_file(at: AppTest, stocked: Stocked) -> None:
    at.radio[0].set_value("verification_records").run()
    next(group for group in at.segmented_control if group.label == "Format").set_value("parquet").run()
    next(button for button in at.button if button.label == "Make the file").click().run()
    file = json.loads(at.code[0].value)["file"]
    rows = pl.read_parquet(stocked.settings.exports / file)
    assert rows.height == figures(stocked.database).rows["Records"]
    assert rows.filter(pl.col("serial_numbers").list.len() > 0)["serial_numbers"].to_list() == [[LONG_SERIAL]] * 2


def test_a_file_of_another_snapshot_is_not_offered(at: AppTest, stocked: Stocked) -> None:
    next(button for button in at.button if button.label == "Make the file").click().run()
    assert len(at.download_button) == 2
    picker = next(box for box in at.selectbox if box.label == "Snapshot")
    picker.set_value(stocked.older.snapshot_id).run()
    assert len(at.download_button) == 0
    assert "596 rows" in texts(at)
