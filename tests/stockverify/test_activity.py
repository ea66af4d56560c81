"""The audit log's hash chain: whatever is done to it afterwards shows."""

from datetime import UTC, datetime
from typing import Any

import pytest

from stockverify.activity import EMPTY, Head, problems, seal

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


def entry(number: int) -> dict[str, Any]:
    return {
        "_id": f"a-{number}",
        "at": NOW,
        "action": "rack.claimed",
        "user_id": "u-1",
        "username": "ann",
        "device_id": "",
        "subject": f"R{number}",
        "details": {"fence": number, "ratio": 0.5, "reason": None},
        "request_id": "r-1",
    }


def chain(length: int) -> list[dict[str, Any]]:
    head, entries = EMPTY, []
    for number in range(1, length + 1):
        sealed = entry(number) | seal(entry(number), head)
        head = Head(sealed["sequence"], sealed["hash"])
        entries.append(sealed)
    return entries


def test_an_untouched_chain_has_no_problems() -> None:
    entries = chain(5)
    assert list(problems(entries)) == []
    assert list(problems(entries, Head(3, entries[2]["hash"]))) == []
    assert list(problems([])) == []


@pytest.mark.parametrize("field", ["at", "action", "user_id", "username", "device_id", "subject", "request_id"])
def test_a_changed_field_shows(field: str) -> None:
    entries = chain(3)
    entries[1][field] = datetime(2020, 1, 1, tzinfo=UTC) if field == "at" else "forged"
    assert list(problems(entries)) == ["entry 2 was changed after it was sealed"]


def test_changed_details_show() -> None:
    entries = chain(3)
    entries[1]["details"] = {"fence": 99, "ratio": 0.5, "reason": None}
    assert list(problems(entries)) == ["entry 2 was changed after it was sealed"]


def test_a_changed_entry_with_a_hash_of_its_own_no_longer_fits_the_next_one() -> None:
    entries = chain(3)
    forged = entry(2) | {"subject": "R99"}
    entries[1] = forged | seal(forged, Head(1, entries[0]["hash"]))
    assert list(problems(entries)) == ["entry 3 does not follow the one before it"]


def test_removed_entries_show() -> None:
    entries = chain(5)
    assert list(problems(entries[:1] + entries[3:])) == ["entries 2 to 3 are missing"]


def test_an_end_that_was_cut_off_shows_against_the_head_noted_before() -> None:
    entries = chain(5)
    noted = Head(5, entries[4]["hash"])
    assert list(problems(entries[:3])) == []
    assert list(problems(entries[:3], noted)) == ["entries 4 to 5 were there at the last check and are gone"]


def test_a_chain_that_was_made_anew_shows_against_the_head_noted_before() -> None:
    assert list(problems(chain(6), Head(5, "f" * 64))) == ["entry 5 is not the one that was there at the last check"]
