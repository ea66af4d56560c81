"""The Explore page with its service: live rows and saved queries."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.calls import queries as calls
from dashboard.desk import Desk
from dashboard.explorer import answers
from stockverify.wire.reports import PreviewReply, QuerySpec
from tests.dashboard.conftest import OpenApp, Stocked, press, sign_in, texts
from tests.dashboard.expected import figures
from tests.dashboard.screens.conftest import Page
from tests.dashboard.screens.test_explore import box, field, many, question, rows, switch
from tests.service import Service


@pytest.fixture
def at(working_page: Page) -> AppTest:
    """The page over a service that works on the same lake, as a supervisor sees it."""
    return working_page("explore")


def as_auditor(open_app: OpenApp, office: Service) -> AppTest:
    """The page as somebody sees it who only reads."""
    return sign_in(open_app(office.settings), office.person("auditor"), "explore")


def test_live_rows_agree_with_the_snapshot_of_the_same_moment(at: AppTest, stocked: Stocked) -> None:
    switch(at, "Dataset", "verification_records")
    many(at, "Group by").set_value(["floor"]).run()
    frozen = rows(at)
    switch(at, "Data", True)
    assert rows(at).equals(frozen)
    assert at.query_params["live"] == "1"
    assert ":green-badge[Live] as of" in texts(at)
    assert "Files are made of snapshots" in texts(at)
    many(at, "Group by").set_value([]).run()
    many(at, "Figures").set_value([]).run()
    total = figures(stocked.database).rows["Records"]
    assert f"Showing rows 1 to 100 of {total:,}." in texts(at)
    at.pagination[0].set_value(2).run()
    assert f"Showing rows 101 to {min(200, total)} of {total:,}" in texts(at)  # and when, if they were counted earlier
    assert str(at.dataframe[0].value["received_at"].dtype) == "datetime64[ms, UTC]"


def test_live_positions_say_of_which_snapshot_they_are(at: AppTest, office: Service) -> None:
    switch(at, "Data", True)
    written = texts(at).replace("\\", "")
    newest = office.admin.get("/api/reports/snapshots/?snapshot_type=stock").json()[0]["snapshot_id"]
    assert f"this is the latest one, {newest}" in written
    assert ":orange-badge[Snapshot] as of" in written


def test_live_positions_and_their_number_are_of_one_snapshot(at: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    total, asked = showing(at), []

    def preview(desk: Desk, spec: QuerySpec) -> PreviewReply:
        reply = real(desk, spec)
        asked.append(spec)
        first = {"snapshot_id": "the one before", "rows": []}
        return msgspec.structs.replace(reply, **(first if len(asked) == 1 else {}))

    real = calls.preview
    monkeypatch.setattr("dashboard.calls.queries.preview", preview)
    switch(at, "Data", True)
    assert showing(at) == total
    assert len(asked) == 4, "the number and the rows, twice"


def test_live_rows_say_when_they_were_counted_if_that_was_earlier(at: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    switch(at, "Dataset", "verification_records")
    switch(at, "Data", True)
    assert "counted at" not in showing(at)
    monkeypatch.setattr("dashboard.explorer.answers._size", partial(_earlier, answers._size))
    at.run()
    assert "counted at 1 Jan 2026" in showing(at)


def _earlier(real: Callable[..., answers.Size], *given: Any) -> answers.Size:
    return real(*given)._replace(as_of=datetime(2026, 1, 1, 11, tzinfo=UTC))


def showing(at: AppTest) -> str:
    """How many rows are shown of how many."""
    return next(line for line in texts(at).replace("\\", "").splitlines() if line.startswith("Showing rows"))


def test_live_rows_stay_until_they_are_asked_for_anew(at: AppTest, stocked: Stocked) -> None:
    switch(at, "Dataset", "verification_sessions")
    switch(at, "Data", True)
    head = next(line for line in texts(at).splitlines() if "green-badge[Live]" in line)
    at.run()
    assert head in texts(at)
    press(at, "Refresh")
    assert not at.exception
    assert at.dataframe


def test_a_query_is_saved_opened_by_others_and_deleted(at: AppTest, open_app: OpenApp, office: Service) -> None:
    many(at, "Group by").set_value(["floor"]).run()
    press(at, "Save the query")
    assert "Give it a name." in [warning.value for warning in at.warning]
    field(at, "Name").set_value("Lines [by] *floor*")
    press(at, "Save the query")
    assert "Saved" in texts(at)
    [saved] = [each for each in office.admin.get("/api/reports/queries").json() if each["name"] == "Lines [by] *floor*"]
    assert saved["query_spec"]["group_by"] == ["floor"]
    reader = as_auditor(open_app, office)
    starts = box(reader, "Start from")
    starts.set_value(next(label for label in starts.options if label.startswith("Lines [by]"))).run()
    assert question(reader)["group_by"] == ["floor"]
    assert {"Save the query", "Keep the rows", "Delete"}.isdisjoint(button.label for button in reader.button)
    press(at, "Delete")
    assert "is gone" in texts(at)
    assert office.admin.get(f"/api/reports/queries/{saved['query_id']}").status_code == 404
    assert question(at)["group_by"] == ["floor"]
