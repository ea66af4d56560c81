"""Anomalies over HTTP: real MongoDB, real Parquet, a real worker."""

import httpx
import pytest

from ingest.anomalies.rules import kinds_asked
from stockverify.services.child import Child
from stockverify.vocabulary import AnomalyKind
from tests.ingest.test_reports import Stored, book_line, freeze, worker
from tests.service import Service, claim, record, sync

__all__ = ["worker"]


@pytest.fixture
def boss(service: Service, worker: Child) -> httpx.Client:
    """A supervisor of a store with a worker."""
    return service.person("supervisor")


def test_flags_name_their_snapshot_their_reason_and_their_rows(
    service: Service, boss: httpx.Client, stored: Stored
) -> None:
    rack, staff = service.rack("odd"), service.person()
    stored.erp_items.insert_one(book_line(rack, "00123", 2))
    grant = claim(staff, rack, "Reports")
    sync(staff, record(grant, f"{rack}-1", "00123", verified_qty=2, serial_numbers=["777777", f"{rack}X"]))
    snapshot_id = freeze(boss)
    reply = boss.get("/api/reports/anomalies", params={"snapshot_id": snapshot_id, "limit": 1000}).json()
    assert (reply["snapshot_id"], set(reply["found"])) == (snapshot_id, set(AnomalyKind))
    [flag] = [each for each in reply["flags"] if each["subject"] == "777777"]
    assert (flag["kind"], flag["dataset"], flag["proof_rows"]) == ("serial_pattern", "verification_records", 1)
    assert flag["proof"] == [[f"{rack}-1"]]
    assert flag["why"].endswith("It looks made up.")
    latest = boss.get("/api/reports/anomalies", params={"kind": "serial_pattern, sudden_change"}).json()
    assert (latest["snapshot_id"] >= snapshot_id, set(latest["found"])) == (True, {"serial_pattern", "sudden_change"})
    alone = boss.get("/api/reports/anomalies", params={"kind": "digit_heaping", "against": snapshot_id}).json()
    assert (alone["previous_id"], alone["flags"]) == (snapshot_id, [])


@pytest.mark.parametrize(
    ("params", "status", "culprit"),
    [
        ({"kind": "theft"}, 400, "'theft'"),
        ({"snapshot_id": "nope"}, 404, "nope"),
        ({"snapshot_id": "../../etc/passwd"}, 404, "passwd"),
        ({"against": "20200101T000000000Z-00000000"}, 404, "20200101T000000000Z-00000000"),
        ({"limit": "0"}, 400, "limit"),
        ({"limit": "1000000000"}, 400, "limit"),
    ],
)
def test_bad_questions_are_named(
    service: Service, boss: httpx.Client, stored: Stored, params: dict[str, str], status: int, culprit: str
) -> None:
    stored.erp_items.insert_one(book_line(service.rack("odd"), "00123", 10))
    freeze(boss)
    reply = boss.get("/api/reports/anomalies", params=params)
    assert reply.status_code == status, reply.text
    assert culprit in reply.json()["detail"]


def test_staff_see_no_anomalies_and_auditors_do(service: Service, boss: httpx.Client) -> None:
    assert service.person().get("/api/reports/anomalies").status_code == 403
    assert service.person("auditor").get("/api/reports/anomalies", params={"snapshot_id": "nope"}).status_code == 404


def test_kinds_are_written_with_commas() -> None:
    assert [kinds_asked(each) for each in (None, "", "a", "a, b,", " , ")] == [[], [], ["a"], ["a", "b"], []]
