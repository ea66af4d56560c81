"""Flags over HTTP: lists, and what people say about a flag. Flags are stored as the worker's scan stores them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pymongo.database import Database

from ingest.flags.rules import UnknownFlagKind, kinds_asked
from jobs.flags import FlagStore
from stockverify.vocabulary import AnomalyKind
from tests.service import Service, claim

Stored = Database[dict[str, Any]]
FLAGS = "/api/reports/flags"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ONE, TWO = "20260101T000000000Z-00000001", "20260102T000000000Z-00000002"


def row(flag_id: str, **fields: Any) -> dict[str, Any]:
    """A flag as `analytics.anomalies` gives it."""
    return {
        "flag_id": flag_id,
        "kind": "variance_outlier",
        "severity": 0.9,
        "subject_type": "line",
        "subject": f"i7 in {flag_id}",
        "why": "Counted 720 where the book says 20.",
        "baseline": "40 counted lines of Tools",
        "dataset": "positions",
        "proof": [["R1", "", "i7"]],
        "proof_rows": 1,
        "racks": [],
        "counters": ["ann"],
        **fields,
    }


@pytest.fixture
def boss(service: Service) -> httpx.Client:
    """A supervisor."""
    return service.person("supervisor")


@pytest.fixture
def name(service: Service) -> str:
    """The id of a flag that nobody has used, which is a counter's name, too, to list by."""
    return service.rack("a")


def keep(stored: Stored, *rows: dict[str, Any], snapshot_id: str = ONE) -> None:
    """What a scan does."""
    FlagStore(stored).keep(rows, snapshot_id, NOW)


def completed(service: Service) -> str:
    """A rack that was counted."""
    staff, rack = service.person(), service.rack()
    staff.post(f"/api/sessions/{claim(staff, rack)['session_id']}/complete").raise_for_status()
    return rack


def who(client: httpx.Client) -> str:
    return str(client.get("/api/auth/me").json()["username"])


def log(stored: Stored, subject: str) -> list[tuple[str, str, dict[str, Any]]]:
    found = stored.activity_logs.find({"subject": subject}).sort("at", 1)
    return [(entry["action"], entry["username"], entry["details"]) for entry in found]


def test_a_list_is_ranked_filtered_and_paged(service: Service, boss: httpx.Client, stored: Stored, name: str) -> None:
    kinds = ("variance_outlier", "sudden_change", "serial_pattern")
    several = [
        row(f"{name}-{n}", kind=kinds[n % 3], severity=0.1 * n, racks=[f"{name}-{n % 2}", "R9"], counters=[name])
        for n in range(6)
    ]
    keep(stored, *several)

    def ids(**params: Any) -> list[str]:
        reply = boss.get(FLAGS, params={"counter": name, **params}).raise_for_status().json()
        return [flag["flag_id"].removeprefix(f"{name}-") for flag in reply["flags"]]

    assert ids() == ["5", "4", "3", "2", "1", "0"]
    assert ids(rack=f"{name}-1") == ["5", "3", "1"]
    assert ids(kind="sudden_change, serial_pattern") == ["5", "4", "2", "1"]
    assert ids(state="open", skip=1, limit=2) == ["4", "3"]
    assert (ids(state="gone"), ids(state="dismissed"), ids(rack="$ne")) == ([], [], [])
    page = boss.get(FLAGS, params={"counter": name, "limit": 2}).json()
    assert page["pagination"] == {"skip": 0, "limit": 2, "total": 6, "has_more": True}
    assert page["by_state"]["open"] >= 6
    assert page["flags"][0] == several[5] | {
        "state": "open",
        "severity": 0.5,
        "first_snapshot_id": ONE,
        "last_snapshot_id": ONE,
        "first_seen_at": NOW.timestamp(),
        "last_seen_at": NOW.timestamp(),
        "dismissed": None,
        "recount": None,
    }


@pytest.mark.parametrize(
    ("params", "culprit"),
    [({"kind": "theft"}, "'theft'"), ({"state": "lost"}, "state"), ({"limit": "0"}, "limit"), ({"skip": "-1"}, "skip")],
)
def test_bad_questions_are_named(boss: httpx.Client, params: dict[str, str], culprit: str) -> None:
    reply = boss.get(FLAGS, params=params)
    assert (reply.status_code, culprit in reply.json()["detail"]) == (400, True)


