"""Health, over the real service."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.api import ServiceAway
from stockverify.wire.activity import ChainCheck
from tests.dashboard.conftest import OpenApp, Stocked, metrics, sign_in, texts
from tests.service import Service, claim, record, sync

Page = Callable[[str], AppTest]


@pytest.fixture
def audited(open_app: OpenApp, stocked: Stocked, service: Service) -> AppTest:
    """The page, as an auditor sees it."""
    staff = service.person()
    sync(staff, record(claim(staff, service.rack()), service.rack("c")))
    at = sign_in(open_app(stocked.settings), service.person("auditor"), "health")
    assert not at.exception
    return at


def test_services_breakers_and_measures_are_shown(page: Page) -> None:
    at = page("health")
    shown = metrics(at)
    assert (shown["MongoDB"], shown["Redis"]) == ("Up", "Up")
    assert shown["Records per second"] == "–"
    assert "Healthy" in texts(at)
    assert "auth.login" in at.dataframe[0].value["operation"].tolist()
    assert float(metrics(at.run())["Records per second"].replace(",", "")) >= 0


def test_the_lake_has_a_size_and_a_number_of_snapshots(page: Page) -> None:
    assert "**2** snapshots." in texts(page("health"))


def test_supervisors_see_no_audit_log(page: Page) -> None:
    assert "Audit log" not in texts(page("health"))


def test_an_auditor_filters_the_log(audited: AppTest) -> None:
    audited.selectbox(key="log_action").set_value("user.made").run()
    rows = audited.dataframe[-1].value
    assert set(rows["action"]) == {"Account made"}
    audited.text_input(key="log_user").set_value("nobody at all").run()
    assert "No entry passes these filters." in texts(audited)


def test_the_chain_of_the_real_log_holds(audited: AppTest) -> None:
    next(button for button in audited.button if button.label == "Check the chain").click().run()
    assert not audited.exception
    assert "hold together: all of them" in audited.success[0].value.replace("\\", "")


def test_a_check_goes_on_where_the_one_before_had_to_stop(audited: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def slow(_: object, after: int) -> ChainCheck:
        asked.append(after)
        return ChainCheck(holds=True, first=after + 1, last=after + 10, end=300, problems=[])

    monkeypatch.setattr("dashboard.calls.health._check", slow)
    monkeypatch.setattr("dashboard.calls.health.MOST_CHECKS", 2)
    for _ in range(2):
        next(button for button in audited.button if button.label == "Check the chain").click().run()
    assert asked == [0, 10, 20, 30]
    assert "Entries 21 to 40 hold together; 260 newer ones" in audited.success[0].value.replace("\\", "")


def test_what_is_away_leaves_the_rest_of_the_page(
    page: Page, monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    def away(*_: object) -> None:
        raise ServiceAway(url=service.url)

    monkeypatch.setattr("dashboard.api.Api.metrics", away)
    at = page("health")
    assert "The service does not answer" in texts(at)
    assert "MiB" in texts(at)
