"""Sending: batches, pauses, refusals and reconnection, over real sockets and a clock that waits only in name."""

import asyncio
import dataclasses
import random
from collections import Counter
from collections.abc import Callable

import pytest

from stockverify.client.clockwork import Clockwork
from stockverify.client.problems import LoginNeeded, SyncStopped
from stockverify.client.queue import Queue
from stockverify.client.records import Conflict, Counts, Progress, State
from stockverify.client.storage import Storage
from stockverify.client.sync import body
from tests.stockverify.client.conftest import Clock, a_record, wired
from tests.stockverify.client.scripted import (
    Answer,
    Dropped,
    Request,
    Scripted,
    accept,
    answering,
    busy,
    commit_and_drop,
    problem,
    reply,
)


def fill(queue: Queue, count: int, **items: str) -> None:
    """Counts c-0, c-1 and so on; `c_3="BAD"` gives one of them another item."""
    queue.add([a_record(number, items.get(f"c_{number}", "ITEM")) for number in range(count)])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for lies behind a socket
            await asyncio.sleep(0.005)


class Frozen(Clock):
    """A clock on which no pause ever ends by itself."""

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.Event().wait()


async def test_everything_is_sent_in_batches_of_a_hundred_and_acknowledged(
    queue: Queue, scripted: Scripted, clock: Clock
) -> None:
    fill(queue, 250)
    async with wired(queue, scripted, clock) as wire:
        assert await wire.sync.drain() == Progress(acked=250)
    assert sorted(len(batch) for batch in scripted.batches) == [50, 100, 100]
    assert len(scripted.stored) == 250
    assert clock.slept == []


async def test_two_batches_at_most_are_in_flight_and_they_share_no_record(
    queue: Queue, scripted: Scripted, clock: Clock
) -> None:
    fill(queue, 60)
    scripted.gate.clear()
    async with wired(queue, scripted, clock, batch_size=10) as wire:
        await until(lambda: scripted.active == 2)
        wire.sync.written()
        await asyncio.sleep(0.05)
        assert (len(scripted.batches), wire.sync.progress) == (2, Progress(queued=40, in_flight=20))
        scripted.gate.set()
        await wire.sync.drain()
    sent = Counter(name for batch in scripted.batches for name in batch)
    assert (scripted.peak, set(sent.values()), len(sent)) == (2, {1}, 60)


async def test_a_reply_dropped_after_the_commit_is_replayed_once(
    queue: Queue, scripted: Scripted, clock: Clock
) -> None:
    fill(queue, 3)
    scripted.script.append(commit_and_drop)
    async with wired(queue, scripted, clock) as wire:
        assert await wire.sync.drain() == Progress(acked=3)
    assert scripted.batches == [["c-0", "c-1", "c-2"]] * 2
    first, second = (call.json for call in scripted.calls("/api/sync/batch"))
    assert first["records"] == second["records"]
    assert first["batch_id"] != second["batch_id"]
    lost = f"The service at {scripted.url} cannot be reached (Server disconnected without sending a response.)."
    lost += " What you count is kept and sent later."
    assert wire.seen == [
        Progress(in_flight=3),
        Progress(queued=3, last_error=lost, offline=True),
        Progress(in_flight=3, last_error=lost, offline=True),
        Progress(acked=3),
    ]


async def test_an_edit_in_flight_is_sent_as_the_next_revision(queue: Queue, scripted: Scripted, clock: Clock) -> None:
    fill(queue, 1)
    scripted.gate.clear()
    async with wired(queue, scripted, clock) as wire:
        await until(lambda: scripted.active == 1)
        queue.revise(a_record(0, qty=8.0, revision=2))
        wire.sync.written("c-0")
        scripted.gate.set()
        assert await wire.sync.drain() == Progress(acked=1)
    sent = [call.json["records"][0] for call in scripted.calls("/api/sync/batch")]
    assert [(record["revision"], record["verified_qty"]) for record in sent] == [(1, 5.0), (2, 8.0)]


