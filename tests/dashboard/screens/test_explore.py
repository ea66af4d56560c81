"""The Explore page over real Parquet and the real service."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import texts
from tests.dashboard.screens.conftest import Page


@pytest.fixture
def at(page: Page) -> AppTest:
    """The page of the newest snapshot, as a supervisor sees it."""
    return page("explore")


def test_probe(at: AppTest) -> None:
    print(texts(at))
    print([b.label for b in at.selectbox], [b.label for b in at.multiselect], [b.label for b in at.button])
    next(found for found in at.multiselect if found.label == "Group by").set_value(["floor"]).run()
    assert not at.exception
    print(texts(at))
    print(at.dataframe[0].value, at.query_params)
