"""The library of snapshots: found, looked at, pinned and deleted, over a real lake and the service on it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.calls import snapshots as calls
from dashboard.desk import Desk
from dashboard.one_snapshot import LIBRARY, PART
from stockverify.wire.reports import Snapshot
from tests.dashboard.conftest import OpenApp, Stocked, press, sign_in, texts
from tests.dashboard.stock import report_snapshot
from tests.service import Service

Opened = Callable[..., AppTest]


@pytest.fixture
def report(stocked: Stocked, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """A report snapshot of the older freeze; gone at the end."""
    made = report_snapshot(stocked.lake, stocked.database, stocked.older.snapshot_id, request.node.name)
    yield made
    stocked.database.report_snapshots.delete_one({"_id": made["_id"]})


@pytest.fixture
def opened(open_app: OpenApp, office: Service) -> Opened:
    """The library, as somebody with this role sees it, at one snapshot if there is one."""

    def page(role: str, kept: str = "") -> AppTest:
        at = sign_in(open_app(office.settings), office.person(role))
        at.session_state[PART] = LIBRARY
        if kept:
            at.query_params["kept"] = kept
        at.switch_page("screens/snapshots.py").run()
        if kept:
            at.query_params["kept"] = kept
            at.run()
        assert not at.exception
        return at

    return page


def look(at: AppTest, name: str) -> AppTest:
    """One look at the chosen snapshot."""
    next(group for group in at.segmented_control if group.label == "Look at").set_value(name).run()
    assert not at.exception
    assert "could not be shown" not in texts(at)
    return at


def rows(at: AppTest) -> list[dict[str, Any]]:
    """The list of snapshots."""
    found: list[dict[str, Any]] = at.dataframe[0].value.to_dict("records")
    return found


def test_data_and_reports_are_listed_with_their_tags_and_found_by_them(
    opened: Opened, stocked: Stocked, report: dict[str, Any]
) -> None:
    at = opened("auditor")
    by_id = {row["snapshot_id"]: row for row in rows(at)}
    assert set(by_id) == {report["_id"], stocked.older.snapshot_id, stocked.newer.snapshot_id}
    shown = by_id[report["_id"]]
    assert (shown["kind"], shown["name"], list(shown["tags"]), shown["rows"]) == (
        "Report",
        "Not counted yet",
        ["evening", "open"],
        411,
    )
    assert "3 of 3 snapshots" in texts(at)
    at.text_input(key="library_text").set_value("NOON count").run()
    assert [row["snapshot_id"] for row in rows(at)] == [stocked.newer.snapshot_id]
    at.text_input(key="library_text").set_value("").run()
    at.multiselect(key="library_tags").set_value(["open"]).run()
    assert [row["snapshot_id"] for row in rows(at)] == [report["_id"]]
    at.text_input(key="library_text").set_value("nothing like it").run()
    assert "No snapshot here" in texts(at)


def test_a_report_says_which_snapshot_it_comes_from(opened: Opened, stocked: Stocked, report: dict[str, Any]) -> None:
    at = opened("auditor", report["_id"])
    written = texts(at)
    assert f"`{stocked.older.snapshot_id}`" in written
    assert "Morning count" in written
    assert "Nothing does." in written
    assert json.loads(at.code[0].value)["filters"] == {"counted": False}


def test_a_snapshot_says_what_it_was_built_upon_and_what_was_made_of_it(
    opened: Opened, stocked: Stocked, report: dict[str, Any]
) -> None:
    at = opened("auditor", stocked.newer.snapshot_id)
    built = {row["dataset"]: row["base"] for row in at.dataframe[1].value.to_dict("records")}
    assert built["Records"] == stocked.older.snapshot_id
    at.query_params["kept"] = stocked.older.snapshot_id
    at.run()
    assert f"Later snapshots built upon it: `{stocked.newer.snapshot_id}`" in texts(at)
    assert at.dataframe[2].value.to_dict("records")[0]["id"] == report["_id"]


def test_the_profile_agrees_with_the_rows(opened: Opened, stocked: Stocked, report: dict[str, Any]) -> None:
    at = look(opened("auditor", stocked.newer.snapshot_id), "Columns")
    found = at.dataframe[1].value.set_index("column")
    assert (found.loc["Counted", "rows"], found.loc["Counted", "distinct"]) == (597, "2")
    assert list(found.loc["Counted", "commonest"]) == ["yes × 324", "no × 273"]
    assert found.loc["Verified", "empty"] == pytest.approx(273 / 597)
    at.query_params["kept"] = report["_id"]
    at.run()
    assert set(at.dataframe[1].value["rows"]) == {411}


def test_rows_and_manifest_of_a_report(opened: Opened, report: dict[str, Any]) -> None:
    at = look(opened("auditor", report["_id"]), "Rows")
    assert "Showing rows 1 to 100 of 411." in texts(at)
    assert at.dataframe[1].value["book_qty"].is_monotonic_decreasing
    at.pagination[0].set_value(5).run()
    assert "Showing rows 401 to 411 of 411." in texts(at)
    manifest = json.loads(look(at, "Manifest").code[0].value)
    assert (manifest["rows"], manifest["freeze_id"]) == (411, report["freeze_id"])


def test_the_rows_of_a_data_snapshot_open_in_the_explorer(opened: Opened, stocked: Stocked) -> None:
    at = press(look(opened("auditor", stocked.older.snapshot_id), "Rows"), "Filter, group and export them")
    assert not at.exception
    assert "of 596." in texts(at)
    assert at.query_params["snapshot"] == stocked.older.snapshot_id


def test_pinned_is_not_deleted_before_it_is_unpinned(
    opened: Opened, stocked: Stocked, report: dict[str, Any], office: Service
) -> None:
    at = press(opened("admin", report["_id"]), "Pin")
    assert "pinned by" in texts(at)
    assert "is pinned; unpin it first" in texts(at).replace("\\", "")
    assert not [button for button in at.button if button.label == "Delete it for good"]
    press(at, "Unpin")
    press(at, "Delete it for good")
    assert "Deleted" in texts(at)
    assert stocked.database.report_snapshots.find_one({"_id": report["_id"]}) is None
    assert report["_id"] not in [row["snapshot_id"] for row in rows(at)]


def test_a_report_is_asked_again_and_the_new_one_is_looked_at(
    opened: Opened, stocked: Stocked, report: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lake that tests share takes no new snapshot: the service has its own tests of refreshing."""
    asked = []

    def refresh(desk: Desk, snapshot_id: str) -> Snapshot:
        asked.append(snapshot_id)
        return next(each for each in calls.listed(desk) if each.snapshot_id == stocked.newer.snapshot_id)

    monkeypatch.setattr("dashboard.calls.snapshots.refresh", refresh)
    at = opened("supervisor", report["_id"])
    at.button(key="refresh_report").click().run()
    assert not at.exception
    assert asked == [report["_id"]]
    assert "Refreshed" in texts(at)
    assert at.query_params["kept"] == stocked.newer.snapshot_id


def test_what_cannot_be_deleted_says_why(opened: Opened, stocked: Stocked, report: dict[str, Any]) -> None:
    at = opened("admin", stocked.newer.snapshot_id)
    assert "holds all data of a moment, which reports rely on" in texts(at).replace("\\", "")
    at = opened("supervisor", report["_id"])
    press(at, "Delete it for good")
    assert "was made by ann; its maker or an admin may delete it" in texts(at).replace("\\", "")


def test_auditors_change_nothing(opened: Opened, report: dict[str, Any]) -> None:
    at = opened("auditor", report["_id"])
    labels = {button.label for button in at.button}
    assert labels & {"Pin", "Refresh", "Delete it for good"} <= {"Refresh"}
    assert [button.key for button in at.button if button.label == "Refresh"] == ["refresh_Snapshots"]


def test_a_link_to_what_is_gone_says_so(opened: Opened) -> None:
    assert "There is no snapshot rs\\-gone any more" in texts(opened("auditor", "rs-gone"))