@pytest.mark.parametrize(
    ("headers", "least"),
    [
        pytest.param({"retry_after": "7"}, 7.0, id="seconds"),
        pytest.param(
            {"retry_after": "Mon, 05 Jan 2026 08:00:40 GMT", "Date": "Mon, 05 Jan 2026 08:00:00 GMT"}, 40.0, id="date"
        ),
        pytest.param({"retry_after": "86400"}, 300.0, id="capped at five minutes"),
    ],
)
async def test_retry_after_is_honoured(
    queue: Queue, scripted: Scripted, clock: Clock, headers: dict[str, str], least: float
) -> None:
    fill(queue, 1)
    scripted.script.append(busy(**headers))
    async with wired(queue, scripted, clock) as wire:
        assert await wire.sync.drain() == Progress(acked=1)
    assert least <= sum(clock.slept) <= min(least + 2.0, 300.0)
    assert (queue.entry("c-0").attempts, len(scripted.batches)) == (0, 2)


async def test_pauses_grow_while_the_service_is_away_and_blame_no_record(
    queue: Queue, scripted: Scripted, clock: Clock
) -> None:
    fill(queue, 1)
    scripted.script.extend([answering(problem(503, "Away."))] * 12)
    async with wired(queue, scripted, clock) as wire:
        assert await wire.sync.drain() == Progress(acked=1)
    ceilings = [min(300.0, 2.0**n) for n in range(2, 14)]
    assert all(2.0 <= wait <= ceiling for wait, ceiling in zip(clock.slept, ceilings, strict=True))
    assert max(clock.slept) > 60


async def test_a_record_is_parked_after_five_refusals_and_the_others_pass(
    queue: Queue, scripted: Scripted, clock: Clock
) -> None:
    fill(queue, 4, c_1="BAD")
    scripted.refused.add("BAD")
    async with wired(queue, scripted, clock) as wire:
        assert await wire.sync.drain() == Progress(acked=3, parked=1, last_error="Not readable.")
    assert scripted.batches == [["c-0", "c-1", "c-2", "c-3"], ["c-1"], ["c-1"], ["c-1"], ["c-1"]]
    parked = queue.entry("c-1")
    assert (parked.state, parked.attempts, parked.last_error) == (State.PARKED, 5, "Not readable.")
    assert len(clock.slept) == 4
    assert all(2.0 <= wait <= 2.0**n for wait, n in zip(clock.slept, range(2, 6), strict=True))


async def test_a_refused_record_that_is_edited_is_sent_at_once(queue: Queue, scripted: Scripted) -> None:
    fill(queue, 1, c_0="BAD")
    scripted.refused.add("BAD")
    async with wired(queue, scripted, Frozen()) as wire:
        await until(lambda: wire.sync.progress == Progress(queued=1, last_error="Not readable."))
        wire.sync.written()
        await asyncio.sleep(0.05)
        assert len(scripted.batches) == 1, "another count does not hurry it"
        queue.revise(a_record(0, "GOOD", revision=2))
        wire.sync.written("c-0")
        await until(lambda: wire.sync.progress == Progress(acked=1))
    assert queue.entry("c-0").attempts == 0


async def test_conflicts_are_kept_apart_and_not_sent_again(queue: Queue, scripted: Scripted, clock: Clock) -> None:
    fill(queue, 3, c_2="TAKEN")
    scripted.kept_aside.add("TAKEN")
    async with wired(queue, scripted, clock) as wire:
        assert await wire.sync.drain() == Progress(acked=2, conflicts=1)
    assert queue.conflicts() == [Conflict("c-2", 1, "rack_locked", "Taken.", {"a": 1})]
    assert len(scripted.batches) == 1


async def test_a_batch_that_is_too_large_is_halved(queue: Queue, scripted: Scripted, clock: Clock) -> None:
    fill(queue, 16)
    scripted.largest = 5
    async with wired(queue, scripted, clock, batch_size=16) as wire:
        assert await wire.sync.drain() == Progress(acked=16)
    assert [len(batch) for batch in scripted.batches] == [16, 8, 4, 4, 8, 4, 4]
    assert clock.slept == []


