"""The shell: who gets in, what each role sees, and what is said when something is wrong."""

import re
import shutil
from datetime import timedelta
from typing import Literal

import msgspec
import pytest
import streamlit as st
from streamlit.navigation.page import StreamlitPage

from analytics.lake.publish import Head, publish
from dashboard.app import _SCREENS
from dashboard.calls.floor import Picture, picture
from dashboard.desk import Desk
from stockverify.datasets import POSITIONS
from stockverify.services.child import free_port
from stockverify.settings import Settings
from tests.dashboard.conftest import OpenApp, Stocked, metrics, press, sign_in, texts
from tests.ingest.crowd import new_user
from tests.service import Service


def test_nothing_is_shown_before_signing_in(open_app: OpenApp, stocked: Stocked) -> None:
    at = open_app(stocked.settings, snapshot=stocked.older.snapshot_id)
    assert (len(at.metric), len(at.dataframe), len(at.selectbox)) == (0, 0, 0)
    assert [field.label for field in at.text_input] == ["User name", "Password"]


def test_a_wrong_password_is_said_in_the_service_s_words(open_app: OpenApp, stocked: Stocked) -> None:
    at = sign_in(open_app(stocked.settings), "nobody")
    assert [error.value for error in at.error] == [
        r"The user name or the password is wrong\, or the account is disabled\."
    ]


@pytest.mark.parametrize(("name", "password"), [("n" * 257, "p"), ("n", "p" * 1025)])
def test_what_is_too_long_is_not_sent(open_app: OpenApp, stocked: Stocked, name: str, password: str) -> None:
    at = open_app(stocked.settings)
    at.text_input[0].set_value(name)
    at.text_input[1].set_value(password)
    assert ["so long" in warning.value for warning in at.button[0].click().run().warning] == [True]


def test_an_empty_form_is_not_sent(open_app: OpenApp, stocked: Stocked) -> None:
    at = open_app(stocked.settings).button[0].click().run()
    assert [warning.value for warning in at.warning] == ["Enter your user name and your password."]


@pytest.mark.parametrize("role", ["supervisor", "admin", "auditor"])
def test_readers_see_the_overview_and_only_some_take_snapshots(
    role: str, open_app: OpenApp, stocked: Stocked, service: Service
) -> None:
    at = sign_in(open_app(stocked.settings), service.person(role))
    assert at.title[0].value == "Overview"
    takes = [button.label for button in at.button if button.label == "Take snapshot now"]
    assert bool(takes) is (role != "auditor")


def test_staff_are_sent_to_a_device_and_see_nothing_else(open_app: OpenApp, stocked: Stocked, service: Service) -> None:
    at = sign_in(open_app(stocked.settings), service.person("staff"))
    assert "Counting happens on a device" in texts(at)
    assert (len(at.metric), len(at.dataframe), len(at.sidebar.markdown)) == (0, 0, 0)
    assert [button.label for button in at.button] == ["Sign out"]


_ALL = {name for _, name, _, _ in _SCREENS}


@pytest.mark.parametrize(
    ("role", "floors", "wanted"),
    [
        ("admin", None, _ALL),
        ("auditor", None, _ALL),
        ("supervisor", None, _ALL - {"people"}),
        ("supervisor", ["Attic"], _ALL - {"people", "anomalies", "schedules", "deliveries", "imports"}),
        ("staff", None, set()),
    ],
)
def test_the_sidebar_offers_what_somebody_may_read(
    open_app: OpenApp, stocked: Stocked, service: Service, monkeypatch: pytest.MonkeyPatch, role: str,
    floors: list[str] | None, wanted: set[str],
) -> None:  # fmt: skip
    drawn: list[tuple[list[StreamlitPage], str]] = []

    def navigation(pages: list[StreamlitPage], position: Literal["sidebar", "hidden"], expanded: bool) -> StreamlitPage:
        drawn.append((pages, position))
        return draw(pages, position=position, expanded=expanded)

    draw = st.navigation
    monkeypatch.setattr("streamlit.navigation", navigation)
    name = new_user(service, service.rack("sidebar").lower(), role, **({"floors": floors} if floors else {}))
    sign_in(open_app(stocked.settings), name)
    pages, position = drawn[-1]
    offered = {page.url_path or "overview" for page in pages if page.visibility == "visible"}
    assert (offered, position) == (wanted, "sidebar" if wanted else "hidden")
    assert all(page.visibility == "hidden" for page in drawn[0][0]), "nobody is signed in yet"


