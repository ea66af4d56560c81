"""A snapshot that does not agree is not published, and the sentence says which check, what was expected and found."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics.extract import SnapshotRefused, Terms, gate, materialise, positions
from analytics.extract.moment import Totals
from analytics.lake import Freeze, Lake
from analytics.lake.durable import sha256
from analytics.millionths import summed_sql
from stockverify.datasets import HELD, ITEMS
from tests.analytics.conftest import Store
from tests.analytics.stock import NOW, item, record, session

LATER = NOW + timedelta(minutes=1)
Change = Callable[[dict[str, Any]], Any]
VERIFIED = summed_sql("verified_qty", "is_count")


@pytest.fixture
def before(db: Store, lake: Lake) -> Freeze:
    """Ten records, ten sessions and ten book lines, and a snapshot of them."""
    db["erp_items"].insert_many([item("R1", str(number), number) for number in range(10)])
    db["verification_records"].insert_many([record(f"c-{n}", "R1", str(n), n, damage_qty=n / 2) for n in range(10)])
    db["verification_sessions"].insert_many([session(f"s-{number}", None) for number in range(10)])
    return materialise(lake, db, NOW)


def refused(lake: Lake, db: Store, **terms: Any) -> str:
    with pytest.raises(SnapshotRefused) as caught:
        materialise(lake, db, LATER, terms=Terms(**terms))
    return caught.value.message


def forge(lake: Lake, dataset: str, change: Change) -> Lake:
    """Somebody who knows how manifests refer to each other makes the newest one say something else."""
    snapshot_id = lake.ids()[0]
    path = lake.root / dataset / snapshot_id / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    if dataset != "positions":
        _say(lake.root / "positions" / snapshot_id / "manifest.json", dataset, sha256(path))
    return Lake(lake.root)


def _say(positions: Path, dataset: str, digest: str) -> None:
    content = json.loads(positions.read_text())
    content["sources"][dataset] = digest
    positions.write_text(json.dumps(content))


def test_a_refused_snapshot_leaves_the_one_before_and_nothing_else(lake: Lake, db: Store, before: Freeze) -> None:
    db["verification_records"].delete_one({"_id": "c-3"})
    said = refused(lake, db)
    assert said == (
        "The snapshot was not published, and the one before stays the latest. Check: rows against the snapshot before "
        "of verification_records. Expected: at least 10; found: 9. If they were removed on purpose, or a backup was "
        "brought back, say so with "
        "`stockverify snapshot --full --accept-fewer`."
    )
    assert lake.freezes() == [before]
    left = {path.name for dataset in HELD for path in (lake.root / dataset).iterdir()}
    assert left == {before.snapshot_id}
    assert materialise(lake, db, LATER, terms=Terms(accept_fewer=True)).rows == 10


@pytest.mark.parametrize("collection", ["erp_items", "verification_sessions"])
def test_items_and_sessions_may_fall_so_far_and_no_further(
    lake: Lake, db: Store, before: Freeze, collection: str
) -> None:
    for _ in range(3):
        db[collection].delete_one({})
    assert f"{collection}. Expected: at least 8; found: 7." in refused(lake, db, may_fall=20)
    assert f"{collection}. Expected: at least 8; found: 7." in refused(lake, db, may_fall=20, whole=True)
    assert materialise(lake, db, LATER, terms=Terms(may_fall=30)).created_at == LATER


def test_a_key_that_comes_twice(lake: Lake, db: Store, before: Freeze) -> None:
    db["erp_items"].insert_one(item("R1", "7", 1))
    assert (
        "Check: unique keys of erp_items. Expected: each (rack_id, bin, item_code) once; found: (R1, , 7)"
        in refused(lake, db)
    )
    assert "found: (R1, , 7) several times." in refused(lake, db, whole=True)


def _correct(db: Store) -> None:
    db["verification_records"].update_one({"_id": "c-1"}, {"$set": {"verified_qty": 3.0, "damage_qty": 2.0}})


def test_rows_that_the_one_before_did_not_have(lake: Lake, db: Store, before: Freeze) -> None:
    """Its files have fewer than it says; so everything is read, and that adds up."""
    forged = forge(lake, "verification_records", lambda m: (m.update(rows=11), m["files"][0].update(rows=11)))
    _correct(db)
    taken = materialise(forged, db, LATER, terms=Terms(accept_fewer=True))
    origin = forged.manifest("records", taken.snapshot_id).origin
    assert origin is not None
    assert "says 11. It is not used." in origin.because


@pytest.mark.parametrize(
    ("dataset", "name", "touch"),
    [
        ("verification_records", "verified_qty", _correct),
        ("verification_records", "damage_qty", _correct),
        ("erp_items", "book_qty", lambda db: db["erp_items"].update_one({}, {"$set": {"book_qty": 5.0}})),
        ("positions", "verified_qty", _correct),
    ],
)
def test_sums_that_the_one_before_did_not_have(
    lake: Lake, db: Store, before: Freeze, dataset: str, name: str, touch: Callable[[Store], Any]
) -> None:
    forged = forge(lake, dataset, lambda m: m["files"][0]["sums"].update({name: 1000.0}))
    touch(db)
    origin = forged.manifest("positions", materialise(forged, db, LATER).snapshot_id).origin
    assert origin is not None
    assert f"Check: sum of {name} of {dataset}. Expected: " in origin.because
    assert (origin.base, forged.manifest(dataset, forged.ids()[0]).sums[name] < 100) == (None, True)


def test_positions_that_lose_a_count(lake: Lake, db: Store, before: Freeze, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "SQL", positions.SQL.replace(VERIFIED, f"-1 + {VERIFIED}"))
    _correct(db)
    assert "Check: sum of verified_qty of positions. Expected: 47.000000; found: 37.000000." in refused(lake, db)
    assert lake.freezes() == [before]


def test_positions_that_come_twice(lake: Lake, db: Store, before: Freeze, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "SQL", f"FROM ({positions.SQL}) UNION ALL FROM ({positions.SQL})")
    assert "Check: unique keys of positions." in refused(lake, db, whole=True)


def test_everything_is_compared_again_after_a_day(lake: Lake, db: Store, before: Freeze) -> None:
    """The sums of the one before are wrong and nothing has changed, so only looking at the files finds it out."""
    taken = materialise(lake, db, NOW + timedelta(hours=23))
    origin = lake.manifest("items", taken.snapshot_id).origin
    assert origin is not None
    assert origin.whole_at == NOW
    day = materialise(lake, db, NOW + timedelta(hours=24))
    for dataset in HELD:
        origin = lake.manifest(dataset, day.snapshot_id).origin
        assert origin is not None
        assert (origin.base, origin.whole_at) == (taken.snapshot_id, NOW + timedelta(hours=24)), dataset


def test_the_whole_comparison_finds_what_the_small_one_cannot(lake: Lake, db: Store, before: Freeze) -> None:
    db["verification_records"].delete_one({"_id": "c-1"})
    db["verification_records"].insert_one(record("c-1", "R1", "1", 1, damage_qty=0.5))
    forged = forge(lake, "erp_items", lambda m: m["files"][0]["sums"].update(book_qty=1000.0))
    unseen = materialise(forged, db, LATER)
    assert forged.manifest("items", unseen.snapshot_id).sums == {"book_qty": 1000.0}
    db["erp_items"].update_one({"item_code": "1"}, {"$set": {"item_name": "another"}})
    seen = materialise(forged, db, NOW + timedelta(days=1))
    assert forged.manifest("items", seen.snapshot_id).sums == {"book_qty": 45.0}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (Totals(2, {"book_qty": 3.0}), "Check: row count of erp_items. Expected: 3; found: 2."),
        (Totals(3, {"book_qty": 2.9}), "Check: sum of book_qty of erp_items. Expected: 3.000000; found: 2.900000."),
        (Totals(3, {}), "Check: sum of book_qty of erp_items. Expected: 3.000000; found: 0.000000."),
    ],
)
def test_reconciled(found: Totals, message: str) -> None:
    with pytest.raises(SnapshotRefused) as caught:
        gate.reconciled("erp_items", Totals(3, {"book_qty": 3.0}), found)
    assert message in caught.value.message
    gate.reconciled("erp_items", Totals(3, {"book_qty": 0.3}), Totals(3, {"book_qty": 0.1 + 0.2}))
    gate.unrepeated(ITEMS, None)


@pytest.mark.parametrize(("rows", "total", "off"), [(3, 1e12, 10.0), (10_000_000, 1e9, 1.0), (10_000_000, 0.0, 0.001)])
def test_a_little_of_a_very_large_sum_is_not_let_pass(rows: int, total: float, off: float) -> None:
    with pytest.raises(SnapshotRefused, match="sum of book_qty"):
        gate.reconciled("erp_items", Totals(rows, {"book_qty": total}), Totals(rows, {"book_qty": total + off}))
    gate.reconciled("erp_items", Totals(rows, {"book_qty": total}), Totals(rows, {"book_qty": total + off / 1e4}))


def test_many_small_fractions_add_up_alike_everywhere(lake: Lake, db: Store) -> None:
    """Positions round each count to the millionth, and what they are compared with does so too."""
    tiny = [0.0000004, 0.0000016, 1 / 3, 0.1, 7.0000005]
    db["verification_records"].insert_many(
        record(f"c-{n}", f"R{n % 3}", str(n % 50), tiny[n % 5], damage_qty=tiny[n % 2]) for n in range(1000)
    )
    db["verification_records"].insert_one(record("large", "R1", "0", 1e12))
    db["erp_items"].insert_many(item(f"R{n % 3}", str(n), tiny[n % 5] * (-1) ** (n // 5)) for n in range(100))
    taken = materialise(lake, db, NOW)
    db["verification_records"].update_one({"_id": "large"}, {"$set": {"verified_qty": 0.0000004}})
    again = materialise(lake, db, LATER)
    for each, whole in ((taken, True), (again, False)):
        origin = lake.manifest("positions", each.snapshot_id).origin
        assert origin is not None
        assert (origin.base is None) == whole, origin.because
    left = {name: lake.manifest(name, again.snapshot_id).sums for name in ("records", "positions")}
    off = left["positions"]["verified_qty"] - left["records"]["verified_qty"]
    assert 0.00001 < abs(off) < 0.001
