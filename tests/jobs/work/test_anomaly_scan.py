"""Flags are kept from one snapshot to the next, and new severe ones are told, each once."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from pymongo.database import Database

from analytics.extract import Abandoned, materialise
from analytics.lake import Lake
from jobs.flags import FlagStore
from jobs.tools import Tools
from jobs.work.anomaly_scan import scan_anomalies
from stockverify import indexes
from stockverify.clients import Document
from stockverify.settings import Settings
from tests.analytics.stock import NOW, item, record

Store = Database[Document]
RUN: Document = {"_id": "sch-anomaly-scan@1"}
ONE, TWO = "20260101T000000000Z-00000001", "20260102T000000000Z-00000002"


@pytest.fixture
def tools(db: Store, lake: Lake, settings: Settings) -> Tools:
    """Forty lines, of which one is far off; two admins, of whom one has left."""
    indexes.ensure_blocking(db)
    db["erp_items"].insert_many(item("R1", f"i{number}", 20) for number in range(40))
    db["verification_records"].insert_many(
        record(f"c-{number}", "R1", f"i{number}", 20 + 700 * (number == 7)) for number in range(40)
    )
    for name, active in (("u-1", True), ("u-2", False)):
        db["users"].insert_one({"_id": name, "username": name, "role": "admin", "is_active": active})
    return Tools(db, lake, msgspec.structs.replace(settings, anomaly_notice_severity=0.4), lambda: False)


def notices(tools: Tools) -> list[str]:
    found = tools.database["report_deliveries"].find({}, {"subject": 1, "owner_id": 1}).sort("_id", 1)
    return [f"{each['owner_id']}: {each['subject']}" for each in found]


def count(tools: Tools, name: str, code: str, quantity: float, **fields: Any) -> None:
    tools.database["verification_records"].insert_one(record(name, "R2", code, quantity, **fields))
    tools.database["erp_items"].insert_one(item("R2", code, 20))


def test_a_severe_flag_is_told_once_for_ever(tools: Tools) -> None:
    first = materialise(tools.lake, tools.database, NOW).snapshot_id
    done = scan_anomalies(tools, RUN, NOW)
    assert (done.snapshot_id, done.result["new"], done.result["told"]) == (first, 1, 1)
    assert done.result["found"]["variance_outlier"] == 1
    assert notices(tools) == ["u-1: 1 new anomaly to look at"]
    (flag,) = tools.database["anomaly_flags"].find()
    assert (flag["subject"], flag["first_snapshot_id"], flag["last_snapshot_id"]) == ("i7 in R1", first, first)
    assert (flag["dismissed"], flag["recount"], flag["state"]) == (None, None, "open")
    assert (flag["racks"], flag["counters"]) == (["R1"], ["ann"])
    assert flag["proof"] == [["R1", "", "i7"]]
    second = materialise(tools.lake, tools.database, NOW + timedelta(hours=1)).snapshot_id
    later = scan_anomalies(tools, {"_id": "sch-anomaly-scan@2"}, NOW + timedelta(hours=1))
    assert (later.result["new"], later.result["told"], len(notices(tools))) == (0, 0, 1)
    (flag,) = tools.database["anomaly_flags"].find()
    assert (flag["first_snapshot_id"], flag["last_snapshot_id"]) == (first, second)
    count(tools, "c-new", "j1", 900)
    materialise(tools.lake, tools.database, NOW + timedelta(hours=2))
    last = scan_anomalies(tools, {"_id": "sch-anomaly-scan@3"}, NOW + timedelta(hours=2))
    assert (last.result["new"], last.result["told"], len(notices(tools))) == (1, 1, 2)


def test_a_run_that_is_taken_over_says_the_same(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after it was written down which run tells, before anybody was told; and again after that."""
    materialise(tools.lake, tools.database, NOW)

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("jobs.work.anomaly_scan.tell_admins", dies)
        with pytest.raises(KeyboardInterrupt):
            scan_anomalies(tools, RUN, NOW)
    assert notices(tools) == []
    materialise(tools.lake, tools.database, NOW + timedelta(hours=1))
    for _ in range(2):
        assert scan_anomalies(tools, RUN | {"attempts": 2}, NOW).result["told"] == 1
        assert len(notices(tools)) == 1


def test_what_people_have_said_stays(tools: Tools) -> None:
    materialise(tools.lake, tools.database, NOW)
    scan_anomalies(tools, RUN, NOW)
    said = {"dismissed": {"by": "ann", "note": "a pallet"}, "recount": {"by": "bob"}}
    tools.database["anomaly_flags"].update_one({}, {"$set": said | {"told_by": None}})
    materialise(tools.lake, tools.database, NOW + timedelta(hours=1))
    again = scan_anomalies(tools, {"_id": "other"}, NOW)
    (flag,) = tools.database["anomaly_flags"].find()
    assert {name: flag[name] for name in said} == said
    assert again.result["told"] == 0


