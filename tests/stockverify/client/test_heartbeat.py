"""Heartbeats: when they beat, and what they tell."""

import asyncio
from collections import deque

from stockverify.client.heartbeat import Heartbeats, LockNews
from stockverify.client.problems import Offline, ServiceRefused
from stockverify.errors import StockVerifyError
from stockverify.wire.sessions import Heartbeat
from tests.stockverify.client.conftest import Clock

OFFLINE = Offline(url="http://x", reason="no network")
UNKNOWN = ServiceRefused(status=404, detail="Session s-1 is not known.")


class Scene:
    """Heartbeats on a clock, answered from a script; they stop when it ends."""

    def __init__(self, clock: Clock, *script: bool | int | StockVerifyError) -> None:
        self.script = deque(script)
        self.beats: list[float] = []
        self.news: list[tuple[LockNews, str]] = []
        self.clock, self.done = clock, asyncio.Event()
        self.heart = Heartbeats(self.answer, clock.work(), lambda kind, text: self.news.append((kind, text)))

    async def answer(self, session_id: str) -> Heartbeat:
        self.beats.append(self.clock.seconds)
        what = self.script.popleft()
        if not self.script:
            self.heart.pause()
            self.done.set()
        if isinstance(what, StockVerifyError):
            raise what
        return Heartbeat(
            id=session_id,
            session_id=session_id,
            rack_lock_renewed=bool(what),
            user_presence_updated=True,
            lock_ttl_remaining=60 if what is True else int(what),
            message="Yours." if what else "Somebody else has it.",
        )

    async def play(self) -> None:
        self.heart.start("s-1", 60)
        running = asyncio.ensure_future(self.heart.run())
        await asyncio.wait_for(self.done.wait(), 5)
        running.cancel()
        await asyncio.wait([running])


async def test_it_beats_every_25_seconds(clock: Clock) -> None:
    scene = Scene(clock, True, True, True, True)
    await scene.play()
    assert (scene.beats, scene.news) == ([0.0, 25.0, 50.0, 75.0], [])


async def test_a_lost_lock_is_told_once_for_each_loss(clock: Clock) -> None:
    scene = Scene(clock, True, False, False, False, True, False, False)
    await scene.play()
    lost, regained = (LockNews.LOST, "Somebody else has it."), (LockNews.REGAINED, "Yours.")
    assert (scene.news, scene.heart.lost) == ([lost, regained, lost], True)


async def test_a_session_that_the_service_does_not_know_is_a_lost_lock(clock: Clock) -> None:
    scene = Scene(clock, True, UNKNOWN, UNKNOWN)
    await scene.play()
    assert scene.news == [(LockNews.LOST, UNKNOWN.message)]


async def test_a_beat_that_does_not_arrive_is_tried_again_soon_and_warns_once_before_the_claim_ends(
    clock: Clock,
) -> None:
    scene = Scene(clock, True, OFFLINE, OFFLINE, OFFLINE, OFFLINE, OFFLINE, True)
    await scene.play()
    assert scene.beats == [0.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0]
    assert scene.news == [(LockNews.LOW, f"The claim ends in 20 s. {OFFLINE.message}")]
    assert scene.heart.lost is False


async def test_a_low_lease_is_told(clock: Clock) -> None:
    scene = Scene(clock, True, 9, 9, True, 9)
    await scene.play()
    assert scene.news == [(LockNews.LOW, "The claim ends in 9 s. Yours.")] * 2


async def test_it_pauses_and_goes_on(clock: Clock) -> None:
    scene = Scene(clock, True, True)
    scene.heart.start("s-1", 60)
    scene.heart.pause()
    assert await scene.heart.beat() is True
    assert scene.beats == []
    scene.heart.resume()
    await scene.heart.beat()
    scene.heart.stop()
    scene.heart.resume()
    await scene.heart.beat()
    assert len(scene.beats) == 1