def test_kinds_are_written_with_commas() -> None:
    assert [kinds_asked(each) for each in (None, " , ", "sudden_change,,sudden_change ")] == [
        [],
        [],
        [AnomalyKind.SUDDEN_CHANGE],
    ]
    with pytest.raises(UnknownFlagKind):
        kinds_asked("sudden_change,theft")


def test_the_latest_scan_that_succeeded_is_named(service: Service, boss: httpx.Client, stored: Stored) -> None:
    def run(run_id: str, day: int, status: str, snapshot_id: str | None) -> dict[str, Any]:
        at = datetime(2099, 1, day, tzinfo=UTC)
        times = {"requested_at": at, "finished_at": at}
        return {"_id": run_id, "kind": "anomaly_scan", "status": status, "snapshot_id": snapshot_id, **times}

    made = [run("f-1", 1, "succeeded", ONE), run("f-2", 2, "succeeded", TWO)]
    made += [run("f-3", 3, "failed", ONE), run("f-4", 4, "succeeded", None)]
    stored.report_runs.insert_many(made)
    try:
        scan = boss.get(FLAGS, params={"limit": 1}).json()["scan"]
        assert scan == {"snapshot_id": TWO, "at": datetime(2099, 1, 2, tzinfo=UTC).timestamp()}
    finally:
        stored.report_runs.delete_many({"_id": {"$in": [each["_id"] for each in made]}})


def test_a_dismissal_is_kept_through_later_scans_and_can_be_taken_back(
    service: Service, boss: httpx.Client, stored: Stored, name: str
) -> None:
    keep(stored, row(name))
    said = boss.post(f"{FLAGS}/{name}/dismiss", json={"note": "A pallet on the move"}).raise_for_status().json()
    assert (said["state"], said["dismissed"]["by"], said["dismissed"]["note"]) == (
        "dismissed",
        who(boss),
        "A pallet on the move",
    )
    keep(stored, row(name, why="Counted 730 where the book says 20."), snapshot_id=TWO)
    later = boss.get(f"{FLAGS}/{name}").json()
    assert (later["state"], later["dismissed"], later["last_snapshot_id"]) == ("dismissed", said["dismissed"], TWO)
    assert later["why"] == "Counted 730 where the book says 20."
    again = boss.post(f"{FLAGS}/{name}/dismiss", json={"note": "A pallet on the move"})
    assert (again.status_code, again.json()) == (200, later)
    back = service.admin.post(f"{FLAGS}/{name}/restore").raise_for_status().json()
    assert (back["state"], back["dismissed"]) == ("open", None)
    assert service.admin.post(f"{FLAGS}/{name}/restore").json() == back
    about = {"kind": "variance_outlier", "flag_subject": f"i7 in {name}", "note": "A pallet on the move"}
    assert log(stored, name) == [
        ("flag.dismissed", who(boss), about),
        ("flag.restored", "admin", about | {"dismissed_by": who(boss)}),
    ]


def test_a_flag_that_the_latest_scan_did_not_find_is_gone_when_its_dismissal_is_taken_back(
    boss: httpx.Client, stored: Stored, name: str
) -> None:
    keep(stored, row(name))
    boss.post(f"{FLAGS}/{name}/dismiss", json={"note": "A pallet on the move"}).raise_for_status()
    at = datetime(2099, 1, 1, tzinfo=UTC)
    run = {"kind": "anomaly_scan", "status": "succeeded", "snapshot_id": TWO, "requested_at": at, "finished_at": at}
    stored.report_runs.insert_one(run | {"_id": f"run of {name}"})
    try:
        assert boss.post(f"{FLAGS}/{name}/restore").json()["state"] == "gone"
    finally:
        stored.report_runs.delete_one({"_id": f"run of {name}"})


def test_of_several_who_dismiss_at_once_one_is_kept_and_the_others_are_told_whom(
    service: Service, stored: Stored, name: str
) -> None:
    keep(stored, row(name))
    bosses = [service.person("supervisor") for _ in range(6)]
    with ThreadPoolExecutor(len(bosses)) as pool:
        replies = list(pool.map(lambda each: each.post(f"{FLAGS}/{name}/dismiss", json={"note": "was broken"}), bosses))
    (won,) = [reply for reply in replies if reply.status_code == 200]
    by = won.json()["dismissed"]["by"]
    lost = [reply for reply in replies if reply.status_code == 409]
    assert len(lost) == len(bosses) - 1
    assert all(f"dismissed before, by {by} at " in reply.json()["detail"] for reply in lost)
    assert [action for action, _, _ in log(stored, name)] == ["flag.dismissed"]
    other = next(boss for boss, reply in zip(bosses, replies, strict=True) if reply.status_code == 409)
    assert other.post(f"{FLAGS}/{name}/dismiss", json={"note": "quite another"}).status_code == 409


