import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from analytics.compare import Kind, compare
from analytics.compare.store import find
from analytics.lake import Lake, verify
from analytics.lake.publish import AlreadyPublished, Head, publish
from analytics.lake.reports import ReportNotStored, Reports
from analytics.schema import arrow_schema
from stockverify.datasets import ITEMS, POSITIONS
from tests.analytics.lake.frozen import (
    AS_OF,
    LINE,
    ONE,
    REPORT,
    TWO,
    freeze,
    positions,
    report,
    rows,
    two_and_half_an_answer,
)

THREE = "20260131T200000000Z-00000003"
HEAD = Head(snapshot_id=ONE, name="", as_of=AS_OF, created_at=AS_OF)


@pytest.mark.parametrize(("deed", "lines"), [("freeze", 1), pytest.param("follow", 2, marks=pytest.mark.faults)])
def test_a_writer_killed_at_any_step_leaves_a_whole_snapshot_or_none(tmp_path: Path, deed: str, lines: int) -> None:
    seen = []
    for step, lake in enumerate(killed(tmp_path, deed)):
        found = [taken.snapshot_id for taken in lake.freezes()]
        assert found in ([ONE], [TWO, ONE]), step
        assert verify(lake.root) == []
        seen.append(len(found))
        for snapshot_id in found:
            assert len(positions(lake, snapshot_id)) == (lines if snapshot_id == TWO else 1)
        if step % 10 == 0:
            freeze(lake.root, THREE)
            assert [taken.snapshot_id for taken in lake.freezes()] == [THREE, *found]
    assert (len(seen) > 20, seen, set(seen)) == (True, sorted(seen), {1, 2})


def killed(tmp_path: Path, deed: str) -> Iterator[Lake]:
    """What a deed leaves behind that is killed at its first operation, at its second …, and one that is not."""
    command = [sys.executable, "-m", "tests.analytics.lake.frozen", str(tmp_path), deed]
    steps = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return (Lake(tmp_path / str(step)) for step in range(steps + 1))


def test_a_report_killed_at_any_step_is_whole_or_not_there(tmp_path: Path) -> None:
    seen = []
    for lake in killed(tmp_path, "report"):
        kept = Reports(lake.root)
        try:
            [path] = kept.files(REPORT.report_id)
        except ReportNotStored:
            seen.append(False)
            assert report(lake.root).rows == 2
            [path] = kept.files(REPORT.report_id)
        else:
            seen.append(True)
        assert pl.read_parquet(path)["item_code"].to_list() == ["a", "b"]
    assert (len(seen) > 8, seen, seen[0], seen[-1]) == (True, sorted(seen), False, True)


@pytest.mark.faults
def test_a_comparison_killed_at_any_step_is_whole_or_made_again(tmp_path: Path) -> None:
    """It takes the place of one that is damaged."""
    comparison_id = compare(Lake(_two(tmp_path / "asked")), ONE, TWO).manifest.comparison_id
    seen = []
    for lake in killed(tmp_path / "killed", "compare"):
        found = find(lake, comparison_id)
        seen.append(found is not None)
        for told in (found, compare(lake, ONE, TWO)):
            if told:
                counts = [told.number(kind) for kind in (Kind.ADDED, Kind.REMOVED, Kind.CHANGED)]
                assert (counts, told.rows(Kind.ADDED)["item_code"].to_list()) == ([1, 0, 1], ["new"])
    assert (len(seen) > 20, seen, seen[0], seen[-1]) == (True, sorted(seen), False, True)


def _two(root: Path) -> Path:
    two_and_half_an_answer(root)
    return root


def test_what_is_published_is_never_edited(tmp_path: Path) -> None:
    freeze(tmp_path, ONE)
    with pytest.raises(AlreadyPublished, match=f"Snapshot {ONE} of erp_items is published already"):
        publish(tmp_path, ITEMS, HEAD, [rows(ITEMS)], {}, {})


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        publish(tmp_path, ITEMS, HEAD, (rows(ITEMS, {"book_qty": 1 / left}) for left in (1, 0)), {}, {})
    assert list((tmp_path / "erp_items").iterdir()) == []


def test_large_datasets_are_cut_into_parts(tmp_path: Path) -> None:
    batches = [rows(ITEMS, LINE | {"item_code": str(number)}) for number in range(5)]
    done = publish(tmp_path, ITEMS, HEAD, batches, {}, {}, rows_per_part=2)
    assert [(part.name, part.rows) for part in done.manifest.files] == [
        ("part-00000.parquet", 2),
        ("part-00001.parquet", 2),
        ("part-00002.parquet", 1),
    ]
    assert done.manifest.rows == 5
    assert pl.read_parquet(list(done.paths))["item_code"].to_list() == ["0", "1", "2", "3", "4"]


def test_parts_that_fill_exactly_leave_no_empty_one(tmp_path: Path) -> None:
    done = publish(tmp_path, ITEMS, HEAD, [rows(ITEMS, LINE)] * 4, {}, {}, rows_per_part=2)
    assert [part.rows for part in done.manifest.files] == [2, 2]
    assert {path.name for path in done.paths[0].parent.iterdir()} == {
        "part-00000.parquet",
        "part-00001.parquet",
        "manifest.json",
    }


def test_an_empty_dataset_keeps_its_columns(tmp_path: Path) -> None:
    done = publish(tmp_path, POSITIONS, HEAD, [], {}, {})
    assert pl.read_parquet(done.paths[0]).columns == list(POSITIONS.names)
    assert arrow_schema(POSITIONS).names == list(POSITIONS.names)
