"""Flags as tables and in words."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics.query import checked
from dashboard.views import flags as views
from stockverify.vocabulary import AnomalyKind, FlagState, RackState
from stockverify.wire.anomalies import Dismissal, KeptFlag, NotOpened, Recount, RecountAsked
from stockverify.wire.racks import FloorRack

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
DISMISSED = Dismissal(by="ann", at=NOON.timestamp(), note="a pallet")
RECOUNT = Recount(by="bob", at=NOON.timestamp(), reason="a typo", racks=["R1", "R2", "R3", "R4"])


def flag(**fields: Any) -> KeptFlag:
    """A line far off."""
    usual: dict[str, Any] = {
        "flag_id": "a-1",
        "kind": AnomalyKind.VARIANCE_OUTLIER,
        "severity": 0.75,
        "subject_type": "line",
        "subject": "i7 in R1",
        "why": "Counted 720 where the book says 20.",
        "baseline": "40 counted lines",
        "dataset": "positions",
        "proof": [["R1", "", "i7"]],
        "proof_rows": 1,
        "racks": ["R1"],
        "counters": ["ann"],
        "state": FlagState.OPEN,
        "first_snapshot_id": "20260101T000000000Z-00000001",
        "last_snapshot_id": "20260101T000000000Z-00000001",
        "first_seen_at": NOON.timestamp(),
        "last_seen_at": NOON.timestamp(),
        "dismissed": None,
        "recount": None,
    }
    return KeptFlag(**usual | fields)


def rack(name: str, status: RackState) -> FloorRack:
    """A rack of the floor."""
    return FloorRack(
        rack_id=name,
        floor="G",
        status=status,
        round=1,
        item_count=0,
        claimed_by=None,
        session_id=None,
        updated_at=0.0,
    )


def test_a_row_for_each_flag() -> None:
    counter = flag(subject_type="counter", subject="ann", racks=["R1", "R2", "R3", "R4", "R5"], counters=[])
    first, second = views.table([flag(), counter]).rows(named=True)
    assert first == {
        "severity": 0.75,
        "kind": "Variance outlier",
        "subject": "i7 in R1",
        "why": "Counted 720 where the book says 20.",
        "racks": "R1",
        "counters": "ann",
        "first_seen": NOON,
        "said": "",
    }
    assert (second["racks"], second["counters"], second["subject"]) == ("R1, R2, R3 and 2 more", "", "ann")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dismissed": DISMISSED, "recount": RECOUNT}, "Dismissed by ann: a pallet"),
        ({"recount": RECOUNT}, "Recount asked by bob"),
        ({"recount": RECOUNT, "state": FlagState.GONE}, "Recount asked by bob"),
        ({"state": FlagState.GONE}, "No longer found"),
    ],
)
def test_what_was_said_is_in_the_row(fields: dict[str, Any], said: str) -> None:
    assert views.table([flag(**fields)])["said"].to_list() == [said]


def test_what_people_said_in_sentences() -> None:
    assert (views.dismissal(flag(), BERLIN), views.recount(flag(), BERLIN)) == ("", "")
    said = flag(dismissed=DISMISSED, recount=RECOUNT)
    assert views.dismissal(said, BERLIN) == "Dismissed by ann at 31 Jan 2026, 13:00:00 CET: a pallet"
    assert views.recount(said, BERLIN) == (
        "bob asked for a recount of R1, R2, R3 and 1 more at 31 Jan 2026, 13:00:00 CET: a typo"
    )


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({}, "Variance outlier · i7 in R1"),
        (
            {"subject_type": "session", "subject": "s-1", "kind": AnomalyKind.IMPOSSIBLE_SPEED},
            "Impossible speed · ann on R1",
        ),
        ({"subject_type": "session", "subject": "s-1", "racks": []}, "Variance outlier · s-1"),
    ],
)
def test_names(fields: dict[str, Any], name: str) -> None:
    assert views.name(flag(**fields)) == name


@pytest.mark.parametrize(
    ("severity", "words"),
    [(0.0, "1.0 times its limit"), (0.75, "4.0 times its limit"), (1.0, "far beyond its limit")],
)
def test_how_strong_a_flag_is(severity: float, words: str) -> None:
    assert views.strength(severity) == words


@pytest.mark.parametrize(
    ("fields", "collection", "filters", "label"),
    [
        ({}, "positions", {"rack_id": "R1", "bin": "", "item_code": "i7"}, "Open this line"),
        (
            {"subject_type": "counter", "subject": "zoë"},
            "positions",
            {"counted_by": "zoë"},
            "Open all lines that zoë counted",
        ),
        (
            {"subject_type": "session", "subject": "s-1", "dataset": "verification_records", "proof": [["c-1"]]},
            "verification_records",
            {"session_id": "s-1"},
            "Open all records of the session",
        ),
        (
            {
                "subject_type": "serial",
                "subject": "1111",
                "dataset": "verification_records",
                "proof": [["c-1"], ["c-2"]],
            },
            "verification_records",
            {"client_record_id": {"in": ["c-1", "c-2"]}},
            "Open these records",
        ),
    ],
    ids=["line", "counter", "session", "records"],
)
def test_a_way_leads_to_the_rows(fields: dict[str, Any], collection: str, filters: dict[str, Any], label: str) -> None:
    found = views.way(flag(**fields))
    assert (found.question.collection, found.question.filters, found.label) == (collection, filters, label)
    checked(found.question)


@pytest.mark.parametrize(
    ("rows", "shown", "words"),
    [
        (1, 1, "The row that proves it"),
        (20, 20, "All 20 rows that prove it"),
        (1234, 20, "The first 20 of 1,234 rows that prove it"),
        (1, 0, "The first 0 of 1 rows that prove it"),
    ],
)
def test_how_many_rows_are_shown(rows: int, shown: int, words: str) -> None:
    assert views.proves(flag(proof_rows=rows), shown) == words


def test_only_completed_racks_can_be_counted_again() -> None:
    floor = [rack("R1", RackState.COMPLETED), rack("R2", RackState.REVERIFY_REQUESTED), rack("R9", RackState.COMPLETED)]
    found = views.choice(flag(racks=["R1", "R2", "R3"]), floor)
    assert found == (["R1"], "R2: to be recounted; R3: not known")


def test_what_became_of_each_rack() -> None:
    refused = [NotOpened(rack_id="R2", reason="Rack R2 is claimed; only a completed rack can be verified again.")]
    both = RecountAsked(flag=flag(), opened=["R1"], refused=refused)
    assert views.outcome(both) == (
        "Open for another counting round: R1. Rack R2 is claimed; only a completed rack can be verified again."
    )
    assert views.outcome(RecountAsked(flag=flag(), opened=["R1", "R3"], refused=[])).endswith("R1, R3.")


def test_the_columns_of_evidence_are_declared() -> None:
    assert set(views.KINDS) == set(AnomalyKind)
    assert {len(set(names)) == len(names) for names in views.EVIDENCE.values()} == {True}
