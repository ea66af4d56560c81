"""The audit log in words."""

from typing import Any

import pytest

from dashboard.views.deeds import DEEDS, deed, details
from stockverify.vocabulary import Action


def test_every_action_has_words_of_its_own() -> None:
    assert set(DEEDS) == set(Action)
    assert len(set(DEEDS.values())) == len(DEEDS)
    assert deed("rack.force_released") == "Rack taken from its holder"
    assert deed("rack.of_a_later_version") == "rack.of_a_later_version"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, ""),
        ({"session_id": "s-1", "fence": 3.0}, "session id: s-1 · fence: 3"),
        ({"floors": ["A", "B"], "is_active": False, "note": ""}, "floors: A, B · is active: no · note: –"),
        ({"qty": 2.5, "asked": {"format": "csv"}, "size": 7}, 'qty: 2.5 · asked: {"format":"csv"} · size: 7'),
    ],
)
def test_details_are_names_and_values_and_none_is_left_out(told: dict[str, Any], words: str) -> None:
    assert details(told) == words
