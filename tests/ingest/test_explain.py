"""Every query that the suite issues against the service is served by an index: these tests see that the check of the
fixture `profile` at the end of each process sees all of them, and finds what none serves."""

from collections import Counter

import httpx
import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from stockverify.clients import Document, database, open_mongo
from stockverify.services.embedded import Backends
from stockverify.settings import Settings
from tests.profiling import Query, distinct_shapes, profiled, queries, scans
from tests.service import Service, claim, record, sync

LEAST_SHAPES = {
    "users": 2,
    "rack_registry": 5,
    "verification_sessions": 6,
    "verification_records": 3,
    "item_serials": 1,
    "sync_conflicts": 4,
    "activity_logs": 4,
    "report_snapshots": 2,
    "report_queries": 4,
    "report_compare_jobs": 1,
    "report_runs": 4,
    "report_schedules": 4,
    "report_exports": 4,
    "report_deliveries": 8,
    "anomaly_flags": 8,
}
LISTS = (
    "/api/racks/",
    "/api/racks/?floor=Ground",
    "/api/racks/available",
    "/api/racks/available?floor=Ground",
    "/api/racks/floors",
    "/api/racks/user/active",
    "/api/sessions/active",
    "/api/sessions/active?rack_id=R&user_id=U",
    "/api/sessions/presence",
    "/api/sessions/user/history",
    "/api/sessions/?status=active&user_id=U",
    "/api/sessions/?status=active",
    "/api/sessions/?user_id=U",
    "/api/sessions/",
    "/api/sync/conflicts",
    "/api/sync/conflicts?status=pending",
    "/api/sync/conflicts?session_id=S&status=pending",
    "/api/sync/conflicts?user=U",
    "/api/sync/conflicts?entity_type=verification_record",
    "/api/sync/conflicts?conflict_type=rack_locked",
    "/api/sync/conflicts?conflict_type=rack_locked,stale_revision&status=pending",
    "/api/sync/conflicts/stats",
    "/api/sync/batches/b-1",
    "/api/activity/",
    "/api/activity/?action=rack.claimed",
    "/api/activity/?username=U&subject=S&before=9",
    "/api/activity/chain",
    "/api/activity/chain?after=1",
    "/api/devices/",
    "/api/reports/snapshots",
    "/api/reports/snapshots?created_by=U&snapshot_type=custom&tags=a,b",
    "/api/imports/",
    "/api/imports/imp-1",
    "/api/reports/queries",
    "/api/reports/queries?created_by=U",
    "/api/reports/queries?tags=a,b",
    "/api/reports/queries?created_by=U&tags=a",
    "/api/reports/queries/q-1",
    "/api/reports/compare",
    "/api/reports/compare?created_by=U",
    "/api/reports/runs",
    "/api/reports/runs?schedule_id=S&status=failed",
    "/api/reports/runs?kind=report&skip=1",
    "/api/reports/runs?status=queued",
    "/api/reports/schedules",
    "/api/reports/schedules?owner=U",
    "/api/reports/schedules?state=active",
    "/api/reports/schedules?owner=U&state=paused",
    "/api/reports/schedules/sch-1/runs",
    "/api/reports/exports",
    "/api/reports/exports?created_by=U",
    "/api/reports/deliveries",
    "/api/reports/deliveries?state=failed",
    "/api/reports/deliveries?kind=report",
    "/api/reports/deliveries?run=R",
    "/api/reports/deliveries?schedule=S&state=queued&kind=notice",
    "/api/reports/flags",
    "/api/reports/flags?state=open",
    "/api/reports/flags?kind=sudden_change",
    "/api/reports/flags?kind=sudden_change,always_book&state=dismissed&skip=1",
    "/api/reports/flags?rack=R",
    "/api/reports/flags?counter=ann",
    "/api/reports/flags?rack=R&counter=ann&state=gone",
    "/api/reports/flags/a-1",
    "/metrics",
)


def _everything_once(service: Service) -> None:
    """A little of all that the service is asked, so that these tests prove something when they run alone too."""
    staff, boss, rack = service.person(device="d-explain"), service.person("supervisor"), service.rack()
    grant = claim(staff, rack)
    first = record(grant, f"{rack}-1", serial_numbers=[f"{rack}-s"], revision=1)
    sync(staff, first, record(grant, f"{rack}-2", "B", damage_qty=99), record(grant, f"{rack}-3", "C", bin="3"))
    sync(staff, first | {"verified_qty": 12, "revision": 3, "serial_numbers": []}, batch_id="b-2")
    sync(staff, first | {"verified_qty": 11, "revision": 2}, batch_id="b-3")
    staff.post(f"/api/sessions/{grant['session_id']}/heartbeat")
    staff.get(f"/api/sessions/{grant['session_id']}/stats")
    for change in ("pause", "resume", "release"):
        staff.post(f"/api/racks/{rack}/{change}").raise_for_status()
    again = claim(staff, rack)
    boss.post(f"/api/racks/{rack}/force-release", json={"reason": "to see it"}).raise_for_status()
    again = claim(staff, rack)
    staff.post(f"/api/sessions/{again['session_id']}/complete").raise_for_status()
    boss.post(f"/api/racks/{rack}/reverify").raise_for_status()
    for path in LISTS:
        for client in (service.admin, staff, boss):
            assert client.get(path).status_code in (200, 403, 404), path


@pytest.fixture(scope="module")
def seen(service: Service, profile: "Database[Document]") -> dict[str, Query]:
    """The shapes of all queries of this process so far."""
    _everything_once(service)
    with httpx.Client(base_url=service.url) as stranger:
        stranger.post("/api/auth/refresh", json={"refresh_token": "nobody's"})
    return distinct_shapes(queries(profile))


def test_enough_was_seen_to_prove_something(seen: dict[str, Query]) -> None:
    counted = Counter(query.collection for query in seen.values())
    few = {name: counted[name] for name, least in LEAST_SHAPES.items() if counted[name] < least}
    assert few == {}, sorted(seen)
    assert {query.kind for query in seen.values()} >= {"find", "aggregate", "distinct", "update", "findAndModify"}


@pytest.fixture
def apart(settings: Settings, embedded: Backends) -> Settings:
    """A database of this test's own, to be profiled by itself."""
    return msgspec.structs.replace(settings, data_dir=embedded.settings.data_dir)


def test_a_query_that_no_index_serves_is_found(apart: Settings, mongo: "MongoClient[Document]") -> None:
    with profiled(apart) as profile, open_mongo(apart.mongodb_uri or "") as client:
        racks, stored = database(client, apart)["racks"], database(mongo, apart)
        racks.create_index("floor")
        racks.insert_one({"floor": "F", "color": "red"})
        racks.find_one({"floor": "F"})
        assert scans(profile, stored) == []
        racks.find_one({"color": "red"})
        racks.update_one({"color": "blue"}, {"$set": {"floor": "G"}})
        assert [found.split(" {")[0] for found in scans(profile, stored)] == ["racks find", "racks update"]


def test_a_scan_too_long_for_the_profiler_is_found_too(apart: Settings, mongo: "MongoClient[Document]") -> None:
    with profiled(apart) as profile, open_mongo(apart.mongodb_uri or "") as client:
        database(client, apart)["racks"].insert_one({"color": "red"})
        database(client, apart)["racks"].find_one({"color": {"$in": [f"color {number}" for number in range(10_000)]}})
        assert scans(profile, database(mongo, apart)) == ["racks unreadable {}: {}"]
