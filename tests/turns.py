"""Tests with a bound of seconds run alone, though the suite runs in several processes."""

from collections.abc import Iterator
from contextlib import contextmanager
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
