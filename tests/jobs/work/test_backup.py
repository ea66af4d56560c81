"""The nightly backup: one for each run, also when a run is taken over, and old ones go."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from analytics.backup import Backups, restore
from analytics.backup.store import OfAnother
from analytics.extract import Abandoned
from analytics.lake import Lake
from jobs.tools import Tools
from jobs.work.backup import make_backup
from stockverify.clients import Document
from stockverify.settings import Settings
from tests.analytics.backup.world import AT, fill
from tests.analytics.stock import item

Store = Database[Document]


@pytest.fixture
def tools(db: Store, lake: Lake, settings: Settings) -> Tools:
    return Tools(db, lake, settings, lambda: False)


def run(day: int = 0, **fields: Any) -> Document:
    """The run of a night."""
    due = AT + timedelta(days=day)
    return {"_id": f"sch-backup@{due:%Y%m%dT%H%M%SZ}", "requested_at": due, **fields}


def test_a_run_that_is_taken_over_makes_no_second_one(tools: Tools, db: Store) -> None:
    fill(db)
    first = make_backup(tools, run(), AT)
    db["erp_items"].delete_many({})
    again = make_backup(tools, run(attempts=2), AT + timedelta(minutes=1))
    assert first == again
    assert Backups(tools.lake.root).ids() == [first.result["backup_id"]]
    assert first.note.startswith(f"{first.result['documents']:,} documents as of ")


def test_every_night_for_a_fortnight_leaves_three_days_and_three_weeks(tools: Tools, db: Store) -> None:
    db["erp_items"].insert_one(item("R1", "a", 1))
    changed = msgspec.structs.replace(tools.settings, backup_keep_days=3, backup_keep_weeks=3)
    few = tools._replace(settings=changed)
    made = [make_backup(few, run(day), AT + timedelta(days=day)).result["backup_id"] for day in range(17)]
    kept = [made.index(each) for each in reversed(Backups(tools.lake.root).ids())]
    # 1 February 2026 is a Sunday: the nights 7 and 14 end weeks, and 16 is the newest
    assert kept == [7, *range(14, 17)]


def test_a_copy_takes_no_backup_of_the_original_and_no_place_of_one(
    tools: Tools, db: Store, mongo: "MongoClient[Document]"
) -> None:
    """Both make one each night, of the same schedule at the same moment. The copy keeps fewer, of its own alone, until
    it is the one that is worked with."""
    changed = msgspec.structs.replace(tools.settings, backup_keep_days=3, backup_keep_weeks=1)
    original = tools._replace(settings=changed)
    db["erp_items"].insert_one(item("R1", "a", 1))
    backups, few = Backups(tools.lake.root), msgspec.structs.replace(changed, backup_keep_days=1)
    mine = [make_backup(original, run(), AT).result["backup_id"]]
    copy = original._replace(database=mongo[f"{db.name}_copy"], settings=few)
    restore(backups, mine[0], copy.database, AT)
    theirs = []
    for day in range(1, 5):
        for house, made in ((original, mine), (copy, theirs)):
            made.append(make_backup(house, run(day), AT + timedelta(days=day)).result["backup_id"])
    assert set(backups.ids()) == {*mine[2:], *theirs[3:]}
    newest = make_backup(copy, run(5), AT + timedelta(days=5)).result["backup_id"]
    with pytest.raises(OfAnother, match=f"of the database {copy.database.name}, not of {db.name}"):
        backups.resolve("latest", db.name)
    assert backups.resolve("latest", copy.database.name) == newest

    later = make_backup(copy, run(40), AT + timedelta(days=40)).result["backup_id"]
    assert set(backups.ids()) == {mine[-1], later}


def test_a_house_without_stock_is_no_failure_and_does_not_become_the_latest_backup(tools: Tools, db: Store) -> None:
    """So a new machine looks until the backup of the old one is brought back."""
    fill(db)
    whole = make_backup(tools, run(), AT).result["backup_id"]
    for name in ("erp_items", "verification_sessions", "verification_records"):
        db[name].delete_many({})
    done = make_backup(tools, run(1), AT + timedelta(days=1))
    assert (done.result, done.note.endswith("nothing to back up.")) == ({}, True)
    assert Backups(tools.lake.root).resolve("latest", db.name) == whole


def test_a_worker_that_is_to_stop_gives_up(tools: Tools, db: Store) -> None:
    fill(db)
    with pytest.raises(Abandoned):
        make_backup(tools._replace(stopping=lambda: True), run(), AT)
    assert Backups(tools.lake.root).ids() == []


def test_what_a_killed_one_left_is_swept_away_after_a_day(tools: Tools, db: Store) -> None:
    fill(db)
    draft = Backups(tools.lake.root).root / ".draft-20260201T030000000Z-0a1b2c3d-ffff"
    draft.mkdir(parents=True)
    make_backup(tools, run(), AT)
    assert draft.exists()
    make_backup(tools, run(1), AT + timedelta(days=365 * 20))
    assert not draft.exists()
