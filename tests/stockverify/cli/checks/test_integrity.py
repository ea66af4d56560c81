"""What doctor tells of the worker's nightly work."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from stockverify.cli.checks.integrity import integrity
from stockverify.clients import Document, database
from stockverify.settings import Settings


@pytest.fixture
def stored(settings: Settings, mongo: "MongoClient[Document]") -> "Database[Document]":
    return database(mongo, settings)


def run(kind: str, age: timedelta = timedelta(hours=1), **result: Any) -> Document:
    at = datetime.now(UTC) - age
    return {"kind": kind, "status": "succeeded", "requested_at": at, "finished_at": at, "result": result}


def said(settings: Settings) -> list[tuple[str, bool]]:
    return [(each.check, each.fine) for each in integrity(settings)]


def test_before_the_first_night_all_is_well(settings: Settings) -> None:
    assert said(settings) == [("integrity", True), ("backup", True)]


def test_the_last_check_counts(settings: Settings, stored: "Database[Document]") -> None:
    faults = {"history": {"faults": 1234, "first": ["Version h is lost."]}}
    stored["report_runs"].insert_many(
        [run("integrity", faults=faults), run("integrity", timedelta(days=1), faults={}), run("backup", backup_id="b")]
    )
    first, backup = integrity(settings)
    assert (first.fine, first.says) == (False, "history: 1,234 faults, such as: Version h is lost.")
    assert backup.says.startswith("b, made ")
    stored["report_runs"].insert_one(run("integrity", timedelta(minutes=1), faults={}))
    assert said(settings) == [("integrity", True), ("backup", True)]


def test_a_worker_that_has_stopped_working_is_told(settings: Settings, stored: "Database[Document]") -> None:
    stored["report_runs"].insert_many([run("integrity", timedelta(days=3)), run("backup", timedelta(days=3))])
    assert said(settings) == [("integrity", False), ("backup", False)]


def test_a_restore_that_was_killed_is_told(settings: Settings, stored: "Database[Document]") -> None:
    stored["restoring.state"].insert_one({"_id": "exchanging", "backup_id": "b-1"})
    first = next(iter(integrity(settings)))
    assert (first.fine, first.advice) == (False, "Run it again: stockverify restore b-1")


def test_without_a_server_it_is_said(settings: Settings) -> None:
    away = msgspec.structs.replace(settings, mongodb_uri="mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100")
    assert said(away) == [("integrity", False)]
