"""Pure decisions about flags: what a list asks for, how one is shown, and what becomes of what people say."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ingest.anomalies.rules import kinds_asked as names_in
from ingest.auth.rules import Caller
from stockverify.clients import Document
from stockverify.errors import BadInput, NotFound, Refused
from stockverify.vocabulary import AnomalyKind, FlagState
from stockverify.wire.anomalies import Dismissal, Flag, KeptFlag, Recount, Scan

# A bound that every flag meets, so that an index serves every list and every count.
_ANY = {"$gte": 0.0}
_PLACES: Document = {"racks": [], "counters": []}
"""What flags of earlier versions do not have before the next scan."""


class FlagUnknown(NotFound):
    """There is no flag {flag_id}. GET /api/reports/flags lists them; the worker looks for new ones once an hour."""


class FlagDismissed(Refused):
    """Flag {flag_id} was dismissed before, by {by} at {at:%Y-%m-%d %H:%M:%S} UTC: {note!r}. That stays; take it back
    first to say something else."""


class UnknownFlagKind(BadInput):
    """There is no kind of anomaly {name!r}; use one or more of: {known}."""


class NotItsRacks(BadInput):
    """The flag has nothing to do with {racks}; its racks are: {known}."""


class NoRackToRecount(BadInput):
    """Flag {flag_id} leads to no rack, so there is none to count again."""


class Asked(NamedTuple):
    """What a list is asked for; what is None or empty does not filter."""

    state: FlagState | None = None
    kinds: Sequence[AnomalyKind] = ()
    rack: str | None = None
    counter: str | None = None


def kinds_asked(text: str | None) -> list[AnomalyKind]:
    """The kinds in `a,b`; none stands for all. Raises UnknownFlagKind."""
    names = names_in(text)
    for name in names:
        if name not in list(AnomalyKind):
            raise UnknownFlagKind(name=name[:80], known=", ".join(AnomalyKind))
    return [AnomalyKind(name) for name in dict.fromkeys(names)]


def wanted(asked: Asked) -> Document:
    """The query of a list. Values are compared as text, whatever stands in them."""
    query: Document = {"severity": _ANY}
    if asked.state is not None:
        query["state"] = asked.state.value
    if asked.kinds:
        query["kind"] = {"$in": [kind.value for kind in asked.kinds]}
    for name, value in (("racks", asked.rack), ("counters", asked.counter)):
        if value is not None:
            query[name] = {"$eq": value}
    return query


def known(flag: Document | None, flag_id: str) -> Document:
    """The flag, if there is one. Raises FlagUnknown."""
    if flag is None:
        raise FlagUnknown(flag_id=flag_id[:80])
    return flag


def dismissal(flag: Document, note: str, caller: Caller, now: datetime) -> Document | None:
    """What a dismissal writes; None when the same person said the same before. Raises FlagDismissed."""
    before = flag["dismissed"]
    if before is None:
        said = {"by": caller.username, "at": now, "note": note}
        return {"dismissed": said, "state": FlagState.DISMISSED.value}
    if (before["by"], before["note"]) == (caller.username, note):
        return None
    raise FlagDismissed(flag_id=flag["_id"], **before)


def restored(flag: Document, scan: Document | None) -> Document | None:
    """What taking a dismissal back writes; None when there is none. The flag is open if the latest scan found it."""
    if flag["dismissed"] is None:
        return None
    found = scan is None or flag["last_snapshot_id"] >= scan["snapshot_id"]
    return {"dismissed": None, "state": (FlagState.OPEN if found else FlagState.GONE).value}


def racks_asked(flag: Document, rack_ids: Sequence[str] | None) -> list[str]:
    """The racks to be counted again: those that were asked for, or all of the flag. Raises NotItsRacks or
    NoRackToRecount."""
    its = (_PLACES | flag)["racks"]
    if not its:
        raise NoRackToRecount(flag_id=flag["_id"])
    others = [rack for rack in rack_ids or () if rack not in its]
    if others:
        raise NotItsRacks(racks=", ".join(others)[:200], known=", ".join(its)[:1000])
    return list(dict.fromkeys(rack_ids)) if rack_ids else list(its)


def shown(flag: Document) -> KeptFlag:
    """A flag as replies show it."""
    stored = _PLACES | {"state": FlagState.OPEN.value, "flag_id": flag["_id"]} | flag
    plain: dict[str, Any] = {name: stored[name] for name in Flag.__struct_fields__}
    dismissed, recount = flag["dismissed"], flag["recount"]
    return KeptFlag(
        **plain,
        state=FlagState(stored["state"]),
        first_snapshot_id=flag["first_snapshot_id"],
        last_snapshot_id=flag["last_snapshot_id"],
        first_seen_at=flag["first_seen_at"].timestamp(),
        last_seen_at=flag["last_seen_at"].timestamp(),
        dismissed=Dismissal(**_plain(dismissed)) if dismissed else None,
        recount=Recount(**_plain(recount)) if recount else None,
    )


def scan_of(run: Document | None) -> Scan | None:
    """The run of the latest scan, as replies show it."""
    return Scan(snapshot_id=run["snapshot_id"], at=run["finished_at"].timestamp()) if run else None


def by_state(rows: Iterable[Document]) -> dict[FlagState, int]:
    """How many flags there are in each state; none is left out."""
    return dict.fromkeys(FlagState, 0) | {FlagState(row["_id"]): row["count"] for row in rows}


def _plain(said: Document) -> Document:
    return said | {"at": said["at"].timestamp()}
