"""Pages of an app that a supervisor has signed in to."""

from collections.abc import Callable

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import OpenApp, Stocked, sign_in, texts
from tests.service import Service

Page = Callable[[str], AppTest]
Linked = Callable[..., AppTest]
SeenBy = Callable[[str, str], AppTest]


def whole(at: AppTest) -> AppTest:
    """The page, of which every part was drawn."""
    assert not at.exception
    assert "could not be shown" not in texts(at)
    return at


def pages(start: AppTest, client: httpx.Client) -> Page:
    """Opens the first page by signing in there, and others by going there."""
    signed_in = False

    def opened(name: str) -> AppTest:
        nonlocal signed_in
        if signed_in:
            return start.switch_page(f"screens/{name}.py").run()
        signed_in = True
        return sign_in(start, client, name)

    return opened


@pytest.fixture
def page(open_app: OpenApp, stocked: Stocked, service: Service) -> Page:
    """Opens a page by its name."""
    opened = pages(open_app(stocked.settings), service.person("supervisor"))
    return lambda name: whole(opened(name))


@pytest.fixture
def linked(open_app: OpenApp, stocked: Stocked) -> Linked:
    """Opens a page by its name, as somebody sees it who followed a link with these parameters."""

    def opened(name: str, client: httpx.Client, **query: str) -> AppTest:
        return whole(sign_in(open_app(stocked.settings, **query), client, name))

    return opened


@pytest.fixture
def seen_by(open_app: OpenApp, stocked: Stocked, service: Service) -> SeenBy:
    """Opens a page by its name, as somebody with this role sees it."""

    def opened(name: str, role: str) -> AppTest:
        at = sign_in(open_app(stocked.settings), service.person(role), name)
        assert not at.exception
        return at

    return opened


@pytest.fixture
def working_page(open_app: OpenApp, office: Service) -> Page:
    """The same, with the service that works on the lake which the pages show."""
    return pages(open_app(office.settings), office.person("supervisor"))
