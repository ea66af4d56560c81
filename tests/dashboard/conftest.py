"""A lake with two snapshots, made once from real documents, and the app over it."""

import json
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
import streamlit as st
from playwright.sync_api import Browser
from pymongo import MongoClient
from pymongo.database import Database
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest, local_script_runner
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from analytics.lake import Freeze, Lake
from dashboard import app as app_module
from dashboard import waiting
from stockverify.clients import Document, database
from stockverify.environment import to_env
from stockverify.services.embedded import Backends
from stockverify.settings import Settings
from tests.dashboard.pages import chromium
from tests.dashboard.running import Dashboard, clean, running_dashboard
from tests.dashboard.stock import two_snapshots
from tests.service import PASSWORD, PATIENT, Service, running_service

OpenApp = Callable[..., AppTest]


class Stocked(NamedTuple):
    """Settings whose lake holds two snapshots, and the database that they were taken from."""

    settings: Settings
    database: "Database[Document]"
    older: Freeze
    newer: Freeze

    @property
    def lake(self) -> Lake:
        """The lake of the settings."""
        return Lake(self.settings.lake)


@pytest.fixture(scope="session", autouse=True)
def parts_of_pages() -> Iterator[None]:
    """Each page that a test opens looks through all installed packages for parts of pages, 400 ms of a processor."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session", autouse=True)
def ends_of_scripts() -> Iterator[None]:
    """A test of a page looks through all events of its script a thousand times a second to see whether it has ended,
    which is 3 to 10 % of what it takes of a processor. A thread can be waited for."""

    def ended(runner: LocalScriptRunner, timeout: float = 3) -> None:
        assert runner._script_thread
        runner._script_thread.join(timeout)
        if not runner.script_stopped():
            runner.request_stop()
            raise TimeoutError(f"The script of the page took longer than {timeout} s")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_script_runner, "require_widgets_deltas", ended)
        yield


@pytest.fixture(scope="session")
def stocked(service: Service, mongo: "MongoClient[Document]", tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """Reading tests share it; none writes to it."""
    folder = tmp_path_factory.mktemp("stocked")
    settings = msgspec.structs.replace(
        service.settings, data_dir=folder, mongodb_database=f"stocked_{folder.name}", time_zone="Europe/Berlin"
    )
    found = database(mongo, settings)
    return Stocked(settings, found, *two_snapshots(found, Lake(settings.lake)))


@pytest.fixture(scope="session")
def office(stocked: Stocked) -> Iterator[Service]:
    """A service over the same lake, for what pages have made there."""
    with running_service(stocked.settings, module=PATIENT) as started:
        yield started


@pytest.fixture
def open_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenApp]:
    """Opens the app with the environment of the settings, at a page, as a browser would with these query parameters.

    Clients are closed after each test. What was read from a lake stays, under the name of its folder: half of the
    time of such a test was the overview, on which everybody arrives.
    """

    def opened(settings: Settings, **query: str) -> AppTest:
        for name, value in to_env(settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(waiting, "GRACE_SECONDS", 30.0)  # a busy machine changes nothing of what is seen
        at = AppTest.from_file(app_module.__file__ or "", default_timeout=30)
        for name, value in query.items():
            at.query_params[name] = value
        return at.run()

    yield opened
    st.cache_resource.clear()


def sign_in(at: AppTest, client: httpx.Client | str, page: str = "overview") -> AppTest:
    """Fill in the form, at the page to which a link has led, or at the overview, which takes longest to draw."""
    if page != "overview":
        at.switch_page(f"screens/{page}.py")
    name = client if isinstance(client, str) else client.get("/api/auth/me").json()["username"]
    at.text_input[0].set_value(name)
    at.text_input[1].set_value(PASSWORD)
    return at.button[0].click().run()


@pytest.fixture
def supervised(open_app: OpenApp, stocked: Stocked, service: Service) -> AppTest:
    """The overview of the newest snapshot, as a supervisor sees it."""
    return sign_in(open_app(stocked.settings), service.person("supervisor"))


def texts(at: AppTest) -> str:
    """All that is written on the page."""
    written = [*at.title, *at.header, *at.markdown, *at.caption, *at.info, *at.warning, *at.error, *at.success]
    return "\n".join(str(element.value) for element in written)


def metrics(at: AppTest) -> dict[str, str]:
    """The figures of the page by their labels."""
    return {metric.label: metric.value for metric in at.metric}


class Offered(NamedTuple):
    """A file that a page offers: the address of its link, and what its manifest says."""

    url: str
    manifest: dict[str, Any]

    def content(self) -> bytes:
        """The file, fetched as a browser would: without a token."""
        return httpx.get(self.url).raise_for_status().content


def press(at: AppTest, label: str) -> AppTest:
    """Press a button."""
    return next(button for button in at.button if button.label == label).click().run()


def made(at: AppTest) -> Offered:
    """Press the button and wait until the service has made the file."""
    press(at, "Make the file")
    deadline = time.monotonic() + 120  # what makes it yields to all other tests
    while not (links := at.get("link_button")):
        assert time.monotonic() < deadline, texts(at)
        time.sleep(0.2)
        at.run()
    assert [button.label for button in at.download_button] == ["Manifest"]
    return Offered(links[0].proto.url, json.loads(at.code[0].value))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a file."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def branch(
    request: pytest.FixtureRequest, embedded: Backends, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service with a lake and an outbox of its own, for all tests of a file; at the end its log must be clean."""
    name = request.module.__name__.rpartition("_")[2]
    changes = {"mongodb_database": f"office_{name}", "data_dir": tmp_path_factory.mktemp("office")}
    settings = msgspec.structs.replace(embedded.settings, time_zone="Europe/Berlin", **changes)
    with running_service(settings, module=PATIENT) as started:
        yield started
        logs = [child.spec.log.read_text() for child in started.children]
    for log in logs:
        clean(log)


@pytest.fixture(scope="module")
def store(branch: Service, mongo: "MongoClient[Document]") -> "Database[Document]":
    """Its database, with two snapshots taken."""
    found = database(mongo, branch.settings)
    two_snapshots(found, Lake(branch.settings.lake))
    return found


@pytest.fixture(scope="module")
def dashboard(branch: Service, store: "Database[Document]") -> Iterator[Dashboard]:
    """The dashboard on the same lake."""
    with running_dashboard(branch.settings) as started:
        yield started
