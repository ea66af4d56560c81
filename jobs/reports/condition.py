"""Pure: whether a report that is due is sent, and why."""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import NamedTuple

from analytics.glance.numbers import amount
from jobs.reports.plan import Last, When
from stockverify.vocabulary import Condition

_NOT = "Not sent: "
_ANYWAY = "Sent because it was asked for. By its condition it would not have been:"
_COMPARED: dict[str, Callable[[float, float], bool]] = {"gt": gt, "lt": lt, "gte": ge, "lte": le}


class Seen(NamedTuple):
    """What the condition looks at. `first` is a comparison that has nothing to compare with yet; `value` is
    the figure of the condition, None when there is nothing to take it of."""

    rows: int
    content_hash: str
    first: bool = False
    diff: bool = False
    value: float | None = None


class Verdict(NamedTuple):
    """`reason` is a sentence, empty when there is nothing to say; `alarm` goes into the subject."""

    sent: bool
    reason: str = ""
    alarm: str = ""
    over_limit: bool = False

    def asked_for(self) -> "Verdict":
        """The same for whoever asked for the report by hand, and gets it anyway."""
        return self if self.sent else self._replace(sent=True, reason=f"{_ANYWAY} {self.reason.removeprefix(_NOT)}")


def decide(when: When, last: Last, seen: Seen) -> Verdict:
    """A comparison that has nothing to compare with is sent whatever its rows are: it is what the next one is compared
    with, and else there never would be one."""
    match when.kind:
        case Condition.ROWS if seen.rows == 0 and not seen.first:
            return Verdict(False, f"{_NOT}the report has no rows.", over_limit=last.over_limit)
        case Condition.CHANGED if not seen.first and _same(last, seen):
            return Verdict(False, f"{_NOT}nothing has changed since the last delivery.", over_limit=last.over_limit)
        case Condition.FIGURE:
            return _limit(when, last, seen)
    return Verdict(True, over_limit=last.over_limit)


def _same(last: Last, seen: Seen) -> bool:
    return seen.rows == 0 if seen.diff else seen.content_hash == last.content_hash


def _limit(when: When, last: Last, seen: Seen) -> Verdict:
    """Told once when the figure goes past its limit, and once when it comes back."""
    over = _is_over(when, seen.value)
    figure, limit = when.declared(), when.words()
    said = f"{figure.title} is {amount(seen.value, figure.unit)}"
    if over:
        reason = f"{said}, which is {limit} (the limit of this report)."
        if last.over_limit:
            return Verdict(False, f"{_NOT}{reason} That was told before.", over_limit=True)
        return Verdict(True, reason, f"{figure.title} {limit}", over_limit=True)
    back = f"{said}, no longer {limit} (the limit of this report)."
    if last.over_limit:
        return Verdict(True, back, f"{figure.title} back within its limit")
    return Verdict(False, f"{_NOT}{said}, and not {limit}.")


def _is_over(when: When, value: float | None) -> bool:
    if value is None or when.op is None or when.limit is None:
        return False
    return _COMPARED[when.op](value, when.limit)
