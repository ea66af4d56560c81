"""Which snapshot a page shows. Every page draws from exactly one, names it, and has it in its address."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from analytics.lake import Freeze
from stockverify.errors import NotFound


class SnapshotGone(NotFound):
    """There is no snapshot {snapshot_id!r} here. The link may be mistyped or of another installation, or the snapshot
    was removed. Show the latest one instead."""


class Choice(NamedTuple):
    """The snapshot that is shown, among all there are, newest first."""

    freeze: Freeze
    known: tuple[Freeze, ...]

    @property
    def newest(self) -> Freeze:
        """The latest one there is."""
        return self.known[0]

    @property
    def previous(self) -> Freeze | None:
        """The one before the one that is shown."""
        return previous(self.known, self.freeze)


class Freshness(NamedTuple):
    """How current a snapshot is, in two words and in a sentence."""

    label: str
    color: Literal["green", "orange", "red"]
    hint: str


def choose(known: Sequence[Freeze], asked: str) -> Choice:
    """The snapshot that was asked for, or the newest. `known` is not empty. Raises SnapshotGone."""
    if not asked:
        return Choice(known[0], tuple(known))
    found = next((freeze for freeze in known if freeze.snapshot_id == asked), None)
    if found is None:
        raise SnapshotGone(snapshot_id=asked[:80])
    return Choice(found, tuple(known))


def previous(known: Sequence[Freeze], freeze: Freeze) -> Freeze | None:
    """The newest one that is older than `freeze`."""
    return next((other for other in known if other.snapshot_id < freeze.snapshot_id), None)


def freshness(choice: Choice, now: datetime, interval: int, unreadable: Sequence[str] = ()) -> Freshness:
    """Stale is the newest snapshot after more than two intervals without another one: then the worker has a problem.
    `unreadable` are the ids of those that are left out, newest first."""
    if choice.freeze != choice.newest:
        return Freshness("Not the latest", "orange", "A newer snapshot exists; choose it above to see it.")
    if unreadable and unreadable[0] > choice.freeze.snapshot_id:
        hint = f"A newer snapshot, {unreadable[0]}, cannot be read: `stockverify doctor` says what is wrong with it."
        return Freshness("Latest that can be read", "orange", hint)
    if now - choice.freeze.as_of > 2 * timedelta(seconds=interval):
        hint = f"Snapshots are due every {_span(interval)}, and none has come since: tell whoever runs StockVerify."
        return Freshness("Stale", "red", hint)
    return Freshness("Latest", "green", "")


def _span(seconds: int) -> str:
    return f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"