def test_every_page_says_of_which_moment_it_is(open_app: OpenApp, office: Service) -> None:
    at, silent = sign_in(open_app(office.settings), office.person("admin")), []
    for _, name, _, _ in _SCREENS:
        at.switch_page(f"screens/{name}.py").run()
        assert not at.exception
        written = texts(at)
        assert r"Times in Europe\/Berlin" in written
        if not re.search(r"-badge\[(Live|Latest)\].* as of \*\*\d+ \w+ \d{4}\\, .* CET?S?T\*\*", written):
            silent.append(name)
    assert silent == ["anomalies"], "where nobody has looked yet"


def test_a_live_page_claims_no_moment_while_the_service_is_away(
    open_app: OpenApp, stocked: Stocked, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Live as of now` stood above the card that says that the service does not answer."""
    at = sign_in(open_app(stocked.settings), service.person("admin"))
    at.session_state["snapshots_part"] = "All snapshots"
    monkeypatch.setenv("STOCKVERIFY_API_PORT", str(free_port()))
    live = {"floor", "conflicts", "anomalies", "schedules", "deliveries", "imports", "people", "health", "snapshots"}
    written = {name: texts(at.switch_page(f"screens/{name}.py").run()) for name in sorted(live)}
    assert {name for name in live if "The service does not answer" in written[name]} == live
    assert not [name for name in live if "-badge[Live]" in written[name]]


def test_a_snapshot_that_is_overdue_is_stale(open_app: OpenApp, stocked: Stocked, service: Service) -> None:
    often = msgspec.structs.replace(stocked.settings, snapshot_interval=1)
    at = sign_in(open_app(often), service.person("auditor"))
    assert ":red-badge[Stale]" in texts(at)
    assert "none has come since: tell whoever runs StockVerify" in texts(at)


def test_empty_places_say_what_to_do(
    open_app: OpenApp, stocked: Stocked, office: Service, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(desk: Desk) -> Picture:
        return look(desk)._replace(racks=[])

    look = picture
    monkeypatch.setattr("dashboard.screens.floor.picture", nothing)
    shutil.copytree(stocked.settings.lake, settings.lake)
    shutil.rmtree(settings.lake / "positions" / stocked.older.snapshot_id)
    here = msgspec.structs.replace(office.settings, data_dir=settings.data_dir)
    at = sign_in(open_app(here), office.person("admin"))
    for name, words in [
        ("compare", "Nothing to compare with yet"),
        ("floor", "No rack is known yet"),
        ("imports", "No list was uploaded so far"),
        ("deliveries", "No mail here"),
    ]:
        at.switch_page(f"screens/{name}.py").run()
        assert not at.exception
        assert words in texts(at), name


def test_a_link_leads_to_its_snapshot_after_signing_in(open_app: OpenApp, stocked: Stocked, service: Service) -> None:
    at = sign_in(open_app(stocked.settings, snapshot=stocked.older.snapshot_id), service.person("auditor"))
    assert metrics(at)["Lines counted"] == "185 / 596"
    assert at.query_params["snapshot"] == stocked.older.snapshot_id


def test_the_sidebar_names_the_person_the_role_and_the_zone(
    open_app: OpenApp, stocked: Stocked, service: Service
) -> None:
    at = sign_in(open_app(stocked.settings), service.person("auditor"))
    said = " ".join(str(element.value) for element in [*at.sidebar.markdown, *at.sidebar.caption])
    assert "Auditor" in said
    assert "· auditor" in said
    assert r"Times in Europe\/Berlin" in said


def test_signing_out_ends_the_login_everywhere(open_app: OpenApp, stocked: Stocked, service: Service) -> None:
    at = sign_in(open_app(stocked.settings), service.person("auditor"))
    token = at.session_state["keeper"].login.access_token
    next(button for button in at.button if button.label == "Sign out").click().run()
    assert "You are signed out" in texts(at)
    assert len(at.metric) == 0
    assert service.admin.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_login_that_ended_elsewhere_leads_back_to_the_form(supervised, service: Service) -> None:  # type: ignore[no-untyped-def]
    keeper = supervised.session_state["keeper"]
    service.admin.post("/api/auth/logout", headers={"Authorization": f"Bearer {keeper.login.access_token}"})
    keeper.login = msgspec.structs.replace(keeper.login, checked_at=keeper.login.checked_at.replace(year=2020))
    supervised.run()
    assert "Your session has ended" in texts(supervised)
    assert len(supervised.metric) == 0


def test_a_call_that_is_refused_with_401_leads_back_to_the_form(supervised) -> None:  # type: ignore[no-untyped-def]
    keeper = supervised.session_state["keeper"]
    keeper.login = msgspec.structs.replace(keeper.login, access_token="expired")
    next(button for button in supervised.button if button.label == "Take snapshot now").click().run()
    assert "Your session has ended" in texts(supervised)


def test_a_service_that_is_away_is_said_on_the_form(open_app: OpenApp, stocked: Stocked) -> None:
    away = msgspec.structs.replace(stocked.settings, api_port=free_port())
    at = sign_in(open_app(away), "ann")
    assert "does not answer" in at.error[0].value
    assert not at.exception


def test_an_unusable_setting_is_named(open_app: OpenApp, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    at = open_app(msgspec.structs.replace(settings, time_zone="Mars/Olympus"))
    assert "Something needs repair" in texts(at)
    assert r"Mars\/Olympus" in texts(at)


def test_without_a_snapshot_the_page_says_what_to_do(open_app: OpenApp, settings: Settings, service: Service) -> None:
    empty = msgspec.structs.replace(service.settings, data_dir=settings.data_dir)
    at = sign_in(open_app(empty), service.person("supervisor"))
    assert "No snapshot yet" in texts(at)
    assert r"stockverify demo" in texts(at)
    assert "Take snapshot now" in [button.label for button in at.button]


def test_a_link_to_a_snapshot_that_is_not_there_offers_the_latest(
    open_app: OpenApp, stocked: Stocked, service: Service
) -> None:
    at = sign_in(open_app(stocked.settings, snapshot="../../etc/passwd"), service.person("auditor"))
    assert "Not found" in texts(at)
    assert len(at.metric) == 0
    next(button for button in at.button if button.label == "Show the latest").click().run()
    assert at.query_params["snapshot"] == stocked.newer.snapshot_id
    assert metrics(at)["Lines counted"] == "324 / 597"


def test_what_nobody_foresaw_gets_a_code_and_no_traceback(
    supervised,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,  # type: ignore[no-untyped-def]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr("analytics.glance.tiles.step", broken)
    supervised.run()
    assert "This page could not be shown" in texts(supervised)
    assert "secret detail" not in texts(supervised)
    assert not supervised.exception


def test_a_damaged_snapshot_is_named_and_shows_no_figure(
    open_app: OpenApp, stocked: Stocked, settings: Settings, service: Service
) -> None:
    shutil.copytree(stocked.settings.lake, settings.lake)
    part = settings.lake / "positions" / stocked.newer.snapshot_id / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-1] + b"X")
    at = sign_in(
        open_app(msgspec.structs.replace(stocked.settings, data_dir=settings.data_dir)), service.person("auditor")
    )
    assert "Something needs repair" in texts(at)
    assert "does not match its checksum" in texts(at)
    assert (len(at.metric), len(at.dataframe)) == (0, 0)
    (part.parent / "manifest.json").write_text("{")
    st.cache_resource.clear()  # as in a process that has not read it before
    assert "its manifest cannot be read" in texts(at.run()).replace("\\", "")
    written = texts(press(at, "Show the latest"))
    assert ("Latest that can be read" in written, stocked.newer.snapshot_id in written) == (True, True)
    assert metrics(at)["Lines counted"] == "185 / 596"


def test_a_damaged_earlier_snapshot_is_left_out_of_trends(
    open_app: OpenApp, stocked: Stocked, settings: Settings, service: Service
) -> None:
    shutil.copytree(stocked.settings.lake, settings.lake)
    as_of = stocked.older.as_of - timedelta(days=1)
    head = Head(snapshot_id="20200101T000000000Z-00000000", name="", as_of=as_of, created_at=as_of)
    [path] = publish(settings.lake, POSITIONS, head, [], {}, {}).paths
    path.write_bytes(b"damaged")
    here = msgspec.structs.replace(stocked.settings, data_dir=settings.data_dir)
    at = sign_in(open_app(here), service.person("auditor"))
    assert metrics(at)["Lines counted"] == "324 / 597"
    assert "Left out, because they cannot be read: 1 of 3 snapshots." in texts(at)


def test_a_snapshot_that_takes_too_long_is_said_beside_the_empty_page(
    open_app: OpenApp, settings: Settings, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.snapshot_button.PATIENCE", 0.0)
    at = sign_in(
        open_app(msgspec.structs.replace(service.settings, data_dir=settings.data_dir)), service.person("admin")
    )
    next(button for button in at.button if button.label == "Take snapshot now").click().run()
    assert not at.exception
    assert "No snapshot yet" in texts(at)
    assert "The snapshot is still being taken" in texts(at)
