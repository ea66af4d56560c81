"""Two snapshots side by side."""

import io
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import duckdb
import openpyxl
import polars as pl
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from analytics.compare import Comparison, Kind, compare, moved
from analytics.engine import QueryTooLong
from analytics.watching import Stopped, Watch
from dashboard import comparing, loads, waiting
from tests.analytics.compare.made import ENDLESS
from tests.dashboard.conftest import OpenApp, Stocked, made, metrics, press, sign_in, texts
from tests.dashboard.screens.conftest import Linked
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
    totals, columns, changed = (frame.value for frame in at.dataframe)
    by_figure = totals.set_index("Figure")
    assert by_figure.loc["Counted lines", ["Before", "After", "Change"]].tolist() == ["185", "324", "+139"]
    assert dict(zip(columns["Column"], columns["Rows"], strict=True))["Verified"] == 138
    assert changed["verified_qty_after"].tolist() == found.rows(Kind.CHANGED)["verified_qty_after"].to_list()
    assert "Rows 1 to 138 of 138. Changed cells are marked." in texts(at)
    kinds = next(group for group in at.button_group if group.label == "Which rows")
    assert [option.content for option in kinds.proto.options] == ["Changed (138)", "Added (1)", "Removed (0)"]
    kinds.set_value(Kind.ADDED).run()
    assert at.dataframe[2].value["item_code"].tolist() == found.rows(Kind.ADDED)["item_code"].to_list()


def test_a_link_names_both_snapshots_and_the_one_before_is_a_click_away(
    open_app: OpenApp, stocked: Stocked, service: Service
) -> None:
    query = {"snapshot": stocked.older.snapshot_id, "baseline": stocked.newer.snapshot_id}
    at = sign_in(open_app(stocked.settings, **query), service.person("auditor"))
    at.switch_page("screens/compare.py").run()
    assert metrics(at)["Removed"] == "1"
    assert [box.label for box in at.selectbox][:2] == ["Snapshot", "Other snapshot"]
    next(box for box in at.selectbox if box.label == "Snapshot").set_value(stocked.newer.snapshot_id).run()
    next(group for group in at.button_group if group.label == "Compare with").set_value("The one before").run()
    assert metrics(at)["Added"] == "1"
    assert at.query_params["baseline"] == stocked.older.snapshot_id


def test_tolerances_are_asked_for_kept_in_the_address_and_counted(at: AppTest) -> None:
    fields = {field.label: field for field in at.number_input}
    assert "Round by at most" not in fields, "in which round it was counted is not compared"
    fields["Verified by at most"].set_value(1000.0)
    fields["Variance by at most, %"].set_value(12.5)
    press(at, "Use these tolerances")
    assert at.query_params["tolerance"] == "variance_qty=12.5%,verified_qty=1000"
    columns = at.dataframe[1].value
    assert dict(zip(columns["Column"], columns["Within tolerance"], strict=True))["Verified"] == 0, "null is no step"
    assert "Tolerances: variance by 12.5%, verified by 1000" in [expander.label for expander in at.expander]


def test_a_tolerance_that_cannot_be_read_is_said(at: AppTest) -> None:
    at.query_params["tolerance"] = "verified_qty=<b>"
    at.run()
    assert "is no tolerance" in texts(at)
    assert metrics(at)["Changed"] == "138"


@pytest.mark.parametrize("by", ["floor", "category", "counted_by", "item_code"])
def test_what_moved_a_total_is_divided_as_wished(at: AppTest, stocked: Stocked, by: str) -> None:
    next(group for group in at.button_group if group.label == "By").set_value(by).run()
    [drawn] = at.get("vega_lite_chart")
    steps = [row["step"] for row in rows_of(drawn)]
    found = compare(stocked.lake, stocked.older.snapshot_id, stocked.newer.snapshot_id)
    why = moved(stocked.lake, found, "net_variance_value", by)
    shown = [part.group or "(none)" for part in why.parts]
    assert steps[1 : len(shown) + 1] == shown
    assert drawn.proto.alt.startswith("What moved the total: Net variance value, by ")


