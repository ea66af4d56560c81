"""The circuit breaker on a clock that the test moves."""

import pytest

from stockverify.breaker import Breaker, BreakerState
from stockverify.errors import Unavailable


class Bench:
    """A breaker with three allowed failures and ten seconds of rest."""

    def __init__(self) -> None:
        self.now = 100.0
        self.calls = 0
        self.breaker = Breaker("Redis", 3, 10, lambda error: isinstance(error, OSError), clock=lambda: self.now)

    async def fail(self) -> None:
        self.calls += 1
        raise OSError

    async def succeed(self) -> str:
        self.calls += 1
        return "fine"

    async def break_it(self) -> None:
        for _ in range(3):
            with pytest.raises(Unavailable):
                await self.breaker.call(self.fail)


async def test_it_opens_after_failures_in_a_row_and_then_calls_nobody() -> None:
    bench = Bench()
    await bench.break_it()
    assert bench.breaker.state is BreakerState.OPEN
    with pytest.raises(Unavailable) as refused:
        await bench.breaker.call(bench.succeed)
    assert bench.calls == 3
    assert refused.value.fields == {"service": "Redis", "retry_after": 10}


async def test_a_success_in_between_starts_the_count_again() -> None:
    bench = Bench()
    for work in (bench.fail, bench.fail, bench.succeed, bench.fail, bench.fail):
        try:
            await bench.breaker.call(work)
        except Unavailable:
            continue
    assert bench.breaker.state is BreakerState.CLOSED


async def test_after_its_rest_one_probe_decides() -> None:
    bench = Bench()
    await bench.break_it()
    bench.now += 10
    assert bench.breaker.state is BreakerState.HALF_OPEN
    with pytest.raises(Unavailable):
        await bench.breaker.call(bench.fail)
    assert bench.breaker.state is BreakerState.OPEN
    bench.now += 10
    assert await bench.breaker.call(bench.succeed) == "fine"
    assert bench.breaker.state is BreakerState.CLOSED


async def test_only_one_probe_at_a_time() -> None:
    bench = Bench()
    await bench.break_it()
    bench.now += 10

    async def probe() -> str:
        with pytest.raises(Unavailable):
            await bench.breaker.call(bench.succeed)
        return "probed"

    assert await bench.breaker.call(probe) == "probed"
    assert bench.calls == 3


async def test_errors_of_the_caller_are_not_failures_of_the_backend() -> None:
    bench = Bench()

    async def wrong() -> None:
        raise ValueError("wrong")

    for _ in range(5):
        with pytest.raises(ValueError, match="wrong"):
            await bench.breaker.call(wrong)
    assert bench.breaker.state is BreakerState.CLOSED


async def test_late_failures_do_not_lengthen_its_rest() -> None:
    bench = Bench()
    started = bench.breaker

    async def slow_failure() -> None:
        await bench.break_it()
        bench.now += 6
        raise OSError

    with pytest.raises(Unavailable):
        await started.call(slow_failure)
    bench.now += 4
    assert started.state is BreakerState.HALF_OPEN
