"""Pages of an app that a supervisor has signed in to."""

from collections.abc import Callable
from pathlib import Path

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


@pytest.fixture
def page(supervised: AppTest) -> Page:
    """Opens a page by its name."""

    def opened(name: str) -> AppTest:
        return whole(supervised.switch_page(str(Path("screens") / f"{name}.py")).run())

    return opened


@pytest.fixture
def linked(open_app: OpenApp, stocked: Stocked) -> Linked:
    """Opens a page by its name, as somebody sees it who followed a link with these parameters."""

    def opened(name: str, client: httpx.Client, **query: str) -> AppTest:
        at = sign_in(open_app(stocked.settings), client)
        for parameter, value in query.items():
            at.query_params[parameter] = value
        return whole(at.switch_page(str(Path("screens") / f"{name}.py")).run())

    return opened


@pytest.fixture
def seen_by(open_app: OpenApp, stocked: Stocked, service: Service) -> SeenBy:
    """Opens a page by its name, as somebody with this role sees it."""

    def opened(name: str, role: str) -> AppTest:
        at = sign_in(open_app(stocked.settings), service.person(role)).switch_page(f"screens/{name}.py").run()
        assert not at.exception
        return at

    return opened


@pytest.fixture
def working_page(open_app: OpenApp, office: Service) -> Page:
    """The same, with the service that works on the lake which the pages show."""
    at = sign_in(open_app(office.settings), office.person("supervisor"))
    return lambda name: at.switch_page(str(Path("screens") / f"{name}.py")).run()