def test_a_flag_that_is_no_longer_found_is_gone_until_it_is_found_again(tools: Tools) -> None:
    materialise(tools.lake, tools.database, NOW)
    scan_anomalies(tools, RUN, NOW)
    records, flags = tools.database["verification_records"], tools.database["anomaly_flags"]
    seen = []
    for hours, quantity in ((1, 20), (2, 20), (3, 720)):
        at = NOW + timedelta(hours=hours)
        records.update_one({"_id": "c-7"}, {"$set": {"verified_qty": float(quantity), "received_at": at}})
        materialise(tools.lake, tools.database, at)
        scan_anomalies(tools, RUN, at)
        seen.append(flags.find_one({"kind": "variance_outlier"}, {"state": 1, "_id": 0}))
    assert seen == [{"state": "gone"}, {"state": "gone"}, {"state": "open"}]


def test_what_was_dismissed_stays_so_whether_it_is_found_again_or_not(db: Store) -> None:
    flags = FlagStore(db)
    flags.keep([flag("a-1"), flag("a-2")], ONE, NOW)
    flags.settle(ONE)
    db["anomaly_flags"].update_many({}, {"$set": {"dismissed": {"by": "ann"}, "state": "dismissed"}})
    flags.keep([flag("a-1")], TWO, NOW)
    flags.settle(TWO)
    assert states(db) == {"a-1": "dismissed", "a-2": "dismissed"}


def test_a_scan_of_an_older_snapshot_settles_nothing_of_the_newer_one(db: Store) -> None:
    flags = FlagStore(db)
    flags.keep([flag("a-1")], TWO, NOW)
    flags.settle(TWO)
    flags.keep([flag("a-1"), flag("a-2")], ONE, NOW)
    flags.settle(ONE)
    assert states(db) == {"a-1": "open", "a-2": "gone"}


def test_flags_from_before_there_were_states_get_one(db: Store) -> None:
    db["anomaly_flags"].insert_one({"_id": "a-1", "last_snapshot_id": ONE, "dismissed": None})
    flags = FlagStore(db)
    flags.keep([flag("a-2")], TWO, NOW)
    flags.settle(TWO)
    assert states(db) == {"a-1": "gone", "a-2": "open"}


def states(db: Store) -> dict[str, str]:
    return {each["_id"]: each["state"] for each in db["anomaly_flags"].find()}


def flag(flag_id: str, severity: float = 0.95, why: str = "because") -> dict[str, Any]:
    return {"flag_id": flag_id, "severity": severity, "why": why}


def test_an_older_snapshot_says_nothing_new_about_a_flag(db: Store) -> None:
    flags = FlagStore(db)
    flags.keep([flag("a-1", why="now")], TWO, NOW)
    flags.keep([flag("a-1", why="before"), flag("a-2")], ONE, NOW)
    found = {each["_id"]: (each["why"], each["last_snapshot_id"]) for each in db["anomaly_flags"].find()}
    assert found == {"a-1": ("now", TWO), "a-2": ("because", ONE)}


def test_the_most_severe_come_first_and_mild_ones_are_not_told(db: Store) -> None:
    flags = FlagStore(db)
    flags.keep([flag("a-1", 0.9), flag("a-2", 0.99), flag("a-3", 0.89)], ONE, NOW)
    assert [each["_id"] for each in flags.to_tell(ONE, 0.9, "r")] == ["a-2", "a-1"]
    assert flags.to_tell(ONE, 0.9, "another run") == []
    flags.keep([flag("a-3", 0.97)], TWO, NOW)
    assert [each["_id"] for each in flags.to_tell(TWO, 0.9, "another run")] == ["a-3"]


def test_before_the_first_snapshot_there_is_nothing_to_look_at(tools: Tools) -> None:
    assert scan_anomalies(tools, RUN, NOW).note.startswith("There is no snapshot yet")


def test_a_worker_that_is_to_stop_gives_up(tools: Tools) -> None:
    materialise(tools.lake, tools.database, NOW)
    with pytest.raises(Abandoned):
        scan_anomalies(tools._replace(stopping=lambda: True), RUN, NOW)
    assert tools.database["anomaly_flags"].count_documents({}) == 0


def test_each_question_is_served_by_an_index(db: Store) -> None:
    indexes.ensure_blocking(db)
    for wanted, sort in (
        ({"first_snapshot_id": ONE}, []),
        ({"last_snapshot_id": ONE, "severity": {"$gte": 0.9}, "told_by": None, "dismissed": None}, []),
        ({"told_by": "r"}, [("severity", -1), ("_id", 1)]),
        ({}, [("last_snapshot_id", -1)]),
        ({"state": {"$in": ["open", None]}, "last_snapshot_id": {"$lt": ONE}}, []),
    ):
        found = db["anomaly_flags"].find(wanted)
        plan = str((found.sort(sort) if sort else found).explain()["queryPlanner"]["winningPlan"])
        assert ("COLLSCAN" in plan, "'SORT'" in plan) == (False, False), wanted
