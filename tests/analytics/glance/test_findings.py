"""What somebody should look at is found once, and read from then on."""

from pathlib import Path

import pytest

from analytics.glance import findings, kept
from analytics.glance.attention import Doubts
from analytics.lake import Lake
from analytics.lake.beside import findings_of
from analytics.lake.manifest import SnapshotDamaged
from analytics.lake.removing import remove
from analytics.lake.scoped import ScopedLake
from tests.analytics.conftest import Take
from tests.analytics.stock import item, record

Found = tuple[Doubts, list[tuple[object, ...]], int]


def told(lake: Lake, snapshot_id: str) -> Found:
    lines = findings.biggest(lake, snapshot_id)
    return findings.doubts(lake, snapshot_id), lines.rows.rows(), lines.total


def test_what_is_kept_is_what_would_be_found(take: Take, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not as it was written, or was found otherwise, is found anew, and never shown."""
    lines = [item("R1", f"i{n}", 10, floor=f"F{n % 2}", unit_cost=n or None) for n in range(30)]
    counts = [record(f"c{n}", "R1", f"i{n}", n / 3, floor=f"F{n % 2}") for n in range(31)]
    first = take(erp_items=lines, verification_records=counts).snapshot_id
    found, fewer = told(lake, first), findings.biggest(lake, first, 3)
    assert (len(found[1]), found[0].not_in_book, found[0].without_cost) == (findings.BIGGEST, 1, 2)
    findings.keep(lake, first)
    place = findings_of(lake.root, first)
    searched = list[str]()

    def search(*_: object) -> None:
        searched.append("anew")
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(findings, "run_all", search)
        assert (told(lake, first), searched) == (found, [])
        for read in (lambda: told(ScopedLake(lake, ["F0"]), first), lambda: findings.biggest(lake, first, 3)):
            with pytest.raises(InterruptedError):
                read()
        good = place.read_bytes()
        for bad in (b"", good[:-1], good + b"x", good[:40] + bytes([good[40] ^ 1]) + good[41:]):
            place.write_bytes(bad)
            with pytest.raises(InterruptedError):
                told(lake, first)
        place.write_bytes(good)
        patch.setattr(kept, "_code", lambda: "another")
        with pytest.raises(InterruptedError):
            told(lake, first)
    assert findings.biggest(lake, first, 3).rows.equals(fewer.rows)
    _lose_a_file(lake, first)
    for read_one in (findings.doubts, findings.biggest):
        with pytest.raises(SnapshotDamaged):
            read_one(Lake(lake.root), first)
    remove(lake.root, first)
    assert not place.exists()


def _lose_a_file(lake: Lake, snapshot_id: str) -> Path:
    path = next((lake.root / "positions" / snapshot_id).glob("*.parquet"))
    path.unlink()
    return path