def rows_of(drawn: Any) -> list[dict[str, Any]]:
    """The rows of a chart of one dataset."""
    [data] = drawn.proto.datasets
    return pl.from_arrow(pa.ipc.open_stream(data.data.data).read_all()).to_dicts()  # type: ignore[union-attr]


def test_other_datasets_compare_too(at: AppTest) -> None:
    next(box for box in at.selectbox if box.label == "Dataset").set_value("erp_items").run()
    assert metrics(at) == {"Added": "0", "Removed": "0", "Changed": "0", "Unchanged": "596"}
    assert at.query_params["dataset"] == "erp_items"


@pytest.mark.parametrize(("dataset", "unchanged"), [("erp_items", "596"), ("../positions", "458")])
def test_a_link_names_the_dataset(linked: Linked, service: Service, dataset: str, unchanged: str) -> None:
    at = linked("compare", service.person("auditor"), dataset=dataset)
    assert metrics(at)["Unchanged"] == unchanged


def test_the_comparison_can_be_had_as_a_file(working_page: Callable[[str], AppTest], stocked: Stocked) -> None:
    at = working_page("compare")
    offered = made(at)
    assert "139 rows" in texts(at)
    assert (offered.manifest["rows"], offered.manifest["compared_with"]) == (139, stocked.older.snapshot_id)
    sheet = openpyxl.load_workbook(io.BytesIO(offered.content())).worksheets[0]
    assert sheet.max_row == 140


def test_what_moved_a_total_may_fail_alone(at: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise QueryTooLong(seconds=60)

    monkeypatch.setattr(loads, "contributions", failing)
    written = texts(at.run()).replace("\\", "")
    assert "That cannot be asked · What moved it" in written
    assert "took more than 60 seconds and was stopped. Narrow its filters" in written
    assert "Rows 1 to " in written
    assert "Export this comparison" in written


def test_one_that_takes_long_is_followed_cancelled_and_asked_for_again(
    at: AppTest, stocked: Stocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, watches = threading.Event(), list[Watch]()

    def slow(*asked: Any) -> Comparison:
        watches.append(asked[-1])
        started.set()
        with duckdb.connect() as connection, watches[0].over(connection), suppress(duckdb.InterruptException):
            connection.execute(ENDLESS)
        return compare(*asked)

    monkeypatch.setattr(comparing, "compare", slow)
    monkeypatch.setattr(waiting, "GRACE_SECONDS", 0.0)
    at.query_params["tolerance"] = "verified_qty=77"
    at.run()
    assert started.wait(30)
    [bar] = at.get("progress")
    assert (bar.proto.text, metrics(at)) == ("Comparing the rows: about 0%", {})
    press(at, "Cancel")
    assert ("was cancelled" in texts(at), watches[0].stopped, metrics(at)) == (True, True, {})
    monkeypatch.setattr(comparing, "compare", compare)
    monkeypatch.setattr(waiting, "GRACE_SECONDS", 30.0)
    press(at, "Compare again")
    assert metrics(at)["Added"] == "1"


def test_it_goes_on_while_somebody_waits_for_it_and_is_made_once() -> None:
    gate, turns = threading.Event(), waiting.Works(2)

    def make(_: Watch) -> Comparison:
        gate.wait(30)
        raise Stopped

    first = turns.work("question", make)
    assert (turns.work("question", make) is first, turns.work("another", make) is first) == (True, False)
    first.look("ann", 100.0)
    first.look("bob", 100.0)
    first.leave("ann", 101.0)
    assert not first.watch.stopped, "bob waits"
    first.look("ann", 110.0)
    first.leave("ann", 110.0)
    assert first.watch.stopped, "bob has gone away"
    assert turns.work("question", make) is not first
    gate.set()
    assert isinstance(first.outcome.exception(30), Stopped)