async def test_one_poisonous_record_among_a_hundred_costs_only_itself(
    queue: Queue, scripted: Scripted, clock: Clock
) -> None:
    fill(queue, 100, c_61="POISON")
    scripted.poisonous.add("POISON")
    async with wired(queue, scripted, clock) as wire:
        answer = await wire.sync.drain()
    refused = "The service refused (400): The body is not a sync batch."
    assert answer == Progress(acked=99, parked=1, last_error=refused)
    assert [entry.client_record_id for entry in queue.entries() if entry.state is State.PARKED] == ["c-61"]
    assert len(scripted.stored) == 99
    assert len(scripted.batches) <= 1 + 2 * 7 + 4
    alone = [batch for batch in scripted.batches if batch == ["c-61"]]
    assert len(alone) == 5


async def test_a_record_that_breaks_the_service_lets_the_others_pass(
    queue: Queue, scripted: Scripted, clock: Clock
) -> None:
    fill(queue, 12, c_0="CRASH")

    async def crash(service: Scripted, request: Request) -> Answer:
        broken = any(record["item_code"] == "CRASH" for record in request.json["records"])
        return problem(500, "Something went wrong.") if broken else await accept(service, request)

    scripted.script.extend([crash] * 200)
    async with wired(queue, scripted, clock, batch_size=12) as wire:
        await until(lambda: queue.counts().acked == 11)
        assert queue.entry("c-0").attempts == 0
        scripted.script.clear()
        assert await wire.sync.drain() == Progress(acked=12)


async def test_a_link_too_slow_for_a_batch_gets_smaller_ones(queue: Queue, scripted: Scripted, clock: Clock) -> None:
    fill(queue, 8)

    async def slow(service: Scripted, request: Request) -> Answer:
        await asyncio.sleep(0.03 * len(request.json["records"]))
        return await accept(service, request)

    scripted.script.extend([slow] * 100)
    async with wired(queue, scripted, clock, batch_size=8, patience=0.15) as wire:
        assert await wire.sync.drain() == Progress(acked=8)
    assert len(scripted.batches[0]) == 8
    assert min(len(batch) for batch in scripted.batches) <= 4


async def test_a_record_that_the_reply_does_not_name_is_sent_again(
    queue: Queue, scripted: Scripted, clock: Clock
) -> None:
    fill(queue, 3)
    scripted.script.append(answering(reply({"ok": ["c-0", "c-2", "c-unknown"], "surprise": True})))
    async with wired(queue, scripted, clock) as wire:
        assert await wire.sync.drain() == Progress(acked=3)
    assert scripted.batches == [["c-0", "c-1", "c-2"], ["c-1"]]


async def test_a_reply_that_names_nothing_is_not_asked_for_again_at_once(
    queue: Queue, scripted: Scripted, clock: Clock
) -> None:
    fill(queue, 1)
    scripted.script.extend([answering(reply({}))] * 3)
    async with wired(queue, scripted, clock) as wire:
        assert await wire.sync.drain() == Progress(acked=1)
    assert (len(scripted.batches), sum(clock.slept) >= 6.0) == (4, True)


class Latest(random.Random):
    """Every wait is as long as it may be."""

    def uniform(self, a: float, b: float) -> float:
        return b


class Returning(Clock):
    """A clock on which the service comes back during the first long sleep."""

    def __init__(self, service: Scripted) -> None:
        super().__init__()
        self._service, self.back_at = service, 0.0

    async def sleep(self, seconds: float) -> None:
        if seconds > 20 and not self.back_at:
            await self._service.open()
            self.back_at = self.seconds
        await super().sleep(seconds)

    def work(self) -> Clockwork:
        return dataclasses.replace(super().work(), rng=Latest())


async def test_it_goes_on_after_a_reconnection_without_a_new_count(queue: Queue, scripted: Scripted) -> None:
    fill(queue, 2)
    await scripted.close()
    clock = Returning(scripted)
    async with wired(queue, scripted, clock) as wire:
        await until(lambda: wire.sync.progress == Progress(acked=2))
    assert clock.slept == [4.0, 8.0, 16.0, 22.5], "the fourth pause is 32 s, cut short by a probe"
    assert [each.path for each in scripted.requests] == ["/api/health", "/api/sync/batch"]


async def test_a_call_that_the_network_is_back_ends_the_pause(queue: Queue, scripted: Scripted) -> None:
    fill(queue, 2)
    await scripted.close()
    async with wired(queue, scripted, Frozen()) as wire:
        await until(lambda: wire.sync.progress.offline)
        await scripted.open()
        await asyncio.sleep(0.05)
        assert scripted.requests == []
        wire.sync.online()
        await until(lambda: queue.counts() == Counts(acked=2))


