"""Which snapshot is shown, and how current it is."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics.lake import Freeze
from dashboard.picker import Choice, Freshness, SnapshotGone, choose, freshness, previous

NOW = datetime(2026, 1, 31, 18, 0, tzinfo=UTC)


def freeze(minutes: int) -> Freeze:
    """A snapshot that is so old."""
    at = NOW - timedelta(minutes=minutes)
    return Freeze(snapshot_id=f"{at:%Y%m%dT%H%M%S}000Z-00000000", name="", as_of=at, created_at=at, rows=1)


NEW, MIDDLE, OLD = freeze(1), freeze(20), freeze(60)
KNOWN = (NEW, MIDDLE, OLD)


def test_without_a_wish_the_newest_is_shown() -> None:
    assert choose(KNOWN, "") == Choice(NEW, KNOWN)


def test_the_one_that_was_asked_for_is_shown() -> None:
    choice = choose(KNOWN, MIDDLE.snapshot_id)
    assert (choice.freeze, choice.newest, choice.previous) == (MIDDLE, NEW, OLD)


def test_one_that_is_not_there_is_refused_and_named() -> None:
    with pytest.raises(SnapshotGone, match="no snapshot 'elsewhere'"):
        choose(KNOWN, "elsewhere")


def test_the_oldest_has_none_before_it() -> None:
    assert previous(KNOWN, OLD) is None


@pytest.mark.parametrize(
    ("shown", "interval", "label"),
    [(NEW, 900, "Latest"), (MIDDLE, 900, "Not the latest"), (NEW, 29, "Stale"), (NEW, 30, "Latest")],
)
def test_freshness(shown: Freeze, interval: int, label: str) -> None:
    found = freshness(Choice(shown, KNOWN), NOW, interval)
    assert found.label == label
    assert bool(found.hint) is (label != "Latest")


def test_the_latest_says_when_a_newer_one_cannot_be_read() -> None:
    found = freshness(Choice(MIDDLE, (MIDDLE, OLD)), NOW, 900, [NEW.snapshot_id])
    assert (found.label, NEW.snapshot_id in found.hint) == ("Latest that can be read", True)
    assert freshness(Choice(NEW, KNOWN), NOW, 900, [MIDDLE.snapshot_id]).label == "Latest"


def test_a_stale_snapshot_says_what_was_due() -> None:
    assert freshness(Choice(NEW, (NEW,)), NOW + timedelta(hours=1), 900) == Freshness(
        "Stale", "red", "Snapshots are due every 15 minutes, and none has come since: tell whoever runs StockVerify."
    )
