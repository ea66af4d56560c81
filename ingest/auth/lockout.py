"""Pure decisions about guessing: how many tries are left, and how long a lock lasts."""

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from stockverify.errors import TooMany

LONGEST_SECONDS = 900
LOST_AFTER = timedelta(seconds=30)
"""A check that has not ended by then never will: its process died. It counts as a wrong try."""
FORGOTTEN_AFTER = timedelta(hours=1)
"""Longer than the longest lock, so that waiting gains nothing, and short enough for yesterday's typing errors."""


class Locked(TooMany):
    """There were too many wrong attempts. Wait {retry_after} seconds, then try again."""


class Policy(NamedTuple):
    """LOGIN_MAX_FAILURES and LOGIN_LOCKOUT_SECONDS."""

    allowed: int
    first_seconds: int

    def seconds(self, locks: int) -> int:
        """How long the next lock lasts, after so many before it."""
        return min(LONGEST_SECONDS, self.first_seconds << min(locks, 10))


class Check(Struct, frozen=True):
    """A try whose outcome is not known yet."""

    id: str
    since: datetime


class Tries(Struct, frozen=True, kw_only=True):
    """What is remembered of the tries on one user name, device or address since the last right one."""

    failures: int = 0
    locks: int = 0
    locked_until: datetime | None = None
    checking: tuple[Check, ...] = ()


def key(kind: str, name: str) -> str:
    """Where tries are counted. Hashed: people type passwords into the field for the user name."""
    return f"{kind}:{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"


def reserve(tries: Tries, check: Check, policy: Policy) -> Tries | None:
    """The tries with one more under way; None when those under way use up what is left. Raises Locked.

    A try is taken before it is checked, so that many at the same moment get no more tries than one after the other.
    """
    tries = _without_lost(tries, check.since, policy)
    if tries.locked_until and tries.locked_until > check.since:
        raise Locked(retry_after=_whole_seconds(tries.locked_until - check.since))
    left = max(1, policy.allowed - tries.failures) - len(tries.checking)
    return replace(tries, checking=(*tries.checking, check)) if left > 0 else None


def settle(tries: Tries, check_id: str, fits: bool, now: datetime, policy: Policy) -> Tries:
    """The tries once the outcome of one is known: a right one ends the count, the last wrong one locks."""
    others = tuple(check for check in tries.checking if check.id != check_id)
    if fits:
        return Tries(checking=others)
    return _failed(replace(tries, checking=others), now, policy)


def _failed(tries: Tries, now: datetime, policy: Policy) -> Tries:
    tries = replace(tries, failures=tries.failures + 1)
    if tries.failures < policy.allowed:
        return tries
    until = now + timedelta(seconds=policy.seconds(tries.locks))
    return replace(tries, locks=tries.locks + 1, locked_until=max(until, tries.locked_until or until))


def _without_lost(tries: Tries, now: datetime, policy: Policy) -> Tries:
    lost = [check for check in tries.checking if now - check.since > LOST_AFTER]
    for check in lost:
        tries = settle(tries, check.id, False, now, policy)
    return tries


def _whole_seconds(wait: timedelta) -> int:
    return max(1, -int(-wait.total_seconds() // 1))
