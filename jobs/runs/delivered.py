"""Pure: what a schedule's recipients have been told last. Mails that were put into the outbox may still fail to arrive,
hours later, so what was told before them is kept until it is known (docs/decisions/0048).

It is in the schedule's `last`: what was put into the outbox newest, and under `before` what else may be the last that
arrived, newest first.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple

from stockverify.clients import Document
from stockverify.vocabulary import DeliveryState, RunPurpose, RunStatus

MOST_BEFORE = 50
"""So many are kept, and of those beyond only the oldest: it is the one that arrived."""
_NOTHING: Document = {
    "delivered_run_id": None,
    "delivered_snapshot_id": None,
    "content_hash": None,
    "over_limit": False,
    "condition": None,
    "counts": False,
}


class Fate(Enum):
    """What has become of the mails of a run."""

    ARRIVED = "at least one arrived, or may have"
    WAITING = "none arrived, and some may yet"
    FAILED = "none arrived, and one or more failed"
    OUTAGE = "the same, and one or more of them because no mail could be sent"
    CANCELLED = "none arrived, and all were cancelled"


class Known(NamedTuple):
    """What is known of earlier deliveries: `told`, newest first, begins with what the next report goes by. `failed` is
    how many due runs since the last arrival were found to have reached nobody; `begun_anew`, that one arrived which was
    in doubt before; `undecided`, that one still is, or could reach nobody because no mail could be sent."""

    told: tuple[Document, ...]
    failed: int = 0
    begun_anew: bool = False
    undecided: bool = False

    def last(self) -> Document:
        """As it is in a schedule's `last`."""
        newest, *before = self.told
        if len(before) > MOST_BEFORE:
            before = [*before[: MOST_BEFORE - 1], before[-1]]
        return newest | {"before": before}


def fate(mails: Iterable[Mapping[str, Any]]) -> Fate:
    """By `state` and `outage` of all mails of a run. Those of old runs are gone: they count as having arrived, and so
    does what may have."""
    several = list(mails)
    found = {DeliveryState(each["state"]) for each in several}
    if not found or found & {DeliveryState.SENT, DeliveryState.UNKNOWN}:
        return Fate.ARRIVED
    if found & {DeliveryState.QUEUED, DeliveryState.SENDING}:
        return Fate.WAITING
    if any(each["state"] == DeliveryState.FAILED and each.get("outage") for each in several):
        return Fate.OUTAGE
    return Fate.FAILED if DeliveryState.FAILED in found else Fate.CANCELLED


def runs_in(last: Mapping[str, Any] | None) -> list[str]:
    """The runs of which the fate must be known."""
    return [each["delivered_run_id"] for each in _told(last) if each["delivered_run_id"]]


def known(last: Mapping[str, Any] | None, fates: Mapping[str, Fate]) -> Known:
    """Without what reached nobody, down to the newest that arrived."""
    told, failed, undecided = _told(last), 0, False
    kept: list[Document] = []
    for number, each in enumerate(told, 1):
        match fates.get(each["delivered_run_id"], Fate.ARRIVED):
            case Fate.ARRIVED:
                return Known((*kept, each), failed, number < len(told), undecided)
            case Fate.WAITING:
                kept.append(each)
                undecided = True
            case Fate.OUTAGE:
                undecided = True
            case Fate.FAILED:
                failed += each["counts"]
    return Known((*kept, _NOTHING), failed, False, undecided)


def with_run(found: Known, run: Document, outcome: Document) -> Known:
    """The same after a run: what it delivered comes first. One that sent nothing leaves what was told; but an alarm is
    one of its condition, and under another one nothing was told yet."""
    result, condition = outcome.get("result", {}), (run.get("schedule") or {}).get("condition")
    if outcome["status"] == RunStatus.FAILED:
        return found
    if result.get("skipped"):
        newest, *before = found.told
        is_same = "over_limit" not in result or newest["condition"] in (None, condition)
        other = newest if is_same else newest | {"over_limit": False, "condition": condition}
        return found._replace(told=(other, *before))
    made = {
        "delivered_run_id": run["_id"],
        "delivered_snapshot_id": outcome.get("snapshot_id"),
        "content_hash": result.get("content_hash"),
        "over_limit": bool(result.get("over_limit")),
        "condition": condition,
        "counts": run["purpose"] == RunPurpose.SCHEDULED,
    }
    return found._replace(told=(made, *found.told))


def _told(last: Mapping[str, Any] | None) -> list[Document]:
    """A `last` of an earlier version has one delivery, and does not say of which run."""
    if last is None:
        return [_NOTHING]
    newest = {name: last.get(name, nothing) for name, nothing in _NOTHING.items()}
    return [newest, *last.get("before", ())]
