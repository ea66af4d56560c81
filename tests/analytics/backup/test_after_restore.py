"""Devices, people and supervisors after a restore, against the real service: what they knew of since does no harm."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from analytics.backup import Backups, back_up, restore
from analytics.lake import Lake
from jobs.tools import Tools
from jobs.work.integrity import check_integrity
from stockverify.clients import Document, database, open_blocking_redis
from stockverify.settings import Settings
from tests.service import PASSWORD, Service, claim, record, running_service, sync

ID = "20260201T030000000Z-0a1b2c3d"


@pytest.fixture
def own(settings: Settings) -> Iterator[Service]:
    """A service with a database of its own."""
    with running_service(settings) as started:
        yield started


@pytest.fixture
def db(own: Service, mongo: "MongoClient[Document]") -> "Database[Document]":
    return database(mongo, own.settings)


def name_of(client: httpx.Client) -> str:
    name: str = client.get("/api/auth/me").json()["username"]
    return name


def outcomes(answer: dict[str, Any]) -> list[str]:
    return [*("ok" for _ in answer["ok"]), *(each["conflict_type"] for each in answer["conflicts"])]


def test_stale_devices_are_harmless(own: Service, db: "Database[Document]", lake: Lake) -> None:
    ann, bob = own.person(device="d-ann"), own.person(device="d-bob")
    ann_name, bob_name = name_of(ann), name_of(bob)
    before = claim(ann, "R1")
    first = record(before, "c-1", revision=1)
    assert outcomes(sync(ann, first)) == ["ok"]
    backups = Backups(lake.root)
    made = back_up(backups, db, ID, datetime.now(UTC))

    own.admin.post("/api/racks/R1/force-release", json={"reason": "forgotten by the restore"}).raise_for_status()
    since = claim(bob, "R1")
    assert outcomes(sync(bob, record(since, "c-2", "ITEM-2"))) == ["ok"]

    done = restore(backups, made.backup_id, db, datetime.now(UTC), replace=True)
    assert [each.get("/api/auth/me").status_code for each in (ann, bob, own.admin)] == [401, 401, 401]
    ann, bob = own.log_in(ann_name, PASSWORD, "d-ann"), own.log_in(bob_name, PASSWORD, "d-bob")
    assert outcomes(sync(ann, first)) == ["ok"]
    assert outcomes(sync(ann, record(before, "c-3", "ITEM-3"))) == ["rack_locked"]
    assert outcomes(sync(bob, record(since, "c-2", "ITEM-2")))[0] in ("rack_locked", "invalid_data")
    assert db["sync_conflicts"].count_documents({}) == 2

    with closing(open_blocking_redis(own.settings.redis_address() or "")) as redis:
        redis.delete("rack:lock:R1")  # or a minute later
    again = claim(ann, "R1")
    assert again["fence"] == before["fence"] + done.aftermath.fence_rise + 1
    assert again["fence"] > since["fence"]
    assert outcomes(sync(ann, record(again, "c-4", "ITEM-4"))) == ["ok"]
    tools = Tools(db, lake, own.settings, lambda: False)
    assert check_integrity(tools, {"_id": "r"}, datetime.now(UTC)).note == "All is well."
