"""What a reply means for each record that was sent."""

from typing import Any

import msgspec
import pytest

from stockverify.client.records import Accepted, NotTaken, Outcome, SetAside
from stockverify.client.replies import SyncReply, outcomes

KEPT = {"client_record_id": "a", "conflict_type": "rack_locked", "message": "Taken.", "details": {"x": 1}}
BAD = {"client_record_id": "a", "error_type": "invalid_record", "message": "Not readable."}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param({"ok": ["a", "b"]}, {"a": Accepted(), "b": Accepted()}, id="all ok"),
        pytest.param({"ok": ["a"]}, {"a": Accepted()}, id="one is not named"),
        pytest.param({"ok": ["a", "b", "z", "z"]}, {"a": Accepted(), "b": Accepted()}, id="names that were not sent"),
        pytest.param({}, {}, id="empty"),
        pytest.param({"conflicts": [KEPT]}, {"a": SetAside("rack_locked", "Taken.", {"x": 1})}, id="conflict"),
        pytest.param({"errors": [BAD]}, {"a": NotTaken("Not readable.")}, id="error"),
        pytest.param({"ok": ["a"], "errors": [BAD]}, {"a": NotTaken("Not readable.")}, id="error before ok"),
        pytest.param(
            {"ok": ["a"], "errors": [BAD], "conflicts": [KEPT]},
            {"a": SetAside("rack_locked", "Taken.", {"x": 1})},
            id="conflict before all",
        ),
        pytest.param(
            {"conflicts": [{"client_record_id": "a"}], "errors": [{"client_record_id": "b"}], "new": 1},
            {
                "a": SetAside("conflict", "Kept aside for a supervisor.", {}),
                "b": NotTaken("Refused without a reason."),
            },
            id="fields missing and new",
        ),
    ],
)
def test_outcomes(reply: dict[str, Any], expected: dict[str, Outcome]) -> None:
    assert outcomes(("a", "b"), msgspec.convert(reply, SyncReply)) == expected
