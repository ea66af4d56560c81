"""Who runs alone waits for those who are in, and nobody comes in before or beside it, or between it and the next."""

from concurrent.futures import ThreadPoolExecutor
from fcntl import LOCK_NB, LOCK_SH, flock
from pathlib import Path

from tests.faults.stack import until
from tests.turns import Turns, turn


def shut(door: Path) -> bool:
    with door.open("w") as file:
        try:
            flock(file, LOCK_SH | LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_who_runs_alone_waits_for_the_others_and_keeps_the_next_out(tmp_path: Path) -> None:
    told: list[str] = []

    def come(name: str, alone: bool) -> None:
        with turn(tmp_path, alone):
            told.extend((f"{name} in", f"{name} out"))

    with ThreadPoolExecutor(3) as pool:
        with turn(tmp_path, alone=False):
            pool.submit(come, "together", alone=False).result()
            first = pool.submit(come, "alone", alone=True)
            until(lambda: shut(tmp_path / "door"))
            later = pool.submit(come, "later", alone=False)
            told.append("it leaves")
        first.result()
        later.result()
    assert told == ["together in", "together out", "it leaves", "alone in", "alone out", "later in", "later out"]


def test_nobody_comes_in_beside_who_runs_alone(tmp_path: Path) -> None:
    inside: list[str] = []

    def come() -> None:
        with turn(tmp_path, alone=False):
            inside.append("somebody")

    with ThreadPoolExecutor(1) as pool:
        with turn(tmp_path, alone=True):
            somebody = pool.submit(come)
            until(lambda: shut(tmp_path / "door"))
            assert inside == []
        somebody.result()


def test_nobody_comes_in_between_two_of_a_process_that_run_alone(tmp_path: Path) -> None:
    told: list[str] = []

    def come() -> None:
        with turn(tmp_path, alone=False):
            told.append("somebody")

    turns = Turns(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        for name, alone, keep in (("first", True, True), ("second", True, False), ("together", False, False)):
            turns.begin(alone)
            if name == "first":
                somebody = pool.submit(come)
                until(lambda: shut(tmp_path / "door"))
            told.append(name)
            turns.end(keep)
            if not keep:
                somebody.result()
    assert told == ["first", "second", "somebody", "together"]


def test_a_process_that_has_left_keeps_nobody_out(tmp_path: Path) -> None:
    turns = Turns(tmp_path)
    for alone, keep in ((True, True), (True, False), (False, False)):
        turns.begin(alone)
        turns.end(keep)
    with turn(tmp_path, alone=True):
        assert shut(tmp_path / "room")
    assert not shut(tmp_path / "room")
