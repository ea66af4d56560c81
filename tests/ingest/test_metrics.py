"""What is counted after known traffic, over two processes; and that the documents list all of it."""

import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from ingest.metrics import declared, observe
from ingest.metrics.folder import forget_the_dead
from ingest.metrics.rules import breaker_value, reported_queue, status_class
from stockverify.breaker import BreakerState
from stockverify.services.embedded import backends
from stockverify.settings import Settings
from stockverify.vocabulary import LIVE_DEVICES_KEY, rack_lock_key
from stockverify.wire.sessions import DeviceQueue
from tests.ingest.live import listening, metric
from tests.service import Service, claim, record, running_service, sync

DOCS = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()


def rows() -> list[str]:
    """One row of the table for each metric that the service declares."""
    found = []
    for each in declared.REGISTRY._collector_to_names:
        told = each.describe()[0]  # type: ignore[attr-defined]
        name = told.name + ("_total" if told.type == "counter" else "")
        labels = ", ".join(f"`{label}`" for label in each._labelnames)  # type: ignore[attr-defined]
        found.append(f"| `{name}` | {told.type} | {labels} | {told.documentation} |")
    asked = (
        (declared.LIVE_DEVICES, "", declared.LIVE_DEVICES_MEANING),
        (declared.MAILS_WAITING, "", declared.MAILS_WAITING_MEANING),
        (declared.MAILS_OF_LAST_DAY, "`state`", declared.MAILS_OF_LAST_DAY_MEANING),
    )
    return [*found, *(f"| `{name}` | gauge | {labels} | {meaning} |" for name, labels, meaning in asked)]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.split("`")[1])
def test_every_metric_is_documented_with_its_type_labels_and_meaning(row: str) -> None:
    assert row in DOCS


def test_no_metric_is_documented_that_does_not_exist() -> None:
    named = re.findall(r"^\| `(stockverify_\w+)`", DOCS, re.MULTILINE)
    assert sorted(named) == sorted(row.split("`")[1] for row in rows())


@pytest.mark.parametrize(
    ("length", "age", "expected"),
    [
        ("12", "3.5", DeviceQueue(length=12, age_seconds=3.5)),
        ("0", None, DeviceQueue(length=0)),
        ("12", "old", DeviceQueue(length=12)),
        ("12", "-1", DeviceQueue(length=12)),
        ("12", "nan", DeviceQueue(length=12)),
        ("1e3", "inf", DeviceQueue(length=1000)),
        (None, "3", None),
        ("", "3", None),
        ("1.5", "3", None),
        ("-1", "3", None),
        ("9" * 1000, "3", None),
        ("１２", "3", DeviceQueue(length=12, age_seconds=3.0)),
        ("\x00", "3", None),
    ],
)
def test_devices_report_leniently(length: str | None, age: str | None, expected: DeviceQueue | None) -> None:
    assert reported_queue(length, age) == expected


def test_states_and_statuses_have_few_values() -> None:
    assert [breaker_value(state) for state in (BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN)] == [
        0,
        1,
        2,
    ]
    assert [status_class(status) for status in (200, 204, 404, 503, 0, 999)] == [
        "2xx",
        "2xx",
        "4xx",
        "5xx",
        "none",
        "none",
    ]


