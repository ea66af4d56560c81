"""What makes no sense is found, what the service really writes makes sense, and each problem is told once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from analytics.backup import Backups, back_up
from analytics.extract import Abandoned
from analytics.lake import Lake
from jobs.integrity.faults import SHOWN, Check, Fault, Tally, occasion, tallied
from jobs.integrity.files import snapshots
from jobs.tools import Done, Tools
from jobs.work.integrity import check_integrity
from stockverify import activity, indexes
from stockverify.activity import EMPTY, Head
from stockverify.clients import Document
from stockverify.settings import Settings
from stockverify.vocabulary import Action
from tests.analytics.lake.frozen import ONE, TWO, freeze
from tests.analytics.stock import NOW, record, session
from tests.service import Service, claim, sync
from tests.service import record as sent

Store = Database[Document]
LINE = "item a in rack R1 bin -"
SETTLED = {"conflict_id": "cf-1"}
RUN: Document = {"_id": "sch-integrity@x"}


@pytest.fixture
def tools(db: Store, lake: Lake, settings: Settings) -> Tools:
    """A house in which all is well: a rack counted in two rounds, with a serial number that moved along."""
    indexes.ensure_blocking(db)
    db["rack_registry"].insert_one({"_id": "R1", "fence": 2, "round": 2, "session_id": "s-2"})
    db["verification_sessions"].insert_many(
        [
            session("s-1", "R1", fence=1, status="completed"),
            session("s-2", "R1", fence=2, round=2),
            session("s-0", None),
        ]
    )
    db["verification_records"].insert_many(
        [
            record("c-1", "R1", "a", 1, serial_numbers=["S1", "S9"]),
            record("c-2", "R1", "a", 1, serial_numbers=["S1"], session_id="s-2", round=2),
            record("c-3", "R1", "b", 1),
            record("c-4", None, "a", 1, session_id="s-0"),
        ]
    )
    db["item_serials"].insert_one({"_id": "S1", "client_record_id": "c-2", "rack_id": "R1", "round": 2})
    db["record_history"].insert_one({"_id": "h-1", "client_record_id": "c-1"})
    db["sync_conflicts"].insert_many(
        [
            {"_id": "cf-1", "server_data": {"_id": "c-1", "digest": b""}, "session_id": "unknown"},
            {"_id": "cf-2", "server_data": {"_id": "S1", "client_record_id": "c-2"}},
            {"_id": "cf-3", "server_data": None},
        ]
    )
    db["users"].insert_one({"_id": "u-1", "username": "boss", "role": "admin", "is_active": True})
    log(db, 3)
    return Tools(db, lake, settings, lambda: False)


def log(db: Store, entries: int) -> None:
    head = EMPTY
    for number in range(entries):
        entry = activity.unsealed(f"a-{number}", Action.RACK_CLAIMED, activity.WORKER, "R1", NOW, {})
        sealed = activity.seal(entry, head)
        db["activity_logs"].insert_one(entry | sealed)
        head = Head(sealed["sequence"], sealed["hash"])


def check(tools: Tools, now: datetime = NOW) -> dict[str, list[str]]:
    """The first faults of each check."""
    return {name: tally["first"] for name, tally in check_integrity(tools, RUN, now).result["faults"].items()}


def test_all_is_well(tools: Tools) -> None:
    done = check_integrity(tools, RUN, NOW)
    (last,) = tools.database["activity_logs"].find({"sequence": 3})
    assert done == Done(result={"faults": {}, "audit_head": [3, last["hash"]]}, note="All is well.")
    assert tools.database["report_deliveries"].count_documents({}) == 0


def set_(collection: str, id_: str, **change: Any) -> Callable[[Store], Any]:
    return lambda db: db[collection].update_one({"_id": id_}, {"$set": change})


def add(collection: str, document: Document) -> Callable[[Store], Any]:
    return lambda db: db[collection].insert_one(document)


def remove(collection: str, id_: str) -> Callable[[Store], Any]:
    return lambda db: db[collection].delete_one({"_id": id_})


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (
            add("verification_records", record("c-5", "R1", "a", 2, session_id="s-0")),
            {"lines counted once": [f"In round 1 {LINE} is counted by two sessions, in records c-1 and c-5."]},
        ),
        (
            add("verification_records", record("c-5", "R1", "a", None, session_id="s-0", status="partial")),
            {},
        ),
        (add("verification_records", record("c-5", "R1", "a", 2, session_id="s-0", settled=SETTLED)), {}),
        (
            add("verification_records", record("c-5", "R1", "z", 2, session_id="nowhere")),
            {"records and sessions": ["Record c-5 is of session nowhere, which does not exist."]},
        ),
        (
            add("verification_records", record("c-5", None, "z", 2, session_id="s-0", serial_numbers=["S1"])),
            {"serial numbers": ["Record c-5 lists serial number S1, which belongs to c-2."]},
        ),
        (
            remove("item_serials", "S1"),
            {"serial numbers": ["Record c-2 lists serial number S1, which belongs to nobody."]},
        ),
        (
            add("item_serials", {"_id": "S2", "client_record_id": "c-3", "rack_id": "R1", "round": 1}),
            {"serial numbers": ["Serial number S2 belongs to record c-3, which does not list it."]},
        ),
        (
            add("item_serials", {"_id": "S2", "client_record_id": "gone", "rack_id": "R1", "round": 1}),
            {"serial numbers": ["Serial number S2 belongs to record gone, which does not exist."]},
        ),
        (
            set_("rack_registry", "R1", fence=1),
            {"racks and fences": ["Rack R1 has fence 1, and its session s-2 has 2: fences never fall."]},
        ),
        (
            set_("verification_sessions", "s-1", rack_id="R9"),
            {"racks and fences": ["Session s-1 is on rack R9, which does not exist."]},
        ),
        (
            set_("rack_registry", "R1", session_id="s-9"),
            {"racks and fences": ["Rack R1 names session s-9, which does not exist or is on another rack."]},
        ),
        (set_("rack_registry", "R1", session_id=None), {}),
        (
            set_("record_history", "h-1", client_record_id="gone"),
            {"history": ["Version h-1 is of record gone, which does not exist."]},
        ),
        (
            add("sync_conflicts", {"_id": "cf-9", "server_data": {"_id": "gone", "digest": b""}}),
            {"conflicts": ["Conflict cf-9 is with record gone, which does not exist."]},
        ),
        (
            set_("activity_logs", "a-1", subject="R2"),
            {"audit log": ["The audit log: entry 2 was changed after it was sealed."]},
        ),
        (
            lambda db: db["users"].drop_index("username_1"),
            {"indexes": ["The index users.username_1 is missing; the service makes it when it starts."]},
        ),
    ],
)
def test_what_makes_no_sense_is_found(tools: Tools, harm: Callable[[Store], Any], found: dict[str, list[str]]) -> None:
    harm(tools.database)
    assert check(tools) == found


def test_an_audit_log_that_was_cut_off_is_found_by_the_check_after(tools: Tools) -> None:
    first = check_integrity(tools, RUN, NOW)
    stored = {"kind": "integrity", "status": "succeeded", "requested_at": NOW, "result": first.result}
    tools.database["report_runs"].insert_one(stored)
    tools.database["activity_logs"].delete_one({"sequence": 3})
    assert check(tools) == {"audit log": ["The audit log: entries 3 to 3 were there at the last check and are gone."]}


def test_each_problem_is_told_once_until_something_is_added(tools: Tools) -> None:
    def notices() -> list[str]:
        return sorted(each["subject"] for each in tools.database["report_deliveries"].find())

    tools.database["record_history"].insert_one({"_id": "h-2", "client_record_id": "gone"})
    done = check_integrity(tools, RUN, NOW)
    assert done.note == "history: 1 faults"
    assert notices() == ["Something is wrong with the history"]
    check_integrity(tools, RUN | {"_id": "next day"}, NOW + timedelta(days=1))
    assert len(notices()) == 1
    tools.database["record_history"].insert_one({"_id": "h-3", "client_record_id": "gone too"})
    check_integrity(tools, RUN, NOW + timedelta(days=2))
    assert len(notices()) == 2


def test_however_much_is_wrong_memory_holds_twenty() -> None:
    found = tallied(Fault(Check.HISTORY, f"fault {number}") for number in range(10_000))
    assert found == {Check.HISTORY: Tally(10_000, [f"fault {number}" for number in range(SHOWN)])}
    assert occasion(Check.HISTORY, found[Check.HISTORY]) != occasion(Check.HISTORY, Tally(9_999, []))


def test_snapshots_take_turns(lake: Lake) -> None:
    freeze(lake.root, ONE)
    freeze(lake.root, TWO)
    damaged = next((lake.root / "positions" / ONE).glob("*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    days = [NOW + timedelta(days=day) for day in range(4)]
    assert [len(list(snapshots(lake, day, at_once=1))) for day in days] == [1, 0, 1, 0]


def test_the_newest_backup_is_read(tools: Tools) -> None:
    made = back_up(Backups(tools.lake.root), tools.database, ONE, NOW)
    assert check(tools) == {}
    path = tools.lake.root / "backups" / made.backup_id / "users.bson.zst"
    path.write_bytes(b"x" * path.stat().st_size)
    (says,) = check(tools)["backups"]
    assert says.startswith(f"Backup {ONE} is damaged: its file users.bson.zst does not match its checksum.")


def test_a_worker_that_is_to_stop_gives_up(tools: Tools) -> None:
    with pytest.raises(Abandoned):
        check_integrity(tools._replace(stopping=lambda: True), RUN, NOW)


def test_what_the_service_really_writes_makes_sense(service: Service, stored: Store, tmp_path: Path) -> None:
    """Two rounds, serial numbers that move and are let go, edits, conflicts of all kinds, and settlements."""
    ann, bob = service.person(device="d-1"), service.person(device="d-2")
    boss, rack = service.person("supervisor"), service.rack("INT")
    first = claim(ann, rack)
    one = sent(first, f"{rack}-1", revision=1, serial_numbers=[f"{rack}-s1", f"{rack}-s2"])
    sync(ann, one, sent(first, f"{rack}-2", "B", damage_qty=99))
    sync(ann, one | {"revision": 2, "serial_numbers": [f"{rack}-s2"], "verified_qty": 9})
    second = claim(bob, service.rack("INT"))
    stolen = sync(bob, sent(second, f"{rack}-3", serial_numbers=[f"{rack}-s2"]))
    ann.post(f"/api/sessions/{first['session_id']}/complete").raise_for_status()
    boss.post(f"/api/racks/{rack}/reverify").raise_for_status()
    again = claim(bob, rack)
    sync(bob, sent(again, f"{rack}-4", revision=1, serial_numbers=[f"{rack}-s2"]))
    sync(bob, sent(again, f"{rack}-4", revision=2, serial_numbers=[]))
    sync(ann, sent(first, f"{rack}-5", "LATE"))
    for conflict in stolen["conflicts"]:
        path = f"/api/sync/conflicts/{conflict['details']['conflict_id']}/resolve"
        boss.post(path, json={"resolution": "accept_local"})
    tools = Tools(stored, Lake(tmp_path / "lake"), service.settings, lambda: False)
    mine = [says for each in check(tools).values() for says in each if "INT-" in says]
    assert mine == []
