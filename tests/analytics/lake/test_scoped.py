"""The lake as somebody sees it who may see some floors only."""

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from analytics.compare import Kind, compare
from analytics.figures import EXACT, Tolerance, keep, overview, stock_of, totals_of
from analytics.lake import Lake
from analytics.lake.manifest import SnapshotDamaged
from analytics.lake.removing import remove
from analytics.lake.scoped import ScopedLake, lake_within, opened, root_within
from analytics.lake.scopes import roots
from analytics.lake.store import SnapshotNotFound
from analytics.lake.sweep import sweep
from analytics.query import checked, run
from stockverify.datasets import DATASETS
from stockverify.wire.reports import QuerySpec
from tests.analytics.lake.frozen import AS_OF, LINE, ONE, TWO, freeze, positions


def line(floor: str | None, rack: str, item: str, book_qty: float = 3.0) -> dict[str, Any]:
    return LINE | {"floor": floor, "rack_id": rack, "item_code": item, "book_qty": book_qty}


ANOTHER = Tolerance(2.0)
STOCK = (line("Ground", "G1", "a"), line("First", "F1", "b"), line("Vault", "V1", "c"), line(None, "N1", "d"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A lake with two snapshots; in the second one a line of each floor has another book quantity."""
    lake = tmp_path / "lake"
    freeze(lake, ONE, *STOCK)
    freeze(lake, TWO, *(each | {"book_qty": 5.0} for each in STOCK))
    return lake


def racks(lake: Lake, snapshot_id: str = TWO) -> list[str]:
    return [row["rack_id"] for row in positions(lake, snapshot_id)]


def test_only_the_lines_of_the_floors_are_there(root: Path) -> None:
    whole = Lake(root)
    assert racks(ScopedLake(whole, ["Ground"])) == ["G1"]
    assert racks(ScopedLake(whole, ["Vault", "First", "Vault"])) == ["F1", "V1"]
    assert racks(ScopedLake(whole, ["ground", "", "Ground/../Vault"])) == [], "floors are names, compared as they are"
    assert len(racks(whole)) == 4
    assert lake_within(whole, ()) is whole


def test_every_dataset_that_can_be_asked_says_on_which_floor_a_line_is() -> None:
    assert [name for name, dataset in DATASETS.items() if dataset.column("floor") is None] == []


def test_counts_figures_queries_and_comparisons_are_those_of_the_floors(root: Path) -> None:
    seen = ScopedLake(Lake(root), ["Ground", "First"])
    assert [(each.snapshot_id, each.rows) for each in seen.freezes()] == [(TWO, 2), (ONE, 2)]
    assert (seen.freeze(TWO).rows, seen.manifest("erp_items", TWO).rows) == (2, 2)
    assert overview(seen, TWO, EXACT).totals.lines == 2
    spec = QuerySpec(collection="positions", aggregations={"book_qty": "sum"}, group_by=["floor"])
    assert [row["_id"] for row in run(seen, TWO, checked(spec)).rows()] == ["First", "Ground"]
    found, of_all = compare(seen, ONE, TWO), compare(Lake(root), ONE, TWO)
    assert (found.number(Kind.CHANGED), of_all.number(Kind.CHANGED)) == (2, 4)
    assert found.folder != of_all.folder


def test_a_trend_within_a_scope_is_read_from_the_figures_of_all_without_a_copy(root: Path) -> None:
    whole = Lake(root)
    scopes = [[*floors] for floors in (["Ground"], ["First", "Vault"], ["ground"], ["Nowhere"])]
    copied = [totals_of(ScopedLake(whole, floors), ONE, ANOTHER) for floors in scopes]
    assert [each.lines for each in copied] == [1, 2, 0, 0]
    keep(whole, TWO, ANOTHER)
    keep(whole, ONE, ANOTHER)
    remove_copies(root)
    for floors, expected in zip(scopes, copied, strict=True):
        seen = ScopedLake(whole, floors)
        assert (totals_of(seen, ONE, ANOTHER), stock_of(seen, ONE).lines) == (expected, expected.lines)
        assert not (seen.root / "positions").exists()
    assert totals_of(ScopedLake(whole, ["Ground"]), ONE, EXACT).lines == 1, "no other tolerance is taken for this one"
    next((root / "positions" / ONE).glob("*.parquet")).unlink()
    with pytest.raises(SnapshotDamaged):
        totals_of(ScopedLake(Lake(root), ["Vault"]), ONE, ANOTHER)


def remove_copies(root: Path) -> None:
    shutil.rmtree(root / "scopes")


def test_what_is_gone_from_the_lake_is_gone_for_all(root: Path) -> None:
    seen = ScopedLake(Lake(root), ["Ground"])
    assert racks(seen, ONE) == ["G1"]
    remove(root, ONE)
    with pytest.raises(SnapshotNotFound):
        seen.files("positions", ONE)
    assert seen.ids() == [TWO]
    assert not (seen.root / "positions" / ONE).exists()


def test_damage_of_the_whole_lake_and_of_a_copy_is_seen(root: Path) -> None:
    seen = ScopedLake(Lake(root), ["Ground"])
    (copy,) = seen.files("positions", TWO)
    copy.write_bytes(copy.read_bytes()[:-1] + b"x")
    with pytest.raises(SnapshotDamaged):
        ScopedLake(Lake(root), ["Ground"]).files("positions", TWO)
    (part,) = Lake(root).files("positions", ONE)
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    with pytest.raises(SnapshotDamaged):
        ScopedLake(Lake(root), ["Vault"]).files("positions", ONE)
    assert [each.snapshot_id for each in ScopedLake(Lake(root), ["Vault"]).freezes()] == [TWO, ONE], "others are listed"


def test_many_may_ask_for_the_first_time_at_once_and_it_is_copied_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, copied = ScopedLake._seen, []

    def seen(lake: ScopedLake, files: Sequence[Path]) -> Iterator[pa.Table]:
        copied.append(files)
        yield from copy(lake, files)

    monkeypatch.setattr(ScopedLake, "_seen", seen)
    lakes = [ScopedLake(Lake(root), ["Ground"]) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: racks(lakes[n // 4]), range(16))) == [["G1"]] * 16
    assert len(copied) == len(DATASETS)


def test_a_copy_that_was_broken_off_is_completed(root: Path) -> None:
    seen = ScopedLake(Lake(root), ["Ground"])
    seen.files("positions", TWO)
    (seen.root / "positions" / TWO).rename(seen.root / "positions" / f".draft-{TWO}-1")
    assert racks(ScopedLake(Lake(root), ["Ground"])) == ["G1"]
    assert [path.name for path in sweep(root, AS_OF.replace(year=2100))] == [f".draft-{TWO}-1"]


def test_the_folder_of_a_scope_is_opened_as_that_scope_and_as_nothing_else(root: Path) -> None:
    folder = root_within(root, ("Vault", "Ground"))
    assert folder == root_within(root, ("Ground", "Vault", "Ground"))
    found = opened(folder)
    assert (found.floors, found.root, racks(found)) == (("Ground", "Vault"), folder, ["G1", "V1"])
    assert (opened(root).floors, root_within(root, ())) == ((), root)
    assert list(roots(root)) == [folder]
    (folder / "floors.json").write_text('["Ground","First","Vault"]')
    with pytest.raises(ValueError, match="not the folder of the scope"):
        opened(folder)
    with pytest.raises(FileNotFoundError):
        opened(root / "scopes" / "0123")
