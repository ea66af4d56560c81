from datetime import timedelta
from itertools import product
from pathlib import Path

import msgspec
import polars as pl
import pytest

from analytics.compare import Change, Kind, Tolerance, change, compare
from analytics.compare.diff import difference
from analytics.compare.snapshots import UnknownColumn
from analytics.compare.tolerance import BadTolerance
from analytics.compare.unlike import unlike
from analytics.extract import materialise
from analytics.lake import Lake
from analytics.lake.store import SnapshotNotFound
from stockverify.datasets import POSITIONS
from tests.analytics.conftest import Store, Take
from tests.analytics.stock import NOW, item, record


def test_a_recount_between_two_snapshots(take: Take, lake: Lake, db: Store) -> None:
    first = take(
        erp_items=[item("R1", "a", 10), item("R1", "b", 4), item("R1", "gone", 1), item("R1", "same", 5)],
        verification_records=[record("c-1", "R1", "a", 8), record("c-2", "R1", "same", 5)],
    )
    db["erp_items"].delete_one({"item_code": "gone"})
    db["verification_records"].update_one(
        {"_id": "c-1"}, {"$set": {"verified_qty": 10.0, "received_at": NOW + timedelta(1), "username": "bob"}}
    )
    db["verification_records"].update_one(
        {"_id": "c-2"}, {"$set": {"username": "eve", "received_at": NOW + timedelta(1)}}
    )
    second = take(verification_records=[record("c-3", "R1", "new", 2)])
    found = compare(lake, first.snapshot_id, second.snapshot_id)
    assert found.counts() == {
        "added_count": 1,
        "removed_count": 1,
        "changed_count": 1,
        "unchanged_count": 2,
        "key_duplicate_count": 0,
    }
    assert found.column_changes == {"verified_qty": 1, "variance_qty": 1, "variance_value": 1}
    assert found.summary["verified_units"] == Change(13.0, 17.0, 4.0, 30.7692, "up")
    assert found.summary["net_variance_units"] == Change(-2.0, 2.0, 4.0, 200.0, "up")
    assert found.summary["shrinkage_value"] == Change(5.0, 0.0, -5.0, -100.0, "down")
    assert found.summary["lines"] == Change(4, 4, 0, 0.0, "stable")
    assert "progress" not in found.summary
    shown = found.contract()
    assert shown["row_diff"]["added"][0]["item_code"] == "new"
    assert shown["row_diff"]["removed"][0]["item_code"] == "gone"
    [changed] = shown["row_diff"]["changed"]
    assert changed["key"] == {"rack_id": "R1", "bin": "", "item_code": "a"}
    assert (changed["baseline"]["verified_qty"], changed["comparison"]["verified_qty"]) == (8.0, 10.0)
    assert changed["diff"] == {"verified_qty": 2.0, "variance_qty": 2.0, "variance_value": 5.0}
    assert shown["metadata"]["ignored"] == ["counted_by", "counted_at", "round"]
    assert shown["metadata"]["baseline"]["snapshot_id"] == first.snapshot_id
    assert b'"trend":"up"' in msgspec.json.encode(shown)
    strict = compare(lake, first.snapshot_id, second.snapshot_id, ignore=())
    assert (strict.number(Kind.CHANGED), strict.column_changes["counted_by"]) == (2, 2)


def test_lists_hold_the_first_hundred_only(take: Take, lake: Lake, db: Store) -> None:
    first = take(erp_items=[item("R1", f"{number:03}", 1) for number in range(150)])
    db["erp_items"].update_many({}, {"$set": {"book_qty": 2.0}})
    second = take()
    shown = compare(lake, first.snapshot_id, second.snapshot_id).contract()["row_diff"]
    assert (shown["changed_count"], len(shown["changed"])) == (150, 100)
    assert [row["key"]["item_code"] for row in shown["changed"]] == [f"{number:03}" for number in range(100)]


def test_other_datasets_compare_on_their_own_key(take: Take, lake: Lake) -> None:
    first = take(verification_records=[record("c-1", "R1", "a", 8)])
    second = take(verification_records=[record("c-2", "R1", "a", 1.5, serial_numbers=["x"])])
    found = compare(lake, first.snapshot_id, second.snapshot_id, "records")
    assert (found.dataset, found.counts()["added_count"], found.counts()["unchanged_count"]) == (
        "verification_records",
        1,
        1,
    )
    assert found.summary["rows"] == Change(1, 2, 1, 100.0, "up")
    assert found.summary["verified_qty_sum"] == Change(8.0, 9.5, 1.5, 18.75, "up")


