"""Tests with a bound of seconds run alone, though the suite runs in several processes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, flock
from pathlib import Path


@contextmanager
def turn(folder: Path, alone: bool) -> Iterator[None]:
    """Together with others, or alone, until the end of the block; all who share the folder take turns.

    Whoever waits for the room to be empty keeps the door shut, so that nobody else comes in meanwhile.
    """
    with (folder / "door").open("w") as door, (folder / "room").open("w") as room:
        flock(door, LOCK_EX)
        try:
            flock(room, LOCK_EX if alone else LOCK_SH)
        finally:
            flock(door, LOCK_UN)
        try:
            yield
        finally:
            flock(room, LOCK_UN)  # closing is not enough: children that were forked may hold it open


class Turns:
    """The turns of one process, test by test. Tests that run alone, one after the other, have the room between them
    too: nobody comes in whom the next one would have to wait for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = ExitStack()
        self._kept = False

    def begin(self, alone: bool) -> None:
        """Come in, unless this process has kept the room."""
        if not self._kept:
            self._turn.enter_context(turn(self._folder, alone))

    def end(self, keep: bool) -> None:
        """Go out; `keep` is for who runs alone before another one of this process that does."""
        self._kept = keep
        if not keep:
            self._turn.close()
