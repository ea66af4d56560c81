"""Published comparisons: whole or not at all, found again, and thrown away when they are old or damaged."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import msgspec
import polars as pl
import pytest

from analytics.compare import Comparison, Kind, compare, compared, store
from analytics.compare.diff import ROWS_PER_GROUP
from analytics.compare.manifest import FILE_NAME
from analytics.lake import Lake
from analytics.lake.manifest import SnapshotDamaged
from analytics.lake.store import RemovedMeanwhile, SnapshotNotFound
from analytics.watching import Stopped, Watch
from tests.analytics.compare.made import ENDLESS
from tests.analytics.conftest import Store, Take
from tests.analytics.stock import item


@pytest.fixture
def pair(take: Take, db: Store) -> tuple[str, str]:
    """Two snapshots: of four lines one is changed, one gone and one new."""
    first = take(erp_items=[item("R1", code, 1) for code in ("a", "b", "gone", "same")])
    db["erp_items"].update_one({"item_code": "a"}, {"$set": {"book_qty": 2.0}})
    db["erp_items"].delete_one({"item_code": "gone"})
    return first.snapshot_id, take(erp_items=[item("R1", "new", 3)]).snapshot_id


def found(lake: Lake, pair: tuple[str, str]) -> Comparison:
    return compare(lake, *pair)


def inode(comparison: Comparison) -> int:
    return comparison.folder.stat().st_ino


def test_nothing_but_the_outcome_is_left(lake: Lake, pair: tuple[str, str]) -> None:
    made = found(lake, pair)
    assert made.folder.parent == lake.root / "comparisons"
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "added.parquet",
        "changed.parquet",
        "key_duplicate.parquet",
        FILE_NAME,
        "removed.parquet",
    ]
    assert list(made.folder.parent.iterdir()) == [made.folder]


def test_the_same_question_finds_the_same_answer_from_any_process(lake: Lake, pair: tuple[str, str]) -> None:
    made = found(lake, pair)
    again = compare(Lake(lake.root), *pair)
    assert (again, inode(again)) == (made, inode(made))
    assert again.contract() == made.contract()
    assert store.find(lake, made.manifest.comparison_id) == made
    back = compare(lake, pair[1], pair[0])
    assert (back.number(Kind.ADDED), back.rows(Kind.ADDED)["item_code"].to_list()) == (1, ["gone"])


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    stamp = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))


HARMED = [(harm, kind.file) for kind in Kind for harm in (cut, flip, Path.unlink)]


@pytest.mark.parametrize(("harm", "name"), [*HARMED, (cut, FILE_NAME), (Path.unlink, FILE_NAME)])
def test_a_damaged_comparison_is_not_believed_and_made_again(
    lake: Lake, pair: tuple[str, str], harm: Callable[[Path], None], name: str
) -> None:
    made = found(lake, pair)
    before = made.contract()
    harm(made.folder / name)
    assert store.find(lake, made.manifest.comparison_id) is None
    assert found(lake, pair).contract() == before


def test_a_manifest_of_another_comparison_is_not_believed(lake: Lake, pair: tuple[str, str]) -> None:
    made, other = found(lake, pair), compare(lake, *pair, ignore=())
    other_asked = msgspec.structs.replace(made.manifest, asked=other.manifest.asked)
    for told in (other.manifest, other_asked, msgspec.structs.replace(made.manifest, version=0)):
        (made.folder / FILE_NAME).write_bytes(msgspec.json.encode(told))
        assert store.find(lake, made.manifest.comparison_id) is None
    (made.folder / FILE_NAME).write_bytes(msgspec.json.encode(made.manifest))
    assert store.find(lake, made.manifest.comparison_id) == made


@pytest.mark.parametrize("text", ["", "nope", "../../positions", "cmp-" + "0" * 32, "cmp-" + "g" * 32])
def test_what_is_not_there_is_not_found(lake: Lake, text: str) -> None:
    assert store.find(lake, text) is None


def test_a_deleted_or_damaged_snapshot_is_named_though_the_comparison_is_there(
    lake: Lake, pair: tuple[str, str]
) -> None:
    found(lake, pair)
    part = lake.root / "positions" / pair[0] / "part-00000.parquet"
    cut(part)
    with pytest.raises(SnapshotDamaged, match=f"Snapshot {pair[0]} of positions is damaged"):
        found(lake, pair)
    with pytest.raises(SnapshotNotFound, match="Snapshot 20200101T000000000Z-00000000 of positions is not in the lake"):
        compare(lake, "20200101T000000000Z-00000000", pair[1])


def test_a_comparison_that_fails_leaves_nothing(lake: Lake, pair: tuple[str, str]) -> None:
    told = found(lake, pair).manifest
    nowhere = [lake.root / "positions" / "nowhere.parquet"]
    sides = store.Sides(told.baseline, nowhere, told.comparison, nowhere)
    with pytest.raises(RemovedMeanwhile):
        store.make(lake, msgspec.structs.replace(told.asked, ignored=()), sides, {})
    assert len(list((lake.root / "comparisons").iterdir())) == 1


def test_one_that_is_stopped_leaves_nothing_and_is_made_when_it_is_asked_for_again(
    lake: Lake, pair: tuple[str, str]
) -> None:
    watch = Watch()
    watch.stop()
    with pytest.raises(Stopped):
        compare(lake, *pair, watch=watch)
    assert (list((lake.root / "comparisons").iterdir()), compared(lake, *pair)) == ([], False)
    watch = Watch()
    compare(lake, *pair, watch=watch)
    assert (compared(lake, *pair), 0.8 <= watch.done <= 1.0) == (True, True)


def test_a_stop_interrupts_what_is_under_way() -> None:
    watch = Watch()
    with duckdb.connect() as connection, watch.over(connection), pytest.raises(duckdb.InterruptException):
        watch.stop()
        connection.execute(ENDLESS)


def test_what_nobody_has_looked_at_for_long_is_swept_away(lake: Lake, pair: tuple[str, str]) -> None:
    old, used = found(lake, pair), compare(lake, *pair, ignore=())
    draft = lake.root / "comparisons" / ".draft-of-a-killed-one"
    draft.mkdir()
    now = datetime.now(UTC)
    past = (now - timedelta(days=31)).timestamp()
    for path in (old.folder / FILE_NAME, used.folder / FILE_NAME, draft):
        os.utime(path, (past, past))
    assert store.find(lake, used.manifest.comparison_id) == used  # looks at it
    assert store.sweep(lake, now) == [draft, old.folder]
    assert (old.folder.exists(), used.folder.exists(), draft.exists()) == (False, True, False)


def test_pages_of_any_size_are_the_rows_in_order(lake: Lake, pair: tuple[str, str], tmp_path: Path) -> None:
    made = found(lake, pair)
    total = 2 * ROWS_PER_GROUP + 7
    rows = pl.DataFrame({"item_code": [f"{number:08}" for number in range(total)]})
    path = made.folder / Kind.REMOVED.file
    rows.write_parquet(path, row_group_size=ROWS_PER_GROUP)
    for skip, limit in [(0, 1), (ROWS_PER_GROUP - 1, 2), (ROWS_PER_GROUP, 5), (5, 2 * ROWS_PER_GROUP), (total - 1, 9)]:
        assert made.rows(Kind.REMOVED, skip, limit).equals(rows.slice(skip, limit)), (skip, limit)
    assert made.rows(Kind.REMOVED, total, 1).height == made.rows(Kind.REMOVED, 2**53, 1).height == 0
    assert made.rows(Kind.REMOVED, 0, 0).columns == ["item_code"]
    assert made.rows(Kind.REMOVED).equals(rows)
    assert pl.concat(made.batches(Kind.REMOVED)).equals(rows)


def test_large_comparisons_are_sorted_and_cut_into_groups(lake: Lake, pair: tuple[str, str], tmp_path: Path) -> None:
    told = found(lake, pair).manifest
    number, order = 50_000, pl.int_range(50_000).shuffle(seed=1)
    codes = pl.select(item_code=order.cast(pl.String).str.zfill(6)).with_columns(rack_id=pl.lit("R"), bin=pl.lit(None))
    for name, quantity in (("before", 1.0), ("after", 2.0)):
        codes.with_columns(qty=pl.lit(quantity)).write_parquet(tmp_path / f"{name}.parquet")
    question = msgspec.structs.replace(told.asked, query={"made": "here"})
    before, after = [tmp_path / "before.parquet"], [tmp_path / "after.parquet"]
    made = store.make(lake, question, store.Sides(told.baseline, before, told.comparison, after), {})
    assert made.number(Kind.CHANGED) == number
    assert made.rows(Kind.CHANGED)["item_code"].to_list() == [f"{each:06}" for each in range(number)]
    assert made.rows(Kind.CHANGED, 30_000, 1)["item_code"].to_list() == ["030000"]
