"""Which batches go into one transaction, and what becomes of those that wait."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from pymongo.errors import NetworkTimeout

from ingest import outages
from ingest.sync.group_commit import GroupCommit
from ingest.sync.writes import Writes
from ingest.sync.writing import Decided
from stockverify.breaker import Breaker

NOW = datetime.now(UTC)


def batch(*racks: str, records: int = 1) -> Decided:
    return Decided(Writes(racks=set(racks)), {}, {"records": records})


class Written:
    """Takes down what was written together. Each time takes until it is let go; racks named `bad` fail."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.go = asyncio.Event()

    async def write(self, batches: Sequence[Decided]) -> bool:
        self.groups.append(["+".join(sorted(each.writes.racks)) for each in batches])
        await self.go.wait()
        racks = {rack for each in batches for rack in each.writes.racks}
        if "broken" in racks:
            raise NetworkTimeout("gone")
        return "bad" not in racks


async def outcomes(written: Written, *batches: Decided) -> list[bool | BaseException]:
    commits = GroupCommit(written.write)
    tasks = [asyncio.create_task(commits.written(each)) for each in batches]
    await asyncio.sleep(0)  # all of them wait now
    written.go.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_one_alone_waits_for_nobody_and_the_rest_go_together() -> None:
    written = Written()
    assert await outcomes(written, batch("A"), batch("B"), batch("C"), batch()) == [True] * 4
    assert written.groups == [["A"], ["B", "C", ""]]


async def test_two_of_one_rack_go_one_after_the_other() -> None:
    written = Written()
    await outcomes(written, batch("A"), batch("B"), batch("C", "B"), batch("C"), batch("D"))
    assert written.groups == [["A"], ["B", "C", "D"], ["B+C"]]


async def test_a_transaction_has_so_many_records_and_no_more() -> None:
    written = Written()
    await outcomes(written, batch("A"), batch("B", records=600), batch("C", records=600), batch("D", records=4000))
    assert written.groups == [["A"], ["B"], ["C"], ["D"]]


async def test_trouble_with_one_is_its_own() -> None:
    written = Written()
    assert await outcomes(written, batch("A"), batch("B"), batch("bad"), batch("C")) == [True, True, False, True]
    assert written.groups == [["A"], ["B", "bad", "C"], ["B"], ["bad"], ["C"]]


async def test_whoever_gives_up_meanwhile_is_not_written_by_itself() -> None:
    written = Written()

    async def write(batches: Sequence[Decided]) -> bool:
        if written.groups and written.groups[-1] == ["bad", "B", "C"]:
            gone.cancel()
            await asyncio.sleep(0)
        return await written.write(batches)

    commits = GroupCommit(write)
    *_, bad, gone, stays = [asyncio.create_task(commits.written(batch(rack))) for rack in ("A", "bad", "B", "C")]
    await asyncio.sleep(0)
    written.go.set()
    assert (await bad, await stays) == (False, True)
    assert written.groups == [["A"], ["bad", "B", "C"], ["bad"], ["C"]]


async def test_an_outage_is_told_to_all_who_wait_and_to_nobody_after() -> None:
    written = Written()
    first, second, third, fourth = await outcomes(
        written, batch("A"), batch("broken"), batch("C"), batch("broken", records=1000)
    )
    assert first is True
    assert isinstance(second, NetworkTimeout) and isinstance(third, NetworkTimeout)
    assert isinstance(fourth, NetworkTimeout)
    assert written.groups == [["A"], ["broken", "C"], ["broken"]]


async def test_whose_time_is_over_waits_no_longer_and_is_not_written_later(monkeypatch: pytest.MonkeyPatch) -> None:
    written = Written()
    commits = GroupCommit(written.write)
    first = asyncio.create_task(commits.written(batch("A")))
    await asyncio.sleep(0)
    monkeypatch.setattr(outages, "seconds_left", lambda: 0.01)
    with pytest.raises(NetworkTimeout):
        await commits.written(batch("B"))
    monkeypatch.undo()
    last = asyncio.create_task(commits.written(batch("C")))
    written.go.set()
    assert (await first, await last) == (True, True)
    assert written.groups == [["A"], ["C"]]


async def test_who_hangs_up_takes_nobody_along() -> None:
    written = Written()
    commits = GroupCommit(written.write)
    gone, stays = (asyncio.create_task(commits.written(batch(rack))) for rack in "AB")
    await asyncio.sleep(0)
    gone.cancel()
    with suppress(asyncio.CancelledError):
        await gone
    written.go.set()
    assert await stays is True
    assert written.groups == [["A"], ["B"]]


async def test_the_time_of_a_request_runs_out_once_and_is_forgotten_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(outages.time, "monotonic", lambda: clock[0])
    breaker = Breaker("MongoDB", 5, 30, outages.is_outage)

    async def inner() -> float:
        return outages.seconds_left()

    async def outer() -> tuple[float, float]:
        clock[0] += 1
        return outages.seconds_left(), await outages.patiently(breaker, inner)

    left, within = await outages.patiently(breaker, outer)
    assert (round(left, 6), round(within, 6)) == (0.6, 0.6), "work within work has no time of its own"
    clock[0] += 60
    assert outages.seconds_left() == pytest.approx(outages.PATIENCE_SECONDS)
