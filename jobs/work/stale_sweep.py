"""The work that gives back racks whose counters have gone, and ends sessions that nobody goes on with."""

from contextlib import closing
from datetime import datetime
from typing import NamedTuple

import structlog
from redis import RedisError

from analytics.extract import Abandoned
from jobs.stale import rules
from jobs.stale.leases import Leases
from jobs.stale.store import CameBack, Pair, StaleStore
from jobs.tools import Done, Tools
from jobs.work.telling import tell_admins
from stockverify.clients import Document, open_blocking_redis
from stockverify.vocabulary import Action

_AWAY = "Redis does not answer, so nobody knows who holds which rack: nothing more was swept."
_SHOWN = 50
_log = structlog.get_logger("jobs")


class _Sweep(NamedTuple):
    """One run's work: its collaborators, its name, and the limit of silence."""

    tools: Tools
    store: StaleStore
    leases: Leases
    run_id: str
    before: datetime
    now: datetime


def sweep_stale(tools: Tools, run: Document, now: datetime) -> Done:
    """Safe to run twice: what was swept is silent no more. Without Redis nothing is done."""
    store, before = StaleStore(tools.database), rules.silent_before(tools.settings, now)
    note = "" if (address := tools.settings.redis_address()) else _AWAY
    if address:
        with closing(open_blocking_redis(address)) as redis:
            sweep = _Sweep(tools, store, Leases(redis, f"sweep {run['_id']}"), run["_id"], before, now)
            note = _swept(sweep)
    found = store.swept(run["_id"])
    if found:
        subject = f"{len(found)} silent racks and sessions were given back"
        tell_admins(tools, f"sweep:{run['_id']}", subject, _words(found), now)
    racks = sum(entry["action"] == Action.RACK_SWEPT for entry in found)
    return Done(result={"racks": racks, "sessions": len(found) - racks}, note=note)


def _swept(sweep: _Sweep) -> str:
    """Why it did not get to its end, or nothing."""
    try:
        for pairs in sweep.store.occupied(sweep.before):
            _racks(sweep, pairs)
        for sessions in sweep.store.silent(sweep.before):
            _sessions(sweep, sessions)
    except (RedisError, OSError) as error:
        _log.warning("sweep_waits", reason=type(error).__name__)
        return _AWAY
    return ""


def _racks(sweep: _Sweep, pairs: list[Pair]) -> None:
    said = [(rack, session, rules.why_abandoned(rack, session, sweep.before)) for rack, session in pairs]
    silent = [(rack, _its_own(rack, session), why) for rack, session, why in said if why is not None]
    ids = [session["_id"] for _, session, _ in silent if session]
    alive = sweep.leases.alive([rack["_id"] for rack, _, _ in silent], ids)
    for rack, session, why in silent:
        _stop_if_asked(sweep)
        if not alive & {rack["_id"], session and session["_id"]} and not _still_sends(sweep, session):
            _release(sweep, rack, session, why)


def _its_own(rack: Document, session: Document | None) -> Document | None:
    """The session, if it holds the rack. One that has ended or was overtaken says nothing about the rack."""
    return session if session is not None and rules.holds(rack, session) else None


def _release(sweep: _Sweep, rack: Document, session: Document | None, why: str) -> None:
    """The lease first, as a claim does: while the worker has it, no counter is told that the rack is theirs."""
    if not sweep.leases.take(rack["_id"]):
        return
    try:
        sweep.store.release(rack, session, why, sweep.run_id, sweep.now)
        sweep.leases.tell(rack, sweep.now)
        _log.info("rack_swept", rack_id=rack["_id"], why=why)
    except CameBack:
        _log.info("rack_came_back", rack_id=rack["_id"])
    finally:
        sweep.leases.give_back(rack["_id"])


def _sessions(sweep: _Sweep, sessions: list[Document]) -> None:
    alive = sweep.leases.alive([], [session["_id"] for session in sessions])
    for session in sessions:
        _stop_if_asked(sweep)
        if session["_id"] in alive or _still_sends(sweep, session):
            continue
        try:
            sweep.store.close(session, str(rules.why_silent(session, sweep.before)), sweep.run_id, sweep.now)
        except CameBack:
            _log.info("session_came_back", session_id=session["_id"])


def _still_sends(sweep: _Sweep, session: Document | None) -> bool:
    last = sweep.store.last_record(session["_id"]) if session else None
    return last is not None and last >= sweep.before


def _stop_if_asked(sweep: _Sweep) -> None:
    if sweep.tools.stopping():
        raise Abandoned()


def _words(found: list[Document]) -> str:
    lines = "\n".join(_line(entry) for entry in found[:_SHOWN])
    more = f"\n… and {len(found) - _SHOWN} more; the audit log has all." if len(found) > _SHOWN else ""
    return (
        f"Nobody was heard of for so long that these were given back for others to claim.\n\n{lines}{more}\n\n"
        "What their devices still send is accepted while nobody else has claimed the rack since; otherwise it is kept "
        "as conflicts, and nothing is lost."
    )


def _line(entry: Document) -> str:
    what = "Rack" if entry["action"] == Action.RACK_SWEPT else "Session"
    return f"{what} {entry['subject']}, held by {entry['details']['holder']}: {entry['details']['why']}."