def test_a_snapshot_does_not_differ_from_itself(take: Take, lake: Lake) -> None:
    only = take(erp_items=[item("R1", "a", 8)]).snapshot_id
    found = compare(lake, only, only)
    assert (found.counts()["unchanged_count"], found.column_changes) == (1, {})
    assert {step.trend for step in found.summary.values()} == {"stable"}


def test_only_files_that_the_other_side_has_not_are_compared(lake: Lake, db: Store, tmp_path: Path) -> None:
    """The outcome is that of a join of all files, also where one side has no file of its own, or neither has."""

    def take(moment: int) -> str:
        return materialise(lake, db, NOW + timedelta(moment), rows_per_part=2).snapshot_id

    db["erp_items"].insert_many(item(f"R{rack}", code, rack) for rack in range(6) for code in ("a", "b"))
    ids = [take(0), take(1)]
    db["erp_items"].insert_one(item("R9", "new", 1))
    ids.append(take(2))
    db["erp_items"].delete_one({"rack_id": "R1", "item_code": "a"})
    db["verification_records"].insert_one(record("c-1", "R4", "a", 8))
    ids.append(take(3))
    seen = set()
    for number, (before, after) in enumerate(product(ids, ids)):
        left, folder = unlike(lake, "positions", before, after), tmp_path / str(number)
        folder.mkdir()
        found = compare(lake, before, after)
        sides = (lake.files("positions", before), lake.files("positions", after))
        whole = difference(*sides, POSITIONS.key, folder, found.manifest.asked.ignored)
        assert found.manifest.unchanged == whole.unchanged
        for kind in Kind:
            assert pl.read_parquet(found.folder / kind.file).equals(pl.read_parquet(folder / kind.file)), (number, kind)
        seen.add((len(left.before) < len(sides[0]), len(left.after) < len(sides[1]), left.same > 0))
    assert seen == {(True, True, True)}, "every pair has files in common"


def test_an_unknown_snapshot(take: Take, lake: Lake) -> None:
    only = take(erp_items=[item("R1", "a", 8)]).snapshot_id
    with pytest.raises(SnapshotNotFound):
        compare(lake, only, "20200101T000000000Z-00000000")


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ((0, 0), Change(0, 0, 0, 0.0, "stable")),
        ((0, 5), Change(0, 5, 5, None, "up")),
        ((-4, -2), Change(-4, -2, 2, 50.0, "up")),
        ((0.3, 0.1 + 0.2), Change(0.3, 0.1 + 0.2, 0.0, 0.0, "stable")),
        ((200, 100), Change(200, 100, -100, -50.0, "down")),
    ],
)
def test_changes(pair: tuple[float, float], expected: Change) -> None:
    assert change(*pair) == expected


def test_tolerances_and_ignored_columns_are_part_of_the_question(take: Take, lake: Lake, db: Store) -> None:
    first = take(erp_items=[item("R1", "a", 10), item("R1", "b", 10)]).snapshot_id
    db["erp_items"].update_one({"item_code": "a"}, {"$set": {"book_qty": 10.5}})
    db["erp_items"].update_one({"item_code": "b"}, {"$set": {"book_qty": 12.0, "uom": "BOX"}})
    second = take().snapshot_id
    strict = compare(lake, first, second, "items", ignore=["updated_at"])
    loose = compare(lake, first, second, "items", ["updated_at"], {"book_qty": Tolerance(relative=0.05)})
    assert (strict.counts()["changed_count"], loose.counts()["changed_count"]) == (2, 1)
    assert loose.counts()["unchanged_count"] == 1
    assert loose.folder != strict.folder
    told = loose.metadata()
    assert (told["tolerances"], told["within_tolerance_count"], told["column_within_tolerance"]) == (
        {"book_qty": {"absolute": None, "relative": 0.05}},
        1,
        {"book_qty": 1},
    )
    assert loose.column_changes == {"uom": 1, "book_qty": 1}
    only_names = compare(lake, first, second, "items", ["updated_at", "book_qty"])
    assert only_names.listed(Kind.CHANGED)[0]["diff"] == {"uom": None}
    with pytest.raises(UnknownColumn, match="'bookqty'"):
        compare(lake, first, second, "items", ["bookqty"])
    with pytest.raises(BadTolerance, match="'uom'"):
        compare(lake, first, second, "items", None, {"uom": Tolerance(absolute=1)})
