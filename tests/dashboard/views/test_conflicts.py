"""Conflicts as tables, and what a merge by hand sends."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.views.conflicts import (
    MEANINGS,
    RESOLUTIONS,
    TYPES,
    Side,
    merged,
    name,
    neighbours,
    outcome,
    queue,
    serials,
    sides,
    versions,
    who_and_when,
)
from stockverify.vocabulary import ConflictType, Resolution
from stockverify.wire.conflicts import Conflict, Difference

BERLIN = ZoneInfo("Europe/Berlin")
LOCAL = {"item_code": "00123", "rack_id": "R1", "bin": None, "verified_qty": 0.0, "uom": "pcs", "serial_numbers": []}


def conflict(**changes: Any) -> Conflict:
    """A conflict that waits."""
    plain: dict[str, Any] = {
        "id": "cf-1",
        "entity_type": "verification_record",
        "entity_id": "c-1",
        "conflict_type": ConflictType.CONCURRENT_EDIT,
        "message": "Counted twice.",
        "client_record_id": "c-1",
        "session_id": "s-1",
        "user": "ann",
        "conflicts": [Difference(field="verified_qty", local_value=0.0, server_value=None)],
        "local_data": LOCAL,
        "server_data": LOCAL | {"verified_qty": None, "bin": "", "updated_at": "2026-01-05T08:00:00Z"},
        "status": "pending",
        "resolution": None,
        "resolution_note": None,
        "merged_data": None,
        "resolved_by": None,
        "resolved_at": None,
        "created_at": datetime(2026, 1, 5, 8, tzinfo=UTC),
    }
    return Conflict(**plain | changes)


@pytest.mark.parametrize(
    ("changes", "other"),
    [
        (
            {"server_data": LOCAL | {"username": "ben", "received_at": "2026-01-05T07:30:00Z"}},
            " The other one is ben's and arrived at 5 Jan 2026, 08:30:00 CET.",
        ),
        ({"server_data": LOCAL | {"username": "ben", "received_at": "soon"}}, " The other one is ben's."),
        ({"server_data": {"serial_number": "1", "client_record_id": "c-2"}}, ""),
        (
            {"server_data": None, "conflicts": [Difference(field="user", local_value="ann", server_value="ben")]},
            " The session is ben's.",
        ),
        ({"server_data": None, "conflicts": []}, ""),
    ],
    ids=["a record", "a time that is none", "a serial number", "a session", "nothing"],
)
def test_people_and_times_instead_of_sessions(changes: dict[str, Any], other: str) -> None:
    mine = "ann sent this version; it arrived at 5 Jan 2026, 09:00:00 CET."
    assert who_and_when(conflict(**changes), BERLIN) == mine + other


def test_every_type_and_every_resolution_has_words() -> None:
    assert set(TYPES) == set(ConflictType)
    assert set(RESOLUTIONS) == set(MEANINGS) == set(Resolution)


def test_what_differs_comes_first_and_nothing_is_not_zero() -> None:
    assert sides(conflict(), BERLIN, whole=False) == [
        Side("Verified", "≠", "0", "–"),
        Side("Item code", "", "00123", "00123"),
        Side("Rack", "", "R1", "R1"),
        Side("Bin", "", "–", "–"),
        Side("Serial numbers", "", "–", "–"),
    ]


def test_all_fields_are_there_when_asked_for_with_times_in_the_zone() -> None:
    rows = {side.field: side for side in sides(conflict(), BERLIN, whole=True)}
    assert rows["Unit of measure"] == Side("Unit of measure", "", "pcs", "pcs")
    assert rows["Updated at"].stored == "5 Jan 2026, 09:00:00 CET"


def test_without_a_stored_version_only_what_the_service_named_differs() -> None:
    rows = sides(conflict(server_data=None), BERLIN, whole=False)
    assert [(row.field, row.stored) for row in rows if row.mark] == [("Verified", "–")]


def test_what_the_service_names_beyond_the_records_is_shown_too() -> None:
    fence = Difference(field="fence", local_value=1, server_value=3)
    (first, *_) = sides(conflict(server_data=None, conflicts=[fence]), BERLIN, whole=False)
    assert first == Side("Claim number", "≠", "1", "3")


def test_a_claim_on_a_serial_number_stands_beside_those_that_were_sent() -> None:
    claim = {"serial_number": "S1", "item_code": "00124", "rack_id": "R1"}
    both = conflict(local_data=LOCAL | {"serial_numbers": ["S1"]}, server_data=claim, conflicts=[])
    rows = {side.field: side for side in sides(both, BERLIN, whole=False)}
    assert rows["Serial numbers"] == Side("Serial numbers", "", "S1", "S1")
    assert rows["Item code"].mark == "≠"


def test_the_queue_has_a_row_for_each_and_keeps_zeros_in_front() -> None:
    rows = queue([conflict(), conflict(id="cf-2", resolution="ignore", conflicts=[], server_data=None)])
    assert rows["item"].to_list() == ["00123", "00123"]
    assert rows["differs"].to_list() == ["Verified", "–"]
    assert rows["state"].to_list() == ["Waits", "Ignore"]
    assert queue([]).height == 0


def test_the_queue_names_the_fields_that_are_marked_beside_each_other() -> None:
    """Also those that the service did not name: it says what made it a conflict, not all that differs."""
    both = conflict(server_data=LOCAL | {"verified_qty": None, "damage_qty": 2.0, "bin": "B1"}, conflicts=[])
    marked = [side.field for side in sides(both, BERLIN, whole=False) if side.mark]
    assert marked == ["Bin", "Verified", "Damage"]
    assert queue([both])["differs"].to_list() == [", ".join(marked)]


def test_a_choice_says_what_it_is_about() -> None:
    assert name(conflict()) == "Counted twice at once · R1 · 00123 · ann"
    assert name(conflict(local_data={})) == "Counted twice at once · ann"


def test_an_outcome_names_who_when_and_why() -> None:
    assert outcome(conflict(), BERLIN) == ""
    settled = conflict(
        resolution="accept_local",
        resolved_by="sam",
        resolution_note="recounted",
        resolved_at=datetime(2026, 7, 5, 8, tzinfo=UTC),
    )
    assert outcome(settled, BERLIN) == (
        "Settled by sam at 5 Jul 2026, 10:00:00 CEST: Take the device's version. Note: recounted"
    )


@pytest.mark.parametrize(
    ("edited", "sent"),
    [
        ({"bin": ""}, {}),
        ({"bin": "7"}, {"bin": "7"}),
        ({"verified_qty": None}, {"verified_qty": None}),
        ({"verified_qty": 0.0, "damage_qty": 0.0}, {}),
        ({"serial_numbers": ["S1"]}, {"serial_numbers": ["S1"]}),
        ({"item_code": "123"}, {"item_code": "123"}),
    ],
)
def test_a_merge_sends_what_was_corrected_and_no_more(edited: dict[str, Any], sent: dict[str, Any]) -> None:
    assert merged(LOCAL, edited) == sent


def test_serial_numbers_come_apart_however_they_are_typed() -> None:
    assert serials(" S1, 007;S3\nS4,, ") == ["S1", "007", "S3", "S4"]


@pytest.mark.parametrize(
    ("ids", "current", "around"),
    [
        ([], "a", ("", "")),
        (["a"], "a", ("a", "a")),
        (["a", "b", "c"], "a", ("c", "b")),
        (["a", "b"], "x", ("b", "a")),
    ],
)
def test_the_queue_goes_round(ids: list[str], current: str, around: tuple[str, str]) -> None:
    assert neighbours(ids, current) == around


def test_versions_take_whatever_the_history_holds() -> None:
    rows = versions([{"received_at": "2026-01-05T08:00:00Z", "verified_qty": 3, "serial_numbers": ["1", "2"]}, {}])
    assert rows["verified_qty"].to_list() == [3.0, None]
    assert rows["serial_numbers"].to_list() == ["1, 2", "–"]
    assert rows["received_at"].to_list() == [datetime(2026, 1, 5, 8, tzinfo=UTC), None]
