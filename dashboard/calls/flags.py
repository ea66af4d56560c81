"""What scans have flagged, and what the person at the desk says about it."""

from collections.abc import Sequence
from typing import NamedTuple

from dashboard.desk import Desk, part
from stockverify.vocabulary import AnomalyKind, FlagState
from stockverify.wire.anomalies import KeptFlag, KeptFlags, RecountAsked
from stockverify.wire.racks import FloorRack

PAGE = 100
_PATH = "/api/reports/flags"


class Asked(NamedTuple):
    """What the list shall hold; what is empty does not filter."""

    state: FlagState = FlagState.OPEN
    kinds: Sequence[AnomalyKind] = ()
    rack: str = ""
    counter: str = ""


def still_open(desk: Desk) -> int:
    """How many are to be looked at."""
    return desk.get(f"{_PATH}/", KeptFlags, state=FlagState.OPEN.value, limit=1).by_state[FlagState.OPEN]


def listed(desk: Desk, asked: Asked, page: int) -> KeptFlags:
    """A page of flags, from 1, the most severe first."""
    filters = {"state": asked.state.value, "kind": ",".join(asked.kinds), "rack": asked.rack, "counter": asked.counter}
    return desk.get(f"{_PATH}/", KeptFlags, skip=(page - 1) * PAGE, limit=PAGE, **filters)


def one(desk: Desk, flag_id: str) -> KeptFlag:
    """One flag. Raises NotFound."""
    return desk.get(f"{_PATH}/{part(flag_id)}", KeptFlag)


def dismiss(desk: Desk, flag_id: str, note: str) -> KeptFlag:
    """Say why it needs no look. Raises Refused when somebody else has said something before."""
    return desk.post(f"{_PATH}/{part(flag_id)}/dismiss", KeptFlag, {"note": note})


def restore(desk: Desk, flag_id: str) -> KeptFlag:
    """Take a dismissal back."""
    return desk.post(f"{_PATH}/{part(flag_id)}/restore", KeptFlag)


def recount(desk: Desk, flag_id: str, racks: Sequence[str], reason: str) -> RecountAsked:
    """Have racks of the flag counted again; what stands against one costs only that one."""
    return desk.post(f"{_PATH}/{part(flag_id)}/recount", RecountAsked, {"reason": reason, "rack_ids": list(racks)})


def racks(desk: Desk) -> list[FloorRack]:
    """All racks as they are now."""
    return desk.get("/api/racks/", list[FloorRack])