def test_two_processes_answer_for_both(settings: Settings) -> None:
    with Redis.from_url(settings.redis_address() or "") as redis:
        redis.delete(LIVE_DEVICES_KEY)  # devices of earlier tests count as live for a while
    with running_service(settings) as one, running_service(settings) as two:
        anna = one.person(device="phone")
        bert = two.log_in(anna.get("/api/auth/me").json()["username"], "password-of-the-tests", "scanner")
        grant = claim(anna, "R1")
        queue = {"X-Queue-Length": "7", "X-Queue-Age": "3.5"}
        beat = f"/api/sessions/{grant['session_id']}/heartbeat"
        assert anna.post(beat, headers=queue).status_code == 200
        assert bert.post(beat, headers={"X-Queue-Length": "many"}).status_code == 200
        assert bert.post(beat).status_code == 200
        for client in (anna, bert):
            sync(client, record(grant, "c-1"), record(grant, "c-2", "B"), record(grant, "c-3", "C", session_id="none"))
        sync(bert, record(grant, "c-4", "D", verified_qty="x"))
        assert anna.post("/api/auth/login", json={"username": "nobody", "password": "x"}).status_code == 401
        for service in (one, two):
            httpx.get(f"{service.url}/nowhere")

        def both(name: str, **labels: str) -> float | None:
            values = {metric(service, name, **labels) for service in (one, two)}
            assert len(values) == 1, values
            return values.pop()

        with listening(one, anna), listening(two, bert):
            assert both("stockverify_websocket_clients") == 2
        told = {"operation": "sync.batch", "method": "POST", "status": "2xx"}
        assert both("stockverify_request_seconds_count", **told) == 3
        assert both("stockverify_request_seconds_bucket", le="10.0", **told) == 3
        unknown = {"operation": "none", "method": "none", "status": "4xx"}
        assert both("stockverify_request_seconds_count", **unknown) == 2
        assert both("stockverify_batch_records_count") == 3
        assert both("stockverify_batch_records_sum") == 7
        outcomes = {
            outcome: both("stockverify_records_total", outcome=outcome)
            for outcome in ("ok", "invalid_data", "invalid_record")
        }
        assert outcomes == {"ok": 4, "invalid_data": 2, "invalid_record": 1}
        events = {event: both("stockverify_leases_total", event=event) for event in ("granted", "renewed", "lost")}
        assert events == {"granted": 1, "renewed": 3, "lost": None}
        assert both("stockverify_device_queue_records_sum") == 7
        assert both("stockverify_device_queue_age_seconds_sum") == 3.5
        assert both("stockverify_live_devices") == 2
        assert both("stockverify_live_connected") == 2
        assert both("stockverify_logins_refused_total", status="4xx") == 1
        assert {both("stockverify_breaker_state", backend=name) for name in ("mongodb", "redis")} == {0}
        presence = {each["device_id"]: each["queue_length"] for each in one.admin.get("/api/sessions/presence").json()}
        assert presence == {"phone": 7}, "a report of nonsense changes nothing"
        _lose_the_rack_in_every_way(one, anna, bert, grant)
        events = {event: both("stockverify_leases_total", event=event) for event in ("taken_over", "lost")}
        events["force_released"] = both("stockverify_leases_total", event="force_released")
        assert events == {"taken_over": 1, "lost": 1, "force_released": 1}, "each loss once, however often one asks"
        two.children[0].kill()
        assert metric(one, "stockverify_live_connected") == 1
        assert metric(one, "stockverify_request_seconds_count", **told) == 3


def _lose_the_rack_in_every_way(service: Service, anna: httpx.Client, bert: httpx.Client, grant: Any) -> None:
    """To one's own other device, to somebody who comes once the lease has ended, and to a supervisor."""
    second = claim(bert, "R1", take_over=True)
    with Redis.from_url(service.settings.redis_address() or "") as redis:
        redis.delete(rack_lock_key("R1"))
    third = claim(service.person(), "R1")
    assert third["fence"] == grant["fence"] + 2
    service.admin.post("/api/racks/R1/force-release", json={"reason": "to see it"}).raise_for_status()
    for _ in range(2):
        for client, lost in ((anna, grant), (bert, second)):
            beat = client.post(f"/api/sessions/{lost['session_id']}/heartbeat").json()
            assert beat["rack_lock_renewed"] is False


@pytest.mark.alone
def test_an_outage_of_redis_shows_and_does_not_keep_the_metrics_from_answering(tmp_path: Path) -> None:
    with (
        backends(Settings(data_dir=tmp_path, breaker_timeout=1, breaker_failures=2)) as started,
        running_service(started.settings) as service,
    ):
        grant = claim(service.person(), "R1")
        assert grant["fence"] == 1
        started.children[1].kill()
        for _ in range(3):
            assert service.admin.post("/api/racks/R2/claim", json={}).status_code == 503
        began = time.monotonic()
        assert metric(service, "stockverify_live_devices") is None
        assert metric(service, "stockverify_breaker_state", backend="redis") in (1, 2)
        assert metric(service, "stockverify_breaker_state", backend="mongodb") == 0
        assert time.monotonic() - began < 3


def test_gauges_of_the_dead_vanish_and_their_counts_stay(tmp_path: Path) -> None:
    for name in ("gauge_livesum_1.db", "gauge_livesum_4194305.db", "gauge_livemax_4194305.db", "counter_4194305.db"):
        (tmp_path / name).touch()
    forget_the_dead(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["counter_4194305.db", "gauge_livesum_1.db"]


def test_labels_are_few_whatever_strangers_send(service: Service) -> None:
    for number in range(20):
        httpx.request(f"METHOD{number}", f"{service.url}/{number}")
        httpx.request(f"METHOD{number}", f"{service.url}/api/auth/me")
    text = httpx.get(f"{service.url}/metrics").text
    assert "METHOD" not in text
    assert len(text) < 2_000_000


def test_counting_a_request_costs_little() -> None:
    began = time.perf_counter()
    for _ in range(2000):
        observe.request("sync.batch", "POST", 200, 0.01)
        declared.REQUESTS_IN_FLIGHT.inc()
        declared.REQUESTS_IN_FLIGHT.dec()
        observe.batch(["ok"] * 100)
    assert (time.perf_counter() - began) / 2000 < 0.001, "measured: 20 us with values in a folder"
