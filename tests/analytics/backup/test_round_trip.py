"""What is backed up and restored is what was there, byte by byte, but for what is made harmless."""

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from bson import Timestamp
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from analytics.backup import BackupDamaged, Backups, back_up, restore
from analytics.backup.aftermath import FENCE_PER_SECOND, FENCE_STEP, fence_rise
from analytics.backup.restoring import DatabaseNotEmpty, half_exchanged
from analytics.backup.writing import BackupTooSlow, NothingToBackUp
from analytics.extract import Abandoned, Terms, materialise
from analytics.extract.moment import Moment
from analytics.lake import Lake
from stockverify import activity, indexes
from stockverify.clients import Document
from tests.analytics.backup.world import AT, bytes_of, fill

Store = Database[Document]
ID = "20260201T030000000Z-0a1b2c3d"
CHANGED = {"rack_registry", "users", "report_schedules", "report_runs", "report_deliveries", "activity_logs"}


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.fixture
def backups(lake: Lake) -> Backups:
    return Backups(lake.root)


@pytest.fixture
def other(db: Store, mongo: "MongoClient[Document]") -> Store:
    """An empty database to restore into."""
    return mongo[f"{db.name}_other"].with_options(db.codec_options)


@pytest.fixture
def made(db: Store, backups: Backups) -> str:
    fill(db)
    return back_up(backups, db, ID, AT).backup_id


def test_every_document_comes_back_byte_by_byte(db: Store, other: Store, backups: Backups, made: str) -> None:
    before, now = bytes_of(db), datetime.now(UTC)
    done = restore(backups, made, other, now)
    after = bytes_of(other)
    assert {name: after[name] for name in after if name not in CHANGED} == {
        name: before[name] for name in before if name not in CHANGED
    }
    assert {name: set(each) for name, each in after.items() if name != "activity_logs"} == {
        name: set(each) for name, each in before.items() if name != "activity_logs"
    }
    assert before["erp_items"]
    assert len(before["verification_records"]) == 50
    assert done.documents == sum(map(len, before.values()))
    assert indexes.missing(other) == []
    assert [other[name].count_documents({}) for name in ("lake_marks", "device_codes")] == [0, 0]
    assert [name for name in other.list_collection_names() if name.startswith("restoring.")] == []


def test_what_happened_since_can_do_no_harm(db: Store, other: Store, backups: Backups, made: str) -> None:
    now = datetime.now(UTC)
    done = restore(backups, made, other, now)
    rise = fence_rise(done.as_of, now)
    assert {rack["_id"]: rack["fence"] for rack in other["rack_registry"].find()} == {"R1": 6 + rise, "R2": 7 + rise}
    assert [user["logins"] for user in other["users"].find()] == [[], []]
    schedules = {each["_id"]: each for each in other["report_schedules"].find()}
    assert [schedules[name]["state"] for name in ("sch-1", "sch-2")] == ["paused", "active"]
    assert made in schedules["sch-1"]["paused_reason"]
    runs = {each["_id"]: (each["status"], each.get("untold")) for each in other["report_runs"].find()}
    assert runs == {"r-1": ("failed", None), "r-2": ("failed", None)}
    mails = {each["_id"]: (each["state"], each["next_attempt_at"], len(each["log"])) for each in _mails(other)}
    assert mails == {
        "queued": ("cancelled", None, 1),
        "before the dot": ("cancelled", None, 1),
        "after the dot": ("unknown", None, 1),
        "in doubt": ("unknown", None, 1),
        "given up in doubt": ("unknown", None, 0),
        "sent": ("sent", None, 0),
    }
    told = done.aftermath
    assert (told.racks, told.logins_ended, told.schedules_paused, told.runs_ended, told.mails_ended) == (2, 1, 1, 1, 4)
    sealed = other["activity_logs"].find({"sequence": {"$gt": 0}}).sort("sequence", 1)
    assert list(activity.problems(sealed)) == []
    noted = other["activity_logs"].find_one({"action": "backup.restored"})
    assert noted is not None
    assert (noted["subject"], noted["details"]["fence_rise"]) == (made, rise)


def _mails(database: Store) -> list[Document]:
    """None of them has a notice that is still to be written."""
    return list(database["report_deliveries"].find({"notice_due": None}))


def test_a_fence_is_never_given_out_twice_over_two_restores() -> None:
    once, later = AT + timedelta(minutes=5), AT + timedelta(minutes=6)
    assert fence_rise(AT, AT) == FENCE_STEP
    assert fence_rise(AT, later) - fence_rise(AT, once) == 60 * FENCE_PER_SECOND
    assert fence_rise(AT, AT - timedelta(days=1)) == FENCE_STEP


def test_the_next_snapshot_reads_everything(db: Store, backups: Backups, lake: Lake, made: str) -> None:
    first = materialise(lake, db, AT)
    restore(backups, made, db, datetime.now(UTC), replace=True)
    terms = Terms(may_fall=100, accept_fewer=True)
    taken = materialise(lake, db, AT + timedelta(hours=1), terms=terms)
    origin = lake.manifest("records", taken.snapshot_id).origin
    assert origin is not None
    assert (origin.base, lake.manifest("records", taken.snapshot_id).rows) == (None, 50)
    assert "is not the one of then" in origin.because
    assert taken.snapshot_id != first.snapshot_id