async def test_an_impatient_caller_is_told_when_trying_has_failed(queue: Queue, scripted: Scripted) -> None:
    fill(queue, 2)
    await scripted.close()
    async with wired(queue, scripted, Frozen()) as wire:
        progress = await asyncio.wait_for(wire.sync.drain(patient=False), 5)
        assert (progress.queued, progress.offline, progress.acked) == (2, True, 0)
        assert progress.last_error is not None
        assert progress.last_error.endswith("What you count is kept and sent later.")
        await scripted.open()
        assert await asyncio.wait_for(wire.sync.drain(patient=False), 5) == Progress(acked=2)


async def test_a_dead_login_stops_sending_until_there_is_a_new_one(
    queue: Queue, scripted: Scripted, clock: Clock
) -> None:
    fill(queue, 2)
    scripted.token, scripted.refresh_token = "token-7", "refresh-7"
    async with wired(queue, scripted, clock) as wire:
        with pytest.raises(LoginNeeded):
            await wire.sync.drain()
        wire.sync.written()
        await asyncio.sleep(0.05)
        assert (len(scripted.batches), queue.counts()) == (1, Counts(queued=2))


async def test_progress_is_told_at_every_change_and_only_then(queue: Queue, scripted: Scripted, clock: Clock) -> None:
    fill(queue, 3, c_1="TAKEN", c_2="BAD")
    scripted.kept_aside.add("TAKEN")
    scripted.refused.add("BAD")
    scripted.script.append(busy("5"))
    async with wired(queue, scripted, clock) as wire:
        await wire.sync.drain()
    busy_text, refused = "The service asks for a pause (503): MongoDB does not answer.", "Not readable."
    settled = {"acked": 1, "conflicts": 1, "last_error": refused}
    assert wire.seen == [
        Progress(in_flight=3),
        Progress(queued=3, last_error=busy_text),
        Progress(in_flight=3, last_error=busy_text),
        Progress(queued=1, **settled),
        *[Progress(in_flight=1, **settled), Progress(queued=1, **settled)] * 3,
        Progress(in_flight=1, **settled),
        Progress(parked=1, **settled),
    ]


async def test_a_full_disk_pauses_sending_and_goes_on_when_there_is_space(
    queue: Queue, storage: Storage, scripted: Scripted, clock: Clock
) -> None:
    fill(queue, 1)
    pages = storage.rows("PRAGMA page_count")[0][0]
    storage.rows(f"PRAGMA max_page_count = {pages}")
    kept = {"client_record_id": "c-0", "conflict_type": "rack_locked", "message": "m" * 90_000}
    scripted.script.extend([answering(reply({"conflicts": [kept]}))] * 500)
    async with wired(queue, scripted, clock) as wire:
        await until(lambda: "is full" in (wire.sync.progress.last_error or ""))
        storage.rows("PRAGMA max_page_count = 4000")
        assert (await wire.sync.drain()).conflicts == 1


async def test_after_the_end_waiting_is_an_error_and_nothing_is_in_flight(
    queue: Queue, scripted: Scripted, clock: Clock
) -> None:
    fill(queue, 2)
    scripted.gate.clear()
    async with wired(queue, scripted, clock) as wire:
        await until(lambda: scripted.active == 1)
    assert queue.counts() == Counts(queued=2)
    with pytest.raises(SyncStopped):
        await wire.sync.drain()


async def test_a_closing_connection_in_the_middle_is_no_refusal(queue: Queue, scripted: Scripted, clock: Clock) -> None:
    async def cut(service: Scripted, request: Request) -> Answer:
        raise Dropped

    fill(queue, 1)
    scripted.script.extend([cut] * 8)
    async with wired(queue, scripted, clock) as wire:
        assert await wire.sync.drain() == Progress(acked=1)
    assert (queue.entry("c-0").attempts, len(scripted.batches)) == (0, 9)


def test_a_batch_is_json_with_the_records_as_they_are(queue: Queue) -> None:
    fill(queue, 2)
    batch = queue.take(2)
    assert body(batch, "b-1") == (b'{"records":[' + batch[0].content + b"," + batch[1].content + b'],"batch_id":"b-1"}')
