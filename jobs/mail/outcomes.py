"""Pure: how an attempt to send a mail ended, and what becomes of the mail then.

A mail is handed over by the dot that ends its text. Before it, nothing was sent; after its reply, it is known what was.
Between the two lies the doubt: then the mail may have arrived, is `unknown`, and is sent again under the same
Message-ID at most twice. What was in doubt once never becomes `failed`: it may have arrived.

A mail that was given up says whether that was an `outage`: then no other mail would have got through either, and its
schedule is not to blame (docs/decisions/0053).
"""

from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from stockverify.clients import Document, as_stored
from stockverify.vocabulary import DeliveryState

MAX_DOUBTS = 3
"""The first time and two more."""
FIRST_SECONDS = 30.0
LONGEST_SECONDS = 3600.0
_DOUBLINGS = 16
_TWICE = "It may have arrived before, under the same Message-ID."


class Verdict(Enum):
    """What one attempt showed."""

    ACCEPTED = "accepted"
    REFUSED = "refused for good"
    LATER = "not now"
    OUTAGE = "not now, whichever mail it were"
    UNSURE = "no reply after the whole text"
    SILENCED = "its recipient has unsubscribed"
    YIELDED = "another sender has it"


class Outcome(NamedTuple):
    """How an attempt ended, with the words of the mail server or our own."""

    verdict: Verdict
    said: str


class Step(NamedTuple):
    """What is written of an attempt; `over` when no further one follows."""

    state: DeliveryState
    said: str
    next_attempt_at: datetime | None
    changes: Document

    @property
    def over(self) -> bool:
        """Whether no further attempt follows."""
        return self.next_attempt_at is None

    @property
    def bad(self) -> bool:
        """Whether it ended so that its owner should know."""
        return self.over and self.state in (DeliveryState.FAILED, DeliveryState.UNKNOWN)


def pause(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many attempts: half a minute, twice as long each time, an hour at most, and a quarter
    more or less of it by chance (0 to 1), so that mails that failed together do not come back together."""
    seconds = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempts - 1, _DOUBLINGS))
    return timedelta(seconds=seconds * (0.75 + chance / 2))


def after(row: Document, outcome: Outcome, max_attempts: int, chance: float, now: datetime) -> Step:
    """What becomes of a mail after an attempt that was counted in `attempts` already."""
    doubts, said = row["doubts"], outcome.said
    in_doubt = DeliveryState.UNKNOWN if doubts else DeliveryState.FAILED
    again = as_stored(now + pause(row["attempts"], chance))
    match outcome.verdict:
        case Verdict.ACCEPTED:
            words = f"{said} {_TWICE}" if doubts else said
            return _step(DeliveryState.SENT, words, None, smtp_reply=said[:500], sent_at=as_stored(now), error=None)
        case Verdict.SILENCED:
            return _step(DeliveryState.CANCELLED, said, None)
        case Verdict.REFUSED:
            words = f"{said} {_TWICE}" if doubts else said
            return _step(in_doubt, words, None, smtp_reply=said[:500], error=words[:500], outage=False)
        case Verdict.UNSURE:
            over = doubts + 1 >= MAX_DOUBTS
            words = f"{said} " + ("It is not sent again." if over else "It is sent again under the same Message-ID.")
            return _step(DeliveryState.UNKNOWN, words, None if over else again, doubts=doubts + 1, error=words[:500])
    if row["attempts"] >= max_attempts:
        words = f"Given up after {row['attempts']} attempts; the last one: {said}" + (f" {_TWICE}" if doubts else "")
        return _step(in_doubt, words, None, error=words[:500], outage=outcome.verdict is Verdict.OUTAGE)
    return _step(DeliveryState.UNKNOWN if doubts else DeliveryState.QUEUED, said, again, error=said[:500])


def left_behind(row: Document) -> Outcome:
    """What a sender that died in the middle of an attempt leaves."""
    if row["data_at"] is None:
        return Outcome(Verdict.LATER, "The sender died before the mail was handed over.")
    return Outcome(Verdict.UNSURE, "The sender died while the mail server had the whole text.")


def _step(state: DeliveryState, said: str, again: datetime | None, **changes: object) -> Step:
    return Step(state, said, again, changes | {"state": state.value, "next_attempt_at": again})