def test_a_backup_is_of_one_moment(db: Store, backups: Backups, other: Store) -> None:
    """A session and its record that are written while it is taken are both in it or both not in it."""
    fill(db)
    written = iter(range(100))

    def stopping() -> bool:
        number = next(written)
        db["verification_sessions"].insert_one({"_id": f"late-{number}"})
        db["verification_records"].insert_one({"_id": f"late-{number}", "session_id": f"late-{number}"})
        return False

    back_up(backups, db, ID, AT, stopping)
    assert next(written) > 5
    restore(backups, ID, other, AT)
    assert other["verification_records"].count_documents({"session_id": {"$regex": "^late"}}) == 0
    assert other["verification_sessions"].count_documents({"_id": {"$regex": "^late"}}) == 0


def test_only_the_owner_can_read_it(backups: Backups, made: str) -> None:
    folder = backups.root / made
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.zst")} == {0o600}


def test_the_same_id_again_gives_what_is_there(db: Store, backups: Backups, made: str) -> None:
    db["erp_items"].delete_many({})
    assert back_up(backups, db, ID, AT + timedelta(hours=1)) == backups.manifest(made)


def test_what_is_given_up_or_fails_leaves_nothing(db: Store, backups: Backups) -> None:
    with pytest.raises(NothingToBackUp):
        back_up(backups, db, ID, AT)
    fill(db)
    with pytest.raises(Abandoned):
        back_up(backups, db, ID, AT, lambda: True)
    assert list(backups.root.iterdir()) == []


def test_a_moment_that_mongodb_no_longer_has_is_said(
    db: Store, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MongoDB says so itself; only the moment is made up."""

    @contextmanager
    def long_ago(database: Store, names: Any) -> Iterator[Moment]:
        with database.client.start_session(snapshot=True) as session:
            session._snapshot_time = Timestamp(1, 1)  # type: ignore[attr-defined]
            yield Moment(session, Timestamp(1, 1))

    monkeypatch.setattr("analytics.backup.writing.moment_of", long_ago)
    with pytest.raises(BackupTooSlow, match="history window"):
        back_up(backups, db, ID, AT)
    assert list(backups.root.iterdir()) == []


def _cut(data: bytes) -> bytes:
    return data[:-1]


def _flip(data: bytes) -> bytes:
    return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]


@pytest.mark.parametrize("harm", [_cut, _flip, None], ids=["cut", "flipped", "missing"])
def test_a_damaged_file_is_found_before_anything_is_changed(
    db: Store, backups: Backups, made: str, harm: Callable[[bytes], bytes] | None
) -> None:
    path, before = backups.root / made / "users.bson.zst", bytes_of(db)
    if harm:
        path.write_bytes(harm(path.read_bytes()))
    else:
        path.unlink()
    with pytest.raises(BackupDamaged, match=r"users\.bson\.zst"):
        restore(backups, made, db, AT, replace=True)
    assert bytes_of(db) == before


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"format": 1', '"format": 2', "format 2"),
        ('"collection": "users"', '"collection": "../users"', "which no backup holds"),
        ('"collection": "users"', '"collection": "lake_marks"', "which no backup holds"),
        (f'"backup_id": "{ID}"', '"backup_id": "x"', "is that of x"),
        ('"parts"', '"wholes"', "cannot be read"),
    ],
)
def test_a_manifest_is_believed_only_if_all_of_it_makes_sense(
    backups: Backups, made: str, old: str, new: str, reason: str
) -> None:
    path = backups.root / made / "manifest.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(BackupDamaged, match=reason):
        backups.checked(made)


def test_a_database_that_holds_something_is_not_touched_unless_asked(db: Store, backups: Backups, made: str) -> None:
    before = bytes_of(db)
    with pytest.raises(DatabaseNotEmpty, match=db.name):
        restore(backups, made, db, AT)
    assert bytes_of(db) == before
    db["verification_records"].delete_many({})
    db["sync_conflicts"].insert_one({"_id": "of later"})
    restore(backups, made, db, AT, replace=True)
    assert bytes_of(db)["verification_records"] == before["verification_records"]
    assert bytes_of(db)["sync_conflicts"] == {}


@pytest.mark.parametrize("steps", [0, 1, 7, 14])
def test_a_restore_killed_between_any_two_renames_is_run_again(
    db: Store, backups: Backups, made: str, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, renamed = bytes_of(db), Collection.rename
    left = iter(range(steps))

    def dying(self: Collection, *args: Any, **options: Any) -> Any:
        if not list(islice(left, 1)):
            raise Killed
        return renamed(self, *args, **options)

    monkeypatch.setattr(Collection, "rename", dying)
    with pytest.raises(Killed):
        restore(backups, made, db, AT, replace=True)
    monkeypatch.undo()
    assert half_exchanged(db)
    restore(backups, made, db, AT)
    after = bytes_of(db)
    assert {name: after[name] for name in after if name not in CHANGED} == {
        name: before[name] for name in before if name not in CHANGED
    }
    assert not half_exchanged(db)
    assert indexes.missing(db) == []
