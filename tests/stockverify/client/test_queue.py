"""The offline queue: what is kept, what travels, and what an answer settles."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockverify.client.problems import BadCount, UnknownCount
from stockverify.client.queue import Queue
from stockverify.client.records import Accepted, Conflict, Counts, NotTaken, Outcome, SetAside, State
from stockverify.client.storage import DiskFull, Storage
from stockverify.wire.sync import SyncRecord
from tests.stockverify.client.conftest import a_record


def state_of(queue: Queue, name: str = "c-1") -> tuple[int, State, int, str | None]:
    entry = queue.entry(name)
    return entry.revision, entry.state, entry.attempts, entry.last_error


def settle(queue: Queue, outcome: Outcome) -> None:
    """Send what waits and answer the same for each."""
    batch = queue.take(100)
    queue.settle(batch, {each.client_record_id: outcome for each in batch})


def test_a_count_travels_as_the_json_of_its_record(queue: Queue) -> None:
    queue.add([a_record(1)])
    (sending,) = queue.take(10)
    assert msgspec.json.decode(sending.content, type=SyncRecord) == a_record(1)
    assert (sending.client_record_id, sending.revision, sending.attempts) == ("c-1", 1, 0)


def test_what_is_added_without_a_revision_travels_with_one(queue: Queue) -> None:
    queue.add([msgspec.structs.replace(a_record(1), revision=None)])
    assert msgspec.json.decode(queue.take(1)[0].content)["revision"] == 1


def test_two_batches_never_carry_the_same_count(queue: Queue) -> None:
    queue.add([a_record(number) for number in range(5)])
    batches = [[each.client_record_id for each in queue.take(2)] for _ in range(4)]
    assert batches == [["c-0", "c-1"], ["c-2", "c-3"], ["c-4"], []]
    assert queue.counts() == Counts(queued=0, in_flight=5)


def test_what_is_given_back_travels_again_in_the_same_order(queue: Queue) -> None:
    queue.add([a_record(number) for number in range(3)])
    first = queue.take(2)
    queue.give_back(first)
    assert [each.client_record_id for each in queue.take(3)] == ["c-0", "c-1", "c-2"]


def test_a_late_second_giving_back_does_not_touch_the_next_flight(queue: Queue) -> None:
    queue.add([a_record(1)])
    first = queue.take(1)
    queue.give_back(first)
    second = queue.take(1)
    queue.give_back(first)
    assert queue.take(1) == ()
    queue.give_back(second)
    assert queue.take(1) == first


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Accepted(), (1, State.ACKED, 0, None)),
        (SetAside("rack_locked", "Taken.", {}), (1, State.CONFLICT, 0, "Taken.")),
        (NotTaken("Not readable."), (1, State.QUEUED, 1, "Not readable.")),
    ],
)
def test_an_outcome_settles_the_count(queue: Queue, outcome: Outcome, expected: object) -> None:
    queue.add([a_record(1)])
    settle(queue, outcome)
    assert state_of(queue) == expected


@pytest.mark.parametrize("outcome", [Accepted(), SetAside("rack_locked", "Taken.", {}), NotTaken("Not readable.")])
def test_a_count_edited_while_it_travels_is_sent_again_whatever_the_answer(queue: Queue, outcome: Outcome) -> None:
    queue.add([a_record(1, qty=5)])
    batch = queue.take(1)
    queue.revise(a_record(1, qty=7, revision=2))
    assert queue.take(1) == (), "its first revision still travels"
    queue.settle(batch, {"c-1": outcome})
    assert state_of(queue) == (2, State.QUEUED, 0, None)
    (again,) = queue.take(1)
    assert (again.revision, msgspec.json.decode(again.content)["verified_qty"]) == (2, 7.0)


def test_a_record_without_an_outcome_goes_back_to_the_queue(queue: Queue) -> None:
    queue.add([a_record(1), a_record(2)])
    batch = queue.take(2)
    queue.settle(batch, {"c-2": Accepted()})
    assert queue.counts() == Counts(queued=1, acked=1)


def test_a_count_is_parked_after_five_refusals_and_sent_when_asked_for(queue: Queue) -> None:
    queue.add([a_record(1)])
    states = []
    for _ in range(5):
        settle(queue, NotTaken("Not readable."))
        states.append(state_of(queue)[1:3])
    assert states == [(State.QUEUED, n) for n in (1, 2, 3, 4)] + [(State.PARKED, 5)]
    assert (queue.take(1), queue.counts()) == ((), Counts(parked=1))
    queue.retry_parked()
    assert state_of(queue) == (1, State.QUEUED, 0, "Not readable.")


@pytest.mark.parametrize("outcome", [Accepted(), SetAside("rack_locked", "Taken.", {})])
def test_an_edit_queues_a_settled_count_again(queue: Queue, outcome: Outcome) -> None:
    queue.add([a_record(1)])
    settle(queue, outcome)
    queue.revise(a_record(1, qty=9, revision=2), unconfirmed=True)
    assert state_of(queue) == (2, State.QUEUED, 0, None)
    assert queue.entry("c-1").unconfirmed is True


def test_an_older_revision_changes_nothing(queue: Queue) -> None:
    queue.add([a_record(1, qty=9, revision=4)])
    queue.revise(a_record(1, qty=1, revision=4))
    assert queue.entry("c-1").record == a_record(1, qty=9, revision=4)


def test_conflicts_are_kept_apart_with_the_reason_of_the_service(queue: Queue) -> None:
    queue.add([a_record(1)])
    settle(queue, SetAside("duplicate_serial", "Counted before.", {"fields": [1]}))
    queue.revise(a_record(1, revision=2))
    settle(queue, Accepted())
    assert queue.conflicts() == [Conflict("c-1", 1, "duplicate_serial", "Counted before.", {"fields": [1]})]
    assert queue.counts() == Counts(acked=1)


def test_all_or_none_of_several_counts_are_kept(queue: Queue) -> None:
    queue.add([a_record(1)])
    with pytest.raises(BadCount, match="on this device already"):
        queue.add([a_record(2), a_record(1)])
    assert [entry.client_record_id for entry in queue.entries()] == ["c-1"]


@pytest.mark.parametrize(
    ("item", "reason"),
    [("", "Expected `str` of length >= 1 - at `item_code`"), ("\ud800", "surrogates not allowed")],
)
def test_what_could_not_be_read_again_is_not_kept(queue: Queue, item: str, reason: str) -> None:
    with pytest.raises(BadCount, match=reason):
        queue.add([a_record(1), a_record(2, item)])
    queue.add([a_record(1)])
    with pytest.raises(BadCount, match=reason):
        queue.revise(a_record(1, item, revision=2))
    assert queue.entry("c-1").record == a_record(1)


def test_an_unknown_count_cannot_be_edited(queue: Queue) -> None:
    with pytest.raises(UnknownCount):
        queue.revise(a_record(1, revision=2))


def test_acknowledged_counts_can_be_cleared_away_and_nothing_else(queue: Queue) -> None:
    queue.add([a_record(number) for number in range(6)])
    batch = queue.take(5)
    kept_aside: dict[str, Outcome] = {"c-4": SetAside("rack_locked", "Taken.", {})}
    queue.settle(batch, kept_aside | {f"c-{number}": Accepted() for number in range(4)})
    assert (queue.prune_acked(keep=1), queue.prune_acked(keep=1)) == (3, 0)
    assert [entry.client_record_id for entry in queue.entries()] == ["c-3", "c-4", "c-5"]


def test_a_full_disk_is_said_and_leaves_nothing_half_written(queue: Queue, storage: Storage) -> None:
    queue.add([a_record(1)])
    storage.rows("PRAGMA max_page_count = 12")
    with pytest.raises(DiskFull, match="Free some space"):
        queue.add([a_record(number, item="I" * 128) for number in range(2, 200)])
    assert [entry.client_record_id for entry in queue.entries()] == ["c-1"]
    storage.rows("PRAGMA max_page_count = 4000")
    queue.add([a_record(2)])
    assert queue.counts() == Counts(queued=2)


def test_a_full_disk_while_an_answer_is_written_down_sends_the_count_again(queue: Queue, storage: Storage) -> None:
    queue.add([a_record(1)])
    batch = queue.take(1)
    storage.rows(f"PRAGMA max_page_count = {storage.rows('PRAGMA page_count')[0][0]}")
    with pytest.raises(DiskFull):
        queue.settle(batch, {"c-1": SetAside("rack_locked", "x" * 100_000, {})})
    queue.give_back(batch)
    assert state_of(queue) == (1, State.QUEUED, 0, None)


WRITER = """
import sys
from pathlib import Path
from stockverify.client.queue import Queue
from stockverify.client.storage import Storage
from stockverify.wire.sync import SyncRecord
from tests.stockverify.client.conftest import a_record
queue = Queue(Storage(Path(sys.argv[1])), 5)
queue.take(100)
for number in range(int(sys.argv[2]), 10**6):
    queue.add([a_record(2 * number), a_record(2 * number + 1)])
    print(number, flush=True)
