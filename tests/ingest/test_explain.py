"""Every query that the suite issues against the service is served by an index. These tests run last."""

from collections import Counter
from typing import Any

import httpx
import pytest
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.database import Database

from tests.profiling import Query, distinct_shapes, queries, stages
from tests.service import Service, claim, record, sync

pytestmark = pytest.mark.last
Stored = Database[dict[str, Any]]
ANY_DATE = CodecOptions[dict[str, Any]](datetime_conversion=DatetimeConversion.DATETIME_AUTO)
"""Plans hold the bounds of index scans, which may lie beyond Python's times."""
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
}
LISTS = (
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
    "/api/sync/conflicts/stats",
    "/api/sync/batches",
    "/api/sync/batches?batch_id=b-1",
    "/api/activity/",
    "/api/activity/?action=rack.claimed",
    "/api/activity/?username=U&subject=S&before=9",
    "/api/devices/",
    "/api/reports/snapshots",
    "/api/reports/snapshots?created_by=U&snapshot_type=custom&tags=a,b",
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
def seen(service: Service, profile: "Database[dict[str, Any]]") -> dict[str, Query]:
    """The shapes of all queries of this test run."""
    _everything_once(service)
    with httpx.Client(base_url=service.url) as stranger:
        stranger.post("/api/auth/refresh", json={"refresh_token": "nobody's"})
    return distinct_shapes(queries(profile))


def test_enough_was_seen_to_prove_something(seen: dict[str, Query]) -> None:
    counted = Counter(query.collection for query in seen.values())
    few = {name: counted[name] for name, least in LEAST_SHAPES.items() if counted[name] < least}
    assert few == {}, sorted(seen)
    assert {query.kind for query in seen.values()} >= {"find", "aggregate", "distinct", "update", "findAndModify"}


def test_no_query_scans_a_collection(seen: dict[str, Query], stored: "Stored") -> None:
    scans = []
    for shape, query in seen.items():
        if query.kind in ("report", "extract", "unreadable") or query.any_one:
            continue  # anything may be asked of reports, within ten seconds; an extract is to read all there is
        explained = stored.command("explain", query.command, verbosity="queryPlanner", codec_options=ANY_DATE)
        if "COLLSCAN" in stages(explained) or "COLLSCAN" in query.plan:
            scans.append(f"{shape}: {query.command}"[:600])
    assert scans == [], "\n".join(scans)


def test_queries_too_long_for_the_profiler_did_not_scan_either(seen: dict[str, Query]) -> None:
    assert [query for query in seen.values() if query.kind == "unreadable" and "COLLSCAN" in query.plan] == []
