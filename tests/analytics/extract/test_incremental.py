"""An incremental snapshot holds exactly what reading everything at the same moment gives."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import import_module
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from analytics.engine import engine_of
from analytics.extract import Terms, changes, incremental, lookup, materialise, moment, positions
from analytics.extract.base import Base
from analytics.extract.task import Task
from analytics.lake import Freeze, Lake, verify
from analytics.lake.publish import Published
from analytics.lake.removing import remove
from stockverify.clients import Document
from stockverify.datasets import COLLECTED
from stockverify.services.embedded import Backends
from tests.analytics.conftest import Store
from tests.analytics.extract.changing import Changing, everything
from tests.analytics.stock import NOW, item, record, session
from tests.profiling import keeper

ANYTHING = Terms(accept_fewer=True, may_fall=100)
WHOLE = Terms(accept_fewer=True, may_fall=100, whole=True)
Step = Callable[..., Freeze]


def why(lake: Lake, taken: Freeze, dataset: str = "positions") -> tuple[str | None, str]:
    origin = lake.manifest(dataset, taken.snapshot_id).origin
    assert origin is not None
    return origin.base, origin.because


def rows(lake: Lake, taken: Freeze, dataset: str = "verification_records") -> list[dict[str, Any]]:
    return everything(lake, taken.snapshot_id)[dataset]


@pytest.fixture(autouse=True)
def _few_racks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Positions are derived in several portions here, too."""
    monkeypatch.setattr(positions, "_ROWS_AT_ONCE", 25)


@pytest.fixture
def step(lake: Lake, db: Store) -> Step:
    """Takes a snapshot with files of four rows, so that some are kept and some are not."""
    minutes = count()

    def take(**fields: Any) -> Freeze:
        return materialise(
            lake, db, NOW + timedelta(minutes=next(minutes)), **{"terms": ANYTHING, "rows_per_part": 4} | fields
        )

    return take


@pytest.fixture
def ten(db: Store, step: Step) -> Freeze:
    """A snapshot of ten records in two racks, with a book line for each."""
    db["erp_items"].insert_many([item(f"R{number % 2}", str(number), number) for number in range(10)])
    db["verification_records"].insert_many([record(f"c-{n}", f"R{n % 2}", str(n), n + 0.5) for n in range(10)])
    db["verification_sessions"].insert_one(session("s-1", "R0"))
    return step()


_slow = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_changes = given(seed=st.integers(0, 2**32), sizes=st.lists(st.integers(0, 25), min_size=2, max_size=3))


@settings(_slow, max_examples=4)
@_changes
def test_after_any_changes_it_holds_what_reading_everything_gives(db: Store, seed: int, sizes: list[int]) -> None:
    holds_what_reading_everything_gives(db, seed, sizes)


@pytest.mark.faults
@settings(_slow, max_examples=60)
@_changes
def test_after_many_more_changes(db: Store, seed: int, sizes: list[int]) -> None:
    holds_what_reading_everything_gives(db, seed, sizes)


def holds_what_reading_everything_gives(db: Store, seed: int, sizes: list[int]) -> None:
    for dataset in COLLECTED:
        db[str(dataset.collection)].delete_many({})
    stock = Changing(db, seed)
    stock.write(30)
    with TemporaryDirectory() as folder:
        lake, fresh = Lake(Path(folder) / "lake"), Lake(Path(folder) / "fresh")
        before = materialise(lake, db, NOW, terms=ANYTHING, rows_per_part=4)
        for size in sizes:
            stock.write(size)
            stock.step += 1
            taken = materialise(lake, db, stock.now, terms=ANYTHING, rows_per_part=4)
            assert why(lake, taken) == (before.snapshot_id, "")
            wanted = materialise(fresh, db, stock.now, terms=WHOLE)
            assert everything(lake, taken.snapshot_id) == everything(fresh, wanted.snapshot_id)
            before = taken
        assert verify(lake.root) == []


@pytest.fixture
def _long_transactions(embedded: Backends) -> Iterator[None]:
    """On a busy machine a snapshot takes longer than the three seconds after which MongoDB ends a transaction."""
    with keeper(embedded.settings) as client:
        before = client.admin.command("getParameter", 1, transactionLifetimeLimitSeconds=1)
        client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=600)
        yield
        lifetime = before["transactionLifetimeLimitSeconds"]
        client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=lifetime)