def test_a_recount_opens_the_racks_of_the_flag_with_the_reason(
    service: Service, boss: httpx.Client, stored: Stored, name: str
) -> None:
    done, held, unknown = completed(service), service.rack(), service.rack("never-seen")
    claim(service.person(), held)
    keep(stored, row(name, racks=[done, held, unknown]))
    asked = boss.post(f"{FLAGS}/{name}/recount", json={"reason": "Looks like a typo"}).raise_for_status().json()
    assert asked["opened"] == [done]
    assert [(each["rack_id"], each["reason"].partition(";")[0].partition(".")[0]) for each in asked["refused"]] == [
        (held, f"Rack {held} is claimed"),
        (unknown, f"Rack {unknown} is not known"),
    ]
    assert boss.get(f"/api/racks/{done}/status").json()["status"] == "reverify_requested"
    flag = boss.get(f"{FLAGS}/{name}").json()
    assert flag == asked["flag"]
    recount = flag["recount"]
    assert (recount["by"], recount["reason"], recount["racks"]) == (who(boss), "Looks like a typo", [done])
    assert flag["state"] == "open"
    assert log(stored, done)[-1] == (
        "rack.reverify_requested",
        who(boss),
        {"round": 2, "reason": "Looks like a typo", "flag_id": name},
    )
    told = {"kind": "variance_outlier", "flag_subject": f"i7 in {name}", "reason": "Looks like a typo", "racks": [done]}
    assert log(stored, name) == [("flag.recount_asked", who(boss), told)]
    slower = service.admin.post(f"{FLAGS}/{name}/recount", json={"reason": "me too", "rack_ids": [done]}).json()
    assert (slower["opened"], slower["refused"]) == ([done], [])
    assert stored.rack_registry.find_one({"_id": done}, {"round": 1, "_id": 0}) == {"round": 2}


def test_what_cannot_be_counted_again_is_said_and_nothing_is_kept(
    service: Service, boss: httpx.Client, stored: Stored, name: str
) -> None:
    held = service.rack()
    claim(service.person(), held)
    keep(stored, row(name, racks=[held]), row(f"{name}-bare"))
    nothing = boss.post(f"{FLAGS}/{name}/recount", json={"reason": "Looks like a typo"}).json()
    assert (nothing["opened"], nothing["flag"]["recount"], log(stored, name)) == ([], None, [])
    other = boss.post(f"{FLAGS}/{name}/recount", json={"reason": "Looks like a typo", "rack_ids": ["R-other"]})
    assert (other.status_code, other.json()["detail"]) == (
        400,
        f"The flag has nothing to do with R-other; its racks are: {held}.",
    )
    bare = boss.post(f"{FLAGS}/{name}-bare/recount", json={"reason": "Looks like a typo"})
    assert (bare.status_code, "leads to no rack" in bare.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("call", "body", "status"),
    [
        ("dismiss", {"note": "no"}, 400),
        ("dismiss", {}, 400),
        ("dismiss", {"note": "x" * 1001}, 400),
        ("dismiss", {"note": {"$ne": ""}}, 400),
        ("recount", {}, 400),
        ("recount", {"reason": "because", "rack_ids": []}, 400),
        ("recount", {"reason": "because", "rack_ids": "R1"}, 400),
        ("dismiss", {"note": "because"}, 404),
        ("restore", {}, 404),
        ("recount", {"reason": "because"}, 404),
    ],
)
def test_bad_bodies_and_unknown_flags_are_refused(
    boss: httpx.Client, call: str, body: dict[str, Any], status: int
) -> None:
    assert boss.post(f"{FLAGS}/a-nowhere/{call}", json=body).status_code == status


def test_auditors_read_flags_and_change_none_and_staff_see_none(service: Service, stored: Stored, name: str) -> None:
    keep(stored, row(name))
    auditor, staff = service.person("auditor"), service.person()
    assert (auditor.get(f"{FLAGS}/{name}").status_code, staff.get(f"{FLAGS}/{name}").status_code) == (200, 403)
    for call, body in (("dismiss", {"note": "because"}), ("restore", {}), ("recount", {"reason": "because"})):
        assert auditor.post(f"{FLAGS}/{name}/{call}", json=body).status_code == 403
