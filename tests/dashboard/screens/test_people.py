"""Devices and users, over the real service."""

from collections.abc import Callable
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from stockverify.vocabulary import Role
from tests.dashboard.conftest import texts
from tests.dashboard.screens.conftest import SeenBy
from tests.service import ADMIN_PASSWORD, PASSWORD, Service

Opened = Callable[[str], AppTest]


@pytest.fixture
def opened(seen_by: SeenBy) -> Opened:
    """The page, as somebody with this role sees it."""
    return partial(seen_by, "people")


def field(at: AppTest, label: str, nth: int = 0):  # type: ignore[no-untyped-def]
    """A text field."""
    return [found for found in at.text_input if found.label == label][nth]


def press(at: AppTest, label: str) -> AppTest:
    """Press a button, and see that nothing broke."""
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception
    return at


def devices(at: AppTest) -> AppTest:
    """The other half of the page."""
    return at.segmented_control[0].set_value("Devices").run()


def test_an_admin_makes_an_account_that_may_sign_in(opened: Opened, service: Service) -> None:
    at, name = opened("admin"), service.rack("new").lower()
    field(at, "User name").set_value(name)
    field(at, "Name").set_value("New Person")
    field(at, "Password").set_value(PASSWORD)
    field(at, "E-mail").set_value(f"{name}@shop.example")
    press(at, "Make the account")
    assert "Account made" in texts(at)
    assert at.dataframe[0].value.set_index("username").loc[name, "email"] == f"{name}@shop.example"
    assert service.log_in(name, PASSWORD).get("/api/auth/me").json()["role"] == "staff"


def test_a_name_that_is_taken_is_said_beside_the_form(opened: Opened) -> None:
    at = opened("admin")
    field(at, "User name").set_value("admin")
    field(at, "Name").set_value("Second")
    field(at, "Password").set_value(ADMIN_PASSWORD)
    press(at, "Make the account")
    assert "Make an account" in texts(at)
    assert "Not possible now" in texts(at)


def test_an_account_is_disabled_and_its_login_ends(opened: Opened, service: Service) -> None:
    staff = service.person()
    name = staff.get("/api/auth/me").json()["username"]
    at = opened("admin")
    at.selectbox(key="changed_user").set_value(name).run()
    at.toggle[0].set_value(False)
    press(at, "Save")
    assert staff.get("/api/auth/me").status_code == 401
    rows = at.dataframe[0].value.set_index("username")
    assert not rows.loc[name, "is_active"]


def test_another_role_and_floors_are_given_and_end_logins(opened: Opened, service: Service) -> None:
    reader = service.person("supervisor")
    name = reader.get("/api/auth/me").json()["username"]
    at = opened("admin")
    at.selectbox(key="changed_user").set_value(name).run()
    at.multiselect[0].set_value(["Attic"])
    next(box for box in at.selectbox if box.label == "Role" and box.value == Role.SUPERVISOR).set_value(Role.AUDITOR)
    press(at, "Save")
    assert "New\\: role\\, floors" in texts(at)
    row = at.dataframe[0].value.set_index("username").loc[name]
    assert (row["role"], list(row["floors"])) == ("auditor", ["Attic"])
    assert reader.get("/api/auth/me").status_code == 401


def test_an_address_and_a_pin_are_given_later_and_end_no_login(opened: Opened, service: Service) -> None:
    """docs/sign-in.md and the notices about failed reports rely on it."""
    device = service.rack("d")
    staff = service.person(device=device)
    name = staff.get("/api/auth/me").json()["username"]
    at = opened("admin")
    at.selectbox(key="changed_user").set_value(name).run()
    field(at, "E-mail", 1).set_value("nowhere")
    press(at, "Save")
    assert "no e\\-mail address" in texts(at)
    field(at, "E-mail", 1).set_value(f"{name}@shop.example")
    field(at, "New PIN (4 to 6 digits, for devices)").set_value("4711")
    press(at, "Save")
    assert "New\\: e\\-mail\\, PIN" in texts(at)
    assert staff.get("/api/auth/me").json()["email"] == f"{name}@shop.example"


def test_an_invitation_shows_its_code_once(opened: Opened, service: Service) -> None:
    at = devices(opened("admin"))
    field(at, "Name of the device").set_value("Scanner 7")
    press(at, "Give a code")
    code = at.code[0].value
    reply = service.admin.post("/api/devices/enroll", json={"code": code, "device_id": f"d-{code}"})
    assert reply.status_code == 201
    at.run()
    assert len(at.code) == 0
    assert f"d-{code}" in at.dataframe[0].value["device_id"].tolist()


def test_a_revoked_device_is_shut_out(opened: Opened, service: Service) -> None:
    device = service.rack("d")
    staff = service.person(device=device)
    at = devices(opened("admin"))
    press(at, "Revoke")
    assert "Not revoked" in texts(at)
    next(box for box in at.selectbox if box.label == "Device").set_value(device)
    field(at, "Reason").set_value("Stolen")
    press(at, "Revoke")
    assert staff.get("/api/auth/me").status_code == 401
    row = at.dataframe[0].value.set_index("device_id").loc[device]
    assert (row["state"], row["revoked_reason"]) == ("Revoked", "Stolen")


@pytest.mark.parametrize("part", ["Users", "Devices"])
def test_auditors_read_and_change_nothing(opened: Opened, part: str) -> None:
    at = opened("auditor")
    at.segmented_control[0].set_value(part).run()
    assert len(at.dataframe) == 1
    assert (len(at.text_input), len(at.selectbox)) == (0, 0)


def test_supervisors_are_refused_in_words_if_a_link_leads_them_here(opened: Opened) -> None:
    at = opened("supervisor")
    assert "Not allowed" in texts(at)
    assert len(at.dataframe) == 0
