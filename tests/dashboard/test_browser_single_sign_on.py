"""Signing in through a provider as people do it: real Chromium, a real provider, and Streamlit's own login between."""

from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Browser, expect
from pymongo import MongoClient

from stockverify.clients import Document, database
from tests.dashboard.conftest import Stocked
from tests.dashboard.pages import DESKTOP, PATIENCE, Look, Visit, chromium, visit
from tests.dashboard.running import Dashboard, running_dashboard
from tests.ingest.crowd import new_user
from tests.oidc import CLIENT_ID, CLIENT_SECRET, RealProvider, real_provider
from tests.service import Service, running_service

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProvider]:
    with real_provider(tmp_path_factory.mktemp("provider")) as started:
        started.knows("ann-1", email="ann@shop.example", email_verified=True, name="Ann Lee")
        started.knows("eve-1", email="eve@shop.example", email_verified=True)
        yield started


@pytest.fixture(scope="module")
def house(
    stocked: Stocked, provider: RealProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Dashboard]]:
    """A service and a dashboard that know the provider, over a lake that is shared."""
    settings = msgspec.structs.replace(
        stocked.settings,
        mongodb_database="in_by_provider",
        data_dir=tmp_path_factory.mktemp("in_by_provider"),
        oidc_issuer=provider.url,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        oidc_name="Shop login",
    )
    settings.lake.symlink_to(stocked.settings.lake)
    with running_service(settings) as service, running_dashboard(service.settings) as dashboard:
        name = new_user(service, "ann", "supervisor")
        service.admin.patch(f"/api/auth/users/{name}", json={"email": "ann@shop.example"}).raise_for_status()
        yield service, dashboard


def go_through(visiting: Visit, sub: str) -> None:
    """To the provider, and back as somebody. Its pages want a style from the Internet, and do without."""
    visiting.page.route("https://**", lambda route: route.abort())
    visiting.page.get_by_role("button", name="Sign in with Shop login").click()
    visiting.page.get_by_placeholder("sub").first.fill(sub)
    visiting.page.get_by_role("button", name="Authorize").click()


def test_a_person_comes_in_through_the_provider_and_goes_out_of_both(
    browser: Browser,
    house: tuple[Service, Dashboard],
    mongo: "MongoClient[Document]",
) -> None:
    service, dashboard = house
    stored = database(mongo, service.settings)
    with visit(browser, dashboard.url, Look(DESKTOP, "light")) as visiting:
        page = visiting.page
        page.goto(dashboard.url)
        expect(page.get_by_role("button", name="Sign in with Shop login")).to_be_visible(timeout=PATIENCE)
        go_through(visiting, "ann-1")
        expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible(timeout=PATIENCE)
        visiting.settle()
        expect(page.get_by_text("ann · supervisor")).to_be_visible()
        assert "code=" not in page.url
        page.reload()
        expect(page.get_by_text("Sign in with Shop login once more to go on.")).to_be_visible(timeout=PATIENCE)
        go_through(visiting, "ann-1")
        expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible(timeout=PATIENCE)
        assert len(stored.users.find_one({"username": "ann"})["logins"]) == 2  # type: ignore[index]
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="End session").click()  # at the provider
        expect(page.get_by_role("button", name="Sign in with Shop login")).to_be_visible(timeout=PATIENCE)
        assert [each["name"] for each in page.context.cookies() if each["name"].startswith("_streamlit_user")] == []
        assert len(stored.users.find_one({"username": "ann"})["logins"]) == 1  # type: ignore[index]
        assert [said for said in visiting.complaints if dashboard.url in said] == []
    log = dashboard.log() + service.children[0].spec.log.read_text()
    assert "Traceback" not in log
    secrets = [CLIENT_SECRET, "eyJ", (service.settings.data_dir / "dashboard" / "cookie.key").read_text()]
    assert [secret for secret in secrets if secret in log] == []


def test_somebody_without_an_account_reads_what_to_do(browser: Browser, house: tuple[Service, Dashboard]) -> None:
    with visit(browser, house[1].url, Look(DESKTOP, "dark")) as visiting:
        visiting.page.goto(house[1].url)
        go_through(visiting, "eve-1")
        expect(visiting.page.get_by_text("there is no active account of yours here")).to_be_visible(timeout=PATIENCE)
        expect(visiting.page.get_by_label("Password", exact=True)).to_be_visible()
