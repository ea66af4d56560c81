"""The rules of guessing, as a table and over time."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.auth import lockout
from ingest.auth.lockout import Check, Locked, Policy, Tries

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
POLICY = Policy(allowed=5, first_seconds=30)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def wrong(tries: Tries, now: datetime, policy: Policy = POLICY) -> Tries:
    """One wrong attempt, from beginning to end."""
    taken = lockout.reserve(tries, Check("c", now), policy)
    assert taken is not None
    return lockout.settle(taken, "c", False, now, policy)


def test_the_fifth_wrong_attempt_locks_and_says_for_how_long() -> None:
    tries = Tries()
    for _ in range(4):
        tries = wrong(tries, at(0))
    assert tries == Tries(failures=4)
    tries = wrong(tries, at(0))
    assert tries == Tries(failures=5, locks=1, locked_until=at(30))
    with pytest.raises(Locked, match=r"Wait 30 seconds, then try again\.") as refused:
        lockout.reserve(tries, Check("c", at(0.5)), POLICY)
    assert refused.value.fields["retry_after"] == 30


def test_each_further_lock_is_twice_as_long_up_to_fifteen_minutes() -> None:
    tries, now, waits = Tries(failures=4), 0.0, []
    for _ in range(8):
        tries = wrong(tries, at(now))
        assert tries.locked_until
        waits.append((tries.locked_until - at(now)).total_seconds())
        now += waits[-1]
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


def test_at_the_same_moment_there_are_no_more_tries_than_one_after_the_other() -> None:
    tries = Tries(failures=2)
    for name in "abc":
        taken = lockout.reserve(tries, Check(name, at(0)), POLICY)
        assert taken is not None
        tries = taken
    assert lockout.reserve(tries, Check("d", at(0)), POLICY) is None
    tries = lockout.settle(tries, "a", False, at(0), POLICY)
    assert lockout.reserve(tries, Check("d", at(0)), POLICY) is None


def test_after_a_lock_one_try_at_a_time_is_allowed() -> None:
    locked = Tries(failures=5, locks=1, locked_until=at(30))
    taken = lockout.reserve(locked, Check("a", at(30)), POLICY)
    assert taken is not None
    assert lockout.reserve(taken, Check("b", at(30)), POLICY) is None


def test_a_right_attempt_ends_the_count_but_not_the_tries_under_way() -> None:
    busy = Tries(failures=3, locks=2, locked_until=at(-5), checking=(Check("a", at(0)), Check("b", at(0))))
    assert lockout.settle(busy, "a", True, at(1), POLICY) == Tries(checking=(Check("b", at(0)),))


def test_a_try_whose_process_died_counts_as_wrong() -> None:
    busy = Tries(failures=3, checking=(Check("a", at(0)), Check("b", at(20))))
    taken = lockout.reserve(busy, Check("c", at(31)), POLICY)
    assert taken is None, "one is lost, one under way: nothing is left"
    assert lockout.reserve(Tries(failures=3, checking=(Check("a", at(0)),)), Check("c", at(31)), POLICY) == Tries(
        failures=4, checking=(Check("c", at(31)),)
    )


def test_what_was_typed_is_not_stored_as_the_key() -> None:
    assert "hunter2" not in lockout.key("user", "hunter2")
    assert lockout.key("user", "a") != lockout.key("device", "a")
