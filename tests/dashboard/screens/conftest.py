"""Pages of an app that a supervisor has signed in to."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import OpenApp, sign_in, texts
from tests.service import Service

Page = Callable[[str], AppTest]


@pytest.fixture
def page(supervised: AppTest) -> Page:
    """Opens a page by its name."""

    def opened(name: str) -> AppTest:
        at = supervised.switch_page(str(Path("screens") / f"{name}.py")).run()
        assert not at.exception
        assert "could not be shown" not in texts(at)
        return at

    return opened


@pytest.fixture
def working_page(open_app: OpenApp, office: Service) -> Page:
    """The same, with the service that works on the lake which the pages show."""
    at = sign_in(open_app(office.settings), office.person("supervisor"))
    return lambda name: at.switch_page(str(Path("screens") / f"{name}.py")).run()
