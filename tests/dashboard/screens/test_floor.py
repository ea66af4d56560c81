"""The live floor, over the real service."""

from collections.abc import Callable

import msgspec
import pytest
from pymongo.database import Database
from streamlit.testing.v1 import AppTest

from dashboard.api import ServiceAway
from stockverify.clients import Document
from stockverify.vocabulary import Collection
from tests.dashboard.conftest import OpenApp, Stocked, sign_in, texts
from tests.service import Service, claim, record, sync

Page = Callable[[str], AppTest]


def press(at: AppTest, label: str) -> AppTest:
    """Press a button, and see that nothing broke."""
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception
    return at


def status(service: Service, rack: str) -> str:
    """The state of a rack."""
    return str(service.admin.get(f"/api/racks/{rack}/status").json()["status"])


def test_a_held_rack_is_shown_with_its_holder_and_progress(page: Page, service: Service) -> None:
    staff, rack = service.person(device="d-floor"), service.rack()
    sync(staff, record(claim(staff, rack, "Attic"), f"{rack}-1"))
    rows = page("floor").dataframe[0].value.set_index("rack").loc[rack]
    name = staff.get("/api/auth/me").json()["username"]
    assert rows[["floor", "state", "holder", "verified", "device"]].tolist() == [
        "Attic",
        "Being counted",
        name,
        1,
        "d-floor",
    ]


def test_a_supervisor_takes_a_rack_back_with_a_reason(
    page: Page, service: Service, stored: "Database[Document]"
) -> None:
    rack = service.rack()
    claim(service.person(), rack)
    at = page("floor")
    at.text_input(key="release_reason").set_value("Went home")
    press(at, "Force release")
    assert "Choose a rack and give a reason" in texts(at)
    assert at.text_input(key="release_reason").value == "Went home", "what was typed is not lost"
    at.selectbox(key="held_rack").set_value(rack)
    press(at, "Force release")
    assert "Released by a supervisor" in texts(at)
    assert (at.text_input(key="release_reason").value, at.selectbox(key="held_rack").value) == ("", None)
    assert status(service, rack) == "available"
    entry = stored[Collection.ACTIVITY_LOGS].find_one({"subject": rack, "action": "rack.force_released"})
    assert entry
    assert entry["details"]["reason"] == "Went home"


def test_a_completed_rack_is_opened_for_another_round_with_a_reason(
    page: Page, service: Service, stored: "Database[Document]"
) -> None:
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    staff.post(f"/api/sessions/{grant['session_id']}/complete").raise_for_status()
    at = page("floor")
    at.selectbox(key="done_rack").set_value(rack)
    press(at, "Ask for a recount")
    assert "Choose a completed rack and give a reason" in texts(at)
    assert status(service, rack) == "completed"
    assert at.selectbox(key="done_rack").value == rack, "what was chosen is not lost"
    at.text_input(key="recount_reason").set_value("Counted in a hurry")
    press(at, "Ask for a recount")
    assert "Open for another counting round" in texts(at)
    assert status(service, rack) == "reverify_requested"
    entry = stored[Collection.ACTIVITY_LOGS].find_one({"subject": rack, "action": "rack.reverify_requested"})
    assert entry
    assert entry["details"] == {"round": 2, "reason": "Counted in a hurry"}


def test_a_rack_that_moved_on_meanwhile_is_said(page: Page, service: Service) -> None:
    staff, rack = service.person(), service.rack()
    claim(staff, rack)
    at = page("floor")
    at.selectbox(key="held_rack").set_value(rack)
    next(field for field in at.text_input if field.label == "Reason").set_value("Went home")
    staff.post(f"/api/racks/{rack}/release").raise_for_status()
    press(at, "Force release")
    assert not at.exception
    assert "Released by a supervisor" not in texts(at)


def test_auditors_see_the_floor_and_override_nobody(open_app: OpenApp, stocked: Stocked, service: Service) -> None:
    claim(service.person(), service.rack())
    at = sign_in(open_app(stocked.settings), service.person("auditor"), "floor")
    assert ":green-badge[Live]" in texts(at)
    assert not [button for button in at.button if button.label in ("Force release", "Ask for a recount")]


def test_while_the_service_is_away_the_last_picture_stays_and_says_so(
    page: Page, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(service.person(), service.rack())
    at = page("floor")

    def away(*_: object) -> None:
        raise ServiceAway(url=service.url)

    monkeypatch.setattr("dashboard.calls.floor.picture", away)
    monkeypatch.setattr("dashboard.desk.Desk.get", away)
    at.run()
    written = texts(at)
    assert "The service does not answer" in written
    assert ":red-badge[Stale]" in written
    assert len(at.dataframe) > 0


def test_a_login_that_ended_leads_back_to_the_form(page: Page) -> None:
    at = page("floor")
    keeper = at.session_state["keeper"]
    keeper.login = msgspec.structs.replace(keeper.login, access_token="expired")
    at.run()
    assert "Your session has ended" in texts(at)
