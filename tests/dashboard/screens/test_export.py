"""A whole dataset as a file, made by the service."""

import hashlib
import io
import time
from collections.abc import Callable

import msgspec
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.api import Api, ServiceAway
from stockverify.services.child import free_port
from tests.dashboard.conftest import OpenApp, Stocked, made, press, sign_in, texts
from tests.dashboard.expected import figures
from tests.dashboard.stock import LONG_SERIAL
from tests.service import Service


@pytest.fixture
def at(working_page: Callable[[str], AppTest]) -> AppTest:
    """The page."""
    return working_page("export")


def choose(at: AppTest, kind: str) -> None:
    next(group for group in at.segmented_control if group.label == "Format").set_value(kind).run()


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "pdf"])
def test_each_format_holds_all_rows_and_its_manifest_says_where_they_come_from(
    at: AppTest, stocked: Stocked, office: Service, kind: str
) -> None:
    choose(at, kind)
    offered = made(at)
    manifest, content = offered.manifest, offered.content()
    assert offered.url.startswith(f"{office.url}/api/reports/exports/")
    assert manifest["rows"] == figures(stocked.database).rows["Positions"]
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["snapshot_id"] == stocked.newer.snapshot_id
    assert manifest["zone"] == "Europe/Berlin"
    assert manifest["requested_by"].startswith("supervisor")
    assert "Whoever has the link has the file" in texts(at)


def test_the_chosen_dataset_is_the_one_in_the_file(at: AppTest, stocked: Stocked) -> None:
    at.radio[0].set_value("verification_records").run()
    choose(at, "parquet")
    rows = pl.read_parquet(io.BytesIO(made(at).content()))
    assert rows.height == figures(stocked.database).rows["Records"]
    assert rows.filter(pl.col("serial_numbers").list.len() > 0)["serial_numbers"].to_list() == [[LONG_SERIAL]] * 2


def test_a_file_of_another_snapshot_is_not_offered(at: AppTest, stocked: Stocked) -> None:
    made(at)
    picker = next(box for box in at.selectbox if box.label == "Snapshot")
    picker.set_value(stocked.older.snapshot_id).run()
    assert (at.get("link_button"), len(at.download_button)) == ([], 0)
    assert "596 rows" in texts(at)
    picker.set_value(stocked.newer.snapshot_id).run()
    assert len(at.get("link_button")) == 1, "it is still there for the one that it was made of"


def test_a_browser_elsewhere_gets_a_link_that_leads_there(open_app: OpenApp, office: Service, stocked: Stocked) -> None:
    settings = msgspec.structs.replace(office.settings, public_api_url="https://stock.example/")
    at = sign_in(open_app(settings), office.person("auditor"))
    at.switch_page("screens/export.py").run()
    assert made(at).url.startswith("https://stock.example/api/reports/exports/ex-")


def test_a_file_that_is_cancelled_says_so(at: AppTest, office: Service) -> None:
    choose(at, "pdf")
    press(at, "Make the file")
    if any(button.label == "Cancel" for button in at.button):
        press(at, "Cancel")
    for _ in range(600):
        if "The export was cancelled" in texts(at) or at.get("link_button"):
            break
        time.sleep(0.1)
        at.run()
    assert "The export was cancelled" in texts(at)


def test_without_the_service_it_is_said(at: AppTest, office: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Api, "create_export", away)
    press(at, "Make the file")
    assert "The service does not answer" in texts(at)


def away(*_: object) -> None:
    raise ServiceAway(url=f"http://127.0.0.1:{free_port()}")
