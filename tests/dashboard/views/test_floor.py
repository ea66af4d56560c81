"""The floor as tables."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.views.floor import STATES, by_floor, by_state, held, names, nobody_can_say, silent
from stockverify.vocabulary import RackState, SessionStatus
from stockverify.wire.racks import FloorRack
from stockverify.wire.sessions import Presence, Session

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
BEGUN = NOW.timestamp() - 600


def rack(name: str, status: RackState = RackState.ACTIVE, floor: str = "Ground") -> FloorRack:
    """A rack whose session is called after it."""
    return FloorRack(
        rack_id=name,
        floor=floor,
        status=status,
        round=1,
        item_count=20,
        claimed_by="u-1",
        session_id=f"s-{name}",
        updated_at=BEGUN,
    )


def person(name: str, present: bool | None = True, **changes: Any) -> Presence:
    """Ann, at work on that rack."""
    plain: dict[str, Any] = {
        "session_id": f"s-{name}",
        "user_id": "u-1",
        "username": "ann",
        "device_id": "d-1",
        "rack_id": name,
        "floor": "Ground",
        "status": SessionStatus.ACTIVE,
        "started_at": BEGUN,
        "last_heartbeat": NOW.timestamp() - 90,
        "present": present,
        "queue_length": 3,
        "queue_age_seconds": 30.0,
    }
    return Presence(**plain | changes)


def work(name: str, verified: int) -> Session:
    """How far Ann is."""
    return Session(
        id=f"s-{name}",
        session_id=f"s-{name}",
        user_id="u-1",
        rack_id=name,
        floor="Ground",
        status=SessionStatus.ACTIVE,
        started_at=BEGUN,
        last_heartbeat=None,
        completed_at=None,
        item_count=20,
        verified_count=verified,
    )


def test_every_state_has_words_and_is_counted_even_when_empty() -> None:
    assert set(STATES) == set(RackState)
    assert by_state([rack("R1"), rack("R2"), rack("R3", RackState.PAUSED)]) == {
        "Available": 0,
        "Claimed": 0,
        "Being counted": 2,
        "Paused": 1,
        "To be recounted": 0,
        "Completed": 0,
    }


def test_floors_are_rows_and_a_rack_without_one_is_not_lost() -> None:
    rows = by_floor([rack("R1"), rack("R2", RackState.COMPLETED, floor="")])
    assert rows.select("floor", "Being counted", "Completed").rows() == [("No floor", 0, 1), ("Ground", 1, 0)]


@pytest.mark.parametrize(("present", "heard"), [(True, "● here"), (False, "○ silent"), (None, "? unknown")])
def test_who_holds_what_since_when_and_how_fast(present: bool | None, heard: str) -> None:
    (row,) = held([rack("R1")], [person("R1", present)], [work("R1", 15)], NOW).rows(named=True)
    assert row == {
        "rack": "R1",
        "floor": "Ground",
        "state": "Being counted",
        "holder": "ann",
        "heard": heard,
        "since": datetime(2026, 1, 5, 8, 50, tzinfo=UTC),
        "last_heartbeat": datetime(2026, 1, 5, 8, 58, 30, tzinfo=UTC),
        "verified": 15,
        "items": 20,
        "pace": 1.5,
        "round": 1,
        "queue": 3,
        "device": "d-1",
    }


def test_racks_that_nobody_holds_are_not_in_it_and_an_unknown_holder_is_said() -> None:
    racks = [rack("R1", RackState.AVAILABLE), rack("R2", RackState.COMPLETED), rack("R3", RackState.CLAIMED)]
    (row,) = held(racks, [], [], NOW).rows(named=True)
    assert (row["rack"], row["holder"], row["heard"], row["pace"]) == ("R3", None, "? unknown", None)


def test_the_longest_silence_comes_first_and_who_is_here_is_not_silent() -> None:
    people = [
        person("R1"),
        person("R2", False),
        person("R3", False, last_heartbeat=None, queue_age_seconds=None),
        person("R4", None),
    ]
    rows = silent(people, NOW)
    assert rows.select("rack", "silent_minutes", "queue", "queue_minutes").rows() == [
        ("R3", 10.0, 3, None),
        ("R2", 1.5, 3, 0.5),
    ]
    assert nobody_can_say(people)
    assert not nobody_can_say(people[:3])


def test_an_empty_floor_is_an_empty_table() -> None:
    assert (held([], [], [], NOW).height, silent([], NOW).height, by_floor([]).height) == (0, 0, 0)


def test_racks_to_choose_from_say_where_they_are() -> None:
    racks = [rack("R1"), rack("R2", RackState.COMPLETED)]
    assert names(racks, [RackState.COMPLETED]) == {"R2": "R2 · Ground · completed"}