"""


def test_kill_9_in_the_middle_of_counting_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    path, start = tmp_path / "device.sqlite", 0
    for kept in (7, 1, 23):
        command = [sys.executable, "-c", WRITER, str(path), str(start)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as writer:
            assert writer.stdout
            told = [int(writer.stdout.readline()) for _ in range(kept)]
            os.kill(writer.pid, signal.SIGKILL)
            told += [int(line) for line in writer.stdout.read().split()]
        storage = Storage(path)
        queue = Queue(storage, 5)
        names = [entry.client_record_id for entry in queue.entries()]
        storage.close()
        start = len(names) // 2
        assert names == [f"c-{number}" for number in range(2 * start)], "whole pairs, in order, none twice"
        assert told[-1] < start <= told[-1] + 2, "everything that was told is there"


@given(
    st.lists(st.tuples(st.sampled_from(["add", "take", "ok", "conflict", "error", "back", "edit"]), st.integers(0, 9)))
)
def test_no_sequence_of_events_loses_a_count(steps: list[tuple[str, int]]) -> None:
    outcomes = {"ok": Accepted(), "conflict": SetAside("x", "y", {}), "error": NotTaken("z")}
    with tempfile.TemporaryDirectory() as folder:
        storage = Storage(Path(folder) / "device.sqlite")
        queue, added, flying = Queue(storage, 2), 0, [()]
        for what, place in steps:
            if what == "add":
                queue.add([a_record(added)])
                added += 1
            elif what == "take":
                flying.append(queue.take(place))  # type: ignore[arg-type]
            elif what == "edit" and added:
                before = queue.entry(f"c-{place % added}")
                queue.revise(a_record(place % added, revision=before.revision + 1))
            elif what == "back":
                queue.give_back(flying.pop() if flying else ())
            elif what in outcomes and flying:
                batch = flying.pop()
                queue.settle(batch, {each.client_record_id: outcomes[what] for each in batch})  # type: ignore[attr-defined]
            counts = queue.counts()
            assert min(counts) >= 0
            assert sum(counts) == added == len(queue.entries())
        storage.close()