@pytest.mark.usefixtures("_long_transactions")
def test_what_a_transaction_commits_later_is_neither_skipped_nor_taken_twice(
    db: Store, mongo: "MongoClient[Document]", lake: Lake, ten: Freeze, step: Step
) -> None:
    records = db["verification_records"]
    with mongo.start_session() as writer:
        writer.start_transaction()
        records.insert_one(record("held back", "R1", "a", 1), session=writer)
        records.update_one({"_id": "c-1"}, {"$set": {"verified_qty": 99.0}}, session=writer)
        records.insert_one(record("in time", "R1", "a", 1))
        before = step()
        records.insert_one(record("after it", "R1", "a", 1))
        writer.commit_transaction()
    after = step()
    seen = [[row["client_record_id"] for row in rows(lake, taken)] for taken in (before, after)]
    known = [f"c-{number}" for number in range(10)]
    assert seen == [[*known, "in time"], ["after it", *known, "held back", "in time"]]
    assert [rows(lake, taken)[number]["verified_qty"] for taken, number in ((before, 1), (after, 2))] == [1.5, 99.0]
    assert [why(lake, taken)[0] for taken in (before, after)] == [ten.snapshot_id, before.snapshot_id]


def test_what_is_written_while_the_snapshot_is_taken_is_in_the_next(
    db: Store, lake: Lake, ten: Freeze, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the moment and the mark that ends what is read of the history."""
    records, lines, mark = db["verification_records"], db["erp_items"], changes.mark

    def late(*args: Any) -> None:
        monkeypatch.setattr(changes, "mark", mark)
        records.insert_one(record("late", "R1", "a", 1))
        records.update_one({"_id": "c-1"}, {"$set": {"verified_qty": 99.0}})
        records.delete_one({"_id": "c-2"})
        lines.insert_one(item("R1", "late", 5))
        lines.update_one({"item_code": "1"}, {"$set": {"book_qty": 7.0}})
        lines.delete_one({"item_code": "3"})
        mark(*args)

    for terms in (ANYTHING, WHOLE):
        before = everything(lake, lake.ids()[0])
        monkeypatch.setattr(changes, "mark", late)
        assert everything(lake, step(terms=terms).snapshot_id) == before
        taken = step()
        assert why(lake, taken) == (lake.ids()[1], "")
        found = rows(lake, taken)
        assert [row["client_record_id"] for row in found] == ["c-0", "c-1", *(f"c-{n}" for n in range(3, 10)), "late"]
        assert [row["verified_qty"] for row in found[:3]] == [0.5, 99.0, 3.5]
        book = {row["item_code"]: row["book_qty"] for row in rows(lake, taken, "erp_items")}
        assert book == {str(n): float(n) for n in range(10) if n != 3} | {"1": 7.0, "late": 5.0}
        wanted = materialise(Lake(lake.root / "fresh"), db, NOW, terms=WHOLE)
        assert everything(lake, taken.snapshot_id) == everything(Lake(lake.root / "fresh"), wanted.snapshot_id)
        _as_before(db)
        step()


def _as_before(db: Store) -> None:
    """What that test begins with."""
    db["verification_records"].delete_one({"_id": "late"})
    db["verification_records"].update_one({"_id": "c-1"}, {"$set": {"verified_qty": 1.5}})
    db["verification_records"].insert_one(record("c-2", "R0", "2", 2.5))
    db["erp_items"].delete_one({"item_code": "late"})
    db["erp_items"].update_one({"item_code": "1"}, {"$set": {"book_qty": 1.0}})
    db["erp_items"].insert_one(item("R1", "3", 3))


def test_a_cost_that_changes_elsewhere_changes_what_was_found_in_another_rack(
    db: Store, lake: Lake, ten: Freeze, step: Step
) -> None:
    db["verification_records"].insert_one(record("elsewhere", "R0", "3", 1))
    before = step()
    db["erp_items"].update_one({"item_code": "3"}, {"$set": {"unit_cost": 9.0}})
    taken = step()
    costs = [
        [row["unit_cost"] for row in rows(lake, each, "positions") if row["item_code"] == "3"]
        for each in (before, taken)
    ]
    assert (costs, why(lake, taken)) == ([[2.5, 2.5], [9.0, 9.0]], (before.snapshot_id, ""))


def test_a_rack_that_is_given_back_and_claimed_anew_is_derived_again(
    db: Store, lake: Lake, ten: Freeze, step: Step
) -> None:
    before = {"book_qty": 3.0, "unit_cost": 2.5, "valid_from": None, "valid_until": NOW + timedelta(minutes=1)}
    change = {"$set": {"book_qty": 1.0, "valid_from": NOW + timedelta(minutes=1)}, "$push": {"versions": before}}
    db["erp_items"].update_one({"item_code": "3"}, change)
    db["verification_sessions"].insert_one(session("first", "R1", started_at=NOW))
    db["verification_records"].update_one({"_id": "c-3"}, {"$set": {"status": "partial"}})
    taken = [step()]
    db["verification_sessions"].insert_one(session("second", "R1", started_at=NOW + timedelta(minutes=2)))
    taken.append(step())
    db["verification_records"].insert_one(record("anew", "R1", "3", 1.0, session_id="second"))
    taken.append(step())
    found = [[row for row in rows(lake, each, "positions") if row["item_code"] == "3"] for each in taken]
    assert [(row["book_qty"], row["variance_qty"]) for [row] in found] == [(3.0, None), (1.0, None), (1.0, 0.0)]


def test_a_clock_that_is_set_back_leaves_the_newest_the_newest(db: Store, lake: Lake) -> None:
    """Its id goes on, it builds on the one before, and everything is compared again."""
    db["erp_items"].insert_one(item("R1", "a", 1))
    known: list[Freeze] = []
    for number, minutes in enumerate((0, -90, -90, -60, 1)):
        db["erp_items"].update_one({}, {"$set": {"book_qty": float(number)}})
        known.insert(0, materialise(lake, db, NOW + timedelta(minutes=minutes)))
        assert lake.freezes() == known
        assert lake.resolve("latest") == known[0].snapshot_id
        assert rows(lake, known[0], "erp_items")[0]["book_qty"] == number
    assert [why(lake, each)[0] for each in known] == [*(each.snapshot_id for each in known[1:]), None]
    origins = [lake.manifest("items", each.snapshot_id).origin for each in known]
    compared = [origin and origin.whole_at - NOW for origin in reversed(origins)]
    assert compared == [timedelta(minutes=minutes) for minutes in (0, -90, -90, -90, -90)]
    assert known[-2].snapshot_id[:19] == "20260131T183015251Z"


def test_only_files_with_changed_rows_are_written(db: Store, lake: Lake, ten: Freeze, step: Step) -> None:
    db["verification_records"].update_one({"_id": "c-9"}, {"$set": {"verified_qty": 1.0}})
    taken = step()
    before, after = (lake.files("records", each.snapshot_id) for each in (ten, taken))
    assert [path.stat().st_ino for path in before[:2]] == [path.stat().st_ino for path in after[:2]]
    assert {path.stat().st_nlink for path in after} == {2, 1}
    assert lake.manifest("records", taken.snapshot_id).files[:2] == lake.manifest("records", ten.snapshot_id).files[:2]
    assert {path.stat().st_nlink for path in lake.files("items", taken.snapshot_id)} == {2}


def test_without_hard_links_files_are_copied(
    db: Store, lake: Lake, ten: Freeze, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path, target: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", refused)
    db["verification_records"].insert_one(record("new", "R1", "a", 1))
    taken = step()
    assert why(lake, taken) == (ten.snapshot_id, "")
    assert {path.stat().st_nlink for path in lake.files("records", taken.snapshot_id)} == {1}
    assert (len(rows(lake, taken)), verify(lake.root)) == (11, [])


def test_nothing_has_changed(lake: Lake, ten: Freeze, step: Step) -> None:
    taken = step()
    assert why(lake, taken) == (ten.snapshot_id, "")
    assert everything(lake, taken.snapshot_id) == everything(lake, ten.snapshot_id)


def test_a_racks_heartbeat_leaves_its_positions_alone(db: Store, lake: Lake, ten: Freeze, step: Step) -> None:
    db["verification_sessions"].update_one({"_id": "s-1"}, {"$set": {"last_heartbeat": NOW}})
    taken = step()
    assert {path.stat().st_nlink for path in lake.files("positions", taken.snapshot_id)} == {2}
    assert rows(lake, taken, "verification_sessions")[0]["last_heartbeat"] == NOW


def test_an_item_that_is_renamed_is_renamed_in_every_rack(db: Store, lake: Lake, ten: Freeze, step: Step) -> None:
    db["erp_items"].update_one({"item_code": "3"}, {"$set": {"item_name": "zebra"}})
    db["verification_records"].insert_one(record("elsewhere", "R0", "3", 1))
    before = step()
    db["erp_items"].update_one({"item_code": "3"}, {"$set": {"item_name": "zoo"}})
    taken = step()
    named = [
        {row["item_name"] for row in rows(lake, each, "positions") if row["item_code"] == "3"}
        for each in (before, taken)
    ]
    assert named == [{"zebra"}, {"zoo"}]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda db, lake: db["lake_marks"].delete_many({}), "this MongoDB does not know the earlier snapshot"),
        (lambda db, lake: _made_anew(db), "the collection verification_records is not the one of then"),
        (lambda db, lake: lake.files("items", lake.ids()[0])[0].write_bytes(b"x"), "cannot be used: Snapshot"),
        (lambda db, lake: _other_recipe(lake), "positions were derived in another way"),
    ],
)
def test_everything_is_read_when_the_one_before_is_of_no_use(
    db: Store, lake: Lake, ten: Freeze, step: Step, spoil: Callable[[Store, Lake], Any], reason: str
) -> None:
    spoil(db, lake)
    taken = step()
    base, because = why(lake, taken)
    assert base is None
    assert reason in because
    assert len(rows(lake, taken)) == 10
    assert why(lake, step()) == (taken.snapshot_id, "")


def test_everything_is_read_when_the_one_before_is_removed_meanwhile(
    db: Store, lake: Lake, ten: Freeze, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retention in another process may do so at any moment, here at the worst: after every file was checked."""

    def removed(task: Task, base: Base) -> Published:
        remove(lake.root, base.snapshot_id)
        return incremental.incremental(task, base)

    db["verification_records"].update_one({}, {"$set": {"verified_qty": 7.0}})
    monkeypatch.setattr(import_module("analytics.extract.materialise"), "incremental", removed)
    taken = step()
    base, because = why(lake, taken)
    assert (base, because.partition(":")[0]) == (None, "a file of the earlier snapshot could not be read")
    assert len(rows(lake, taken)) == 10


def test_a_file_that_vanishes_amid_its_batches_is_no_full_disk(tmp_path: Path) -> None:
    """Which of them is told by whom depends on how many files DuckDB has opened ahead."""
    files = [tmp_path / f"{number:03}.parquet" for number in range(150)]
    for file in files:
        pq.write_table(pa.table({"a": range(25_000)}), file)
    with engine_of(tmp_path) as engine:
        batches = lookup.left(engine, files, pa.table({"a": [0]}))
        next(batches)
        for file in files:
            file.unlink()
        with pytest.raises((OSError, duckdb.IOException)) as failed:
            list(batches)
    of_reading = import_module("analytics.extract.materialise")._of_reading
    assert of_reading(failed.value)
    assert not of_reading(OSError(28, "No space left on device"))


def _made_anew(db: Store) -> None:
    kept = list(db["verification_records"].find())
    db["verification_records"].drop()
    db["verification_records"].insert_many(kept)


def _other_recipe(lake: Lake) -> None:
    path = lake.root / "positions" / lake.ids()[0] / "manifest.json"
    path.write_text(path.read_text().replace('"recipe": "', '"recipe": "0'))
    lake.__init__(lake.root)  # type: ignore[misc]


def test_a_mark_that_never_comes_is_not_waited_for_without_end(db: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_PATIENCE_SECONDS", 0.5)
    with moment.moment(db, COLLECTED) as at:
        assert at is None
    db["erp_items"].insert_one(item("R1", "a", 1))
    with moment.moment(db, COLLECTED) as at:
        assert at is not None
        with pytest.raises(changes.WholeNeeded, match="did not tell its history"):
            changes.changed(db, at.cluster_time, "none", ["erp_items"], 10)


def test_much_that_has_changed_is_read_whole(
    db: Store, lake: Lake, ten: Freeze, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incremental, "_FEW", 5)
    db["verification_records"].insert_many([record(f"n-{number}", "R1", "a", 1) for number in range(30)])
    assert why(lake, step()) == (None, "more than 6 documents have changed since")


def test_it_is_whole_when_it_was_asked_for(lake: Lake, ten: Freeze, step: Step) -> None:
    assert why(lake, step(terms=WHOLE)) == (None, "it was asked for")


def test_small_files_stay_few(db: Store, lake: Lake, step: Step) -> None:
    for number in range(9):
        db["verification_records"].insert_one(record(f"c-{number}", "R1", str(number), 1))
        taken = step(rows_per_part=1000)
    assert [part.rows for part in lake.manifest("records", taken.snapshot_id).files] == [8, 1]
    assert len(lake.files("positions", taken.snapshot_id)) == 1
