import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from analytics.lake import Lake
from analytics.lake.beside import figures_of
from analytics.lake.removing import gone
from analytics.lake.sweep import LEFTOVER_AGE, sweep
from tests.analytics.lake.frozen import AS_OF, ONE, TWO, freeze


def aged(path: Path, age: timedelta) -> Path:
    """Set a folder's time back."""
    moment = (AS_OF - age).timestamp()
    os.utime(path, (moment, moment))
    return path


def test_only_old_leftovers_are_removed(tmp_path: Path) -> None:
    freeze(tmp_path, ONE)
    freeze(tmp_path, TWO)
    shutil.rmtree(tmp_path / "positions" / TWO)
    old, young = LEFTOVER_AGE + timedelta(seconds=1), LEFTOVER_AGE - timedelta(seconds=1)
    draft, fresh = (tmp_path / "positions" / f".draft-{TWO}-{pid}" for pid in (1, 2))
    draft.mkdir()
    fresh.mkdir()
    unfinished = [aged(tmp_path / name / TWO, old) for name in ("verification_records", "verification_sessions")]
    for name in ("verification_records", "positions"):
        aged(tmp_path / name / ONE, old)
    aged(tmp_path / "erp_items" / TWO, young)
    aged(fresh, young)
    aged(draft, old)
    assert sweep(tmp_path, AS_OF) == [*unfinished, draft]
    assert sweep(tmp_path, AS_OF) == []
    assert not draft.exists()
    assert fresh.exists()
    assert (tmp_path / "erp_items" / TWO).exists()
    assert not any(path.exists() for path in unfinished)
    assert [found.snapshot_id for found in Lake(tmp_path).freezes()] == [ONE]


def test_figures_of_a_snapshot_that_is_gone_go_too(tmp_path: Path) -> None:
    freeze(tmp_path, ONE)
    freeze(tmp_path, TWO)
    names = (f"{ONE}.figures", f"{TWO}.figures", f".{ONE}.figures.7.tmp")
    kept, orphan, draft = (figures_of(tmp_path, ONE).with_name(name) for name in names)
    kept.parent.mkdir()
    for path in (kept, orphan, draft):
        path.write_bytes(b"sums")
        aged(path, LEFTOVER_AGE + timedelta(seconds=1))
    (tmp_path / "positions" / TWO).rename(gone(tmp_path / "positions" / TWO))  # and there the removal was killed
    assert sweep(tmp_path, AS_OF) == [gone(tmp_path / "positions" / TWO), draft, orphan]
    assert list(kept.parent.iterdir()) == [kept]


def test_what_another_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    """A draft that got its final name between the two looks at it once failed the run that swept."""
    draft, done = (figures_of(tmp_path, ONE).with_name(name) for name in (f".{ONE}.figures.7.tmp", f"{ONE}.figures"))
    draft.parent.mkdir()
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            draft.write_bytes(b"sums")
            draft.rename(done)

    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(write)
        try:
            found = [sweep(tmp_path, AS_OF) for _ in range(3000)]
        finally:
            over.set()
        written.result(5)
    assert found == [[]] * 3000


def test_an_absent_lake_has_nothing_to_sweep(tmp_path: Path) -> None:
    assert sweep(tmp_path / "none", AS_OF) == []
