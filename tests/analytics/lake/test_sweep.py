import os
import shutil
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


def test_an_absent_lake_has_nothing_to_sweep(tmp_path: Path) -> None:
    assert sweep(tmp_path / "none", AS_OF) == []
