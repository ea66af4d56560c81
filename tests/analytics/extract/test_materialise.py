from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analytics import reports
from analytics.anomalies import find
from analytics.compare import compare
from analytics.extract import Abandoned, NothingToFreeze, materialise, moment
from analytics.figures import overview
from analytics.lake import Lake, verify
from analytics.query import checked, run
from stockverify.datasets import COLLECTED, DATASETS, RECORDS
from stockverify.vocabulary import AnomalyKind
from stockverify.wire.reports import QuerySpec
from tests.analytics.conftest import Store, Take
from tests.analytics.stock import NOW, item, record, session


def rows(lake: Lake, dataset: str, snapshot_id: str) -> list[dict[str, Any]]:
    return pl.read_parquet(lake.files(dataset, snapshot_id), glob=False).to_dicts()


def test_a_snapshot_holds_all_datasets_of_one_moment(take: Take, lake: Lake) -> None:
    before = datetime.now(UTC)
    taken = take(
        "first",
        erp_items=[item("R1", "00123", 10), item("R1", "B", 1)],
        verification_records=[record("c-1", "R1", "00123", 9, serial_numbers=["123456789012345678"])],
        verification_sessions=[session("s-1", "R1")],
    )
    assert (taken.name, taken.created_at, taken.rows) == ("first", NOW, 2)
    assert abs(taken.as_of - before) < timedelta(seconds=30)
    assert lake.freezes() == [taken]
    assert verify(lake.root) == []
    manifests = {name: lake.manifest(name, taken.snapshot_id) for name in DATASETS}
    assert {name: found.rows for name, found in manifests.items()} == {
        "verification_records": 1,
        "verification_sessions": 1,
        "erp_items": 2,
        "positions": 2,
    }
    assert {found.as_of for found in manifests.values()} == {taken.as_of}
    assert set(manifests["positions"].sources) == {dataset.name for dataset in COLLECTED}
    [counted] = rows(lake, "records", taken.snapshot_id)
    assert (counted["client_record_id"], counted["item_code"], counted["serial_numbers"], counted["verified_qty"]) == (
        "c-1",
        "00123",
        ["123456789012345678"],
        9.0,
    )
    assert counted["received_at"] == NOW
    assert rows(lake, "sessions", taken.snapshot_id)[0]["session_id"] == "s-1"


def test_nothing_to_freeze(take: Take, lake: Lake) -> None:
    with pytest.raises(NothingToFreeze, match="stockverify import FILE"):
        take()
    assert lake.freezes() == []


@pytest.mark.parametrize("collection", [str(dataset.collection) for dataset in COLLECTED])
def test_one_document_anywhere_is_enough(take: Take, collection: str) -> None:
    made: dict[str, Any] = {
        "erp_items": item("R1", "a", 1),
        "verification_records": record("c", "R1", "a", 1),
        "verification_sessions": session("s", "R1"),
    }
    assert take(**{collection: [made[collection]]}).rows == (0 if collection == "verification_sessions" else 1)


def test_what_is_written_after_the_moment_is_not_in_it(db: Store) -> None:
    db["erp_items"].insert_one(item("R1", "a", 1))
    db["verification_records"].insert_one(record("early", "R1", "a", 1))
    with moment.moment(db, COLLECTED) as at:
        assert at is not None
        db["verification_records"].insert_one(record("late", "R1", "a", 1))
        db["verification_records"].delete_one({"_id": "early"})
        found = [batch["client_record_id"].to_pylist() for batch in moment.batches(db, RECORDS, at)]
    assert found == [["early"]]


def test_many_batches(take: Take, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment, "BATCH", 7)
    taken = take(verification_records=[record(f"c-{number}", "R1", str(number), number) for number in range(100)])
    assert sorted(row["verified_qty"] for row in rows(lake, "records", taken.snapshot_id)) == list(range(100))
    assert taken.rows == 100


def test_a_worker_that_stops_gives_up_and_leaves_nothing(take: Take, lake: Lake, db: Store) -> None:
    db["erp_items"].insert_one(item("R1", "a", 1))
    with pytest.raises(Abandoned):
        materialise(lake, db, NOW, stopping=lambda: True)
    assert lake.freezes() == []
    assert [
        path for path in lake.root.rglob("*") if path.suffix in (".parquet", ".json") and ".draft" in str(path)
    ] == []
    assert take().rows == 1


@pytest.mark.parametrize("name", ["it's [1] *? ü", "floor=9/rack_id=8", "$files {x} %s; --", "a\tb\nc"])
def test_a_lake_in_a_folder_with_a_difficult_name(db: Store, tmp_path: Path, name: str) -> None:
    lake = Lake(tmp_path / name / "lake")
    (tmp_path / "it's 1 xy ü" / "lake").mkdir(parents=True)
    db["erp_items"].insert_one(item("R1", "a", 1))
    first = materialise(lake, db, NOW)
    db["verification_records"].insert_one(record("c", "R1", "a", 2.0))
    second = materialise(lake, db, NOW + timedelta(minutes=1))
    origin = lake.manifest("records", second.snapshot_id).origin
    assert origin is not None
    assert origin.base == first.snapshot_id
    wanted = {"floor": "Ground", "rack_id": "R1", "item_code": "a", "verified_qty": 2.0}
    query = checked(QuerySpec(collection="positions", filters={"floor": "Ground"}))
    asked = [row.items() >= wanted.items() for row in run(lake, second.snapshot_id, query).rows()]
    assert (asked, rows(lake, "positions", second.snapshot_id)[0].items() >= wanted.items()) == ([True], True)
    report = reports.keep(lake, "rs-" + "0" * 16, second.snapshot_id, query, {}, NOW)
    assert reports.rows(lake, report, query).rows()[0].items() >= wanted.items()
    assert compare(lake, first.snapshot_id, second.snapshot_id).counts()["changed_count"] == 1
    assert find(lake, second.snapshot_id).found.keys() == set(AnomalyKind)
    assert overview(lake, second.snapshot_id).by_floor["floor"].to_list() == ["Ground"]
    assert [path.name for path in lake.root.parent.iterdir() if path.name != "lake"] == ["spill"]
