"""A report through the hands of a real worker: what its schedule knows afterwards."""

import threading

from jobs.worker import Worker
from stockverify.vocabulary import Collection
from tests.jobs.reports.conftest import House, about, run_of, schedule_of


def test_a_worker_reports_and_the_schedule_remembers_what_was_delivered(house: House) -> None:
    database = house.tools.database.client["worked"].with_options(house.tools.database.codec_options)
    run = run_of({**about("comparison"), "state": "active", "builtin": False, "failures": 0}, status="queued")
    schedule = run["schedule"] | {"revision": 1, "next_due_at": None, "paused_reason": None}
    database[Collection.USERS].insert_one({"_id": "u-1", "username": "olga", "is_active": True, "role": "supervisor"})
    database[Collection.SCHEDULES].insert_one(schedule)
    worker = Worker(database, house.tools.lake, house.settings, "w-1", threading.Event())
    for number in (1, 2):
        database[Collection.RUNS].insert_one(run | {"_id": f"{run['_id']}-{number}", "fence": 0, "attempts": 0})
        worker.tick(run["due_at"])
    ended = list(database[Collection.RUNS].find({}, sort=[("_id", 1)]))
    assert [(each["status"], each["error"]) for each in ended] == [("succeeded", None)] * 2
    assert {each["snapshot_id"] for each in ended} == {house.newer.snapshot_id}
    assert [each["result"]["rows"] for each in ended] == [597, 0]
    known = database[Collection.SCHEDULES].find_one({"_id": schedule["_id"]})
    assert known is not None
    assert known["last"]["delivered_snapshot_id"] == house.newer.snapshot_id
    assert database[Collection.DELIVERIES].count_documents({}) == 4
    assert set(schedule_of()) <= set(known)
