"""Pages of an app that a supervisor has signed in to."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import texts

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
