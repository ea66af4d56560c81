import os
import shutil
from datetime import timedelta
from pathlib import Path

from analytics.lake import Lake
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


def test_an_absent_lake_has_nothing_to_sweep(tmp_path: Path) -> None:
    assert sweep(tmp_path / "none", AS_OF) == []
