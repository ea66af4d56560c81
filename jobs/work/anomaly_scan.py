"""The work that looks for anomalies in the latest snapshot, keeps them, and tells of new severe ones."""

from datetime import datetime

from analytics.anomalies import find
from analytics.extract import Abandoned
from analytics.lake import Lake
from analytics.lake.store import NoSnapshot
from jobs.flags import FlagStore
from jobs.tools import Done, Tools
from jobs.work.telling import tell_admins
from stockverify.clients import Document

_SHOWN = 20


def scan_anomalies(tools: Tools, run: Document, now: datetime) -> Done:
    """Safe to run twice: a flag keeps its id from one snapshot to the next, and which run tells of it is written down
    before it is told."""
    snapshot_id = _latest(tools.lake)
    if snapshot_id is None:
        return Done(note="There is no snapshot yet, so there was nothing to look at.")
    found = find(tools.lake, snapshot_id)
    if tools.stopping():
        raise Abandoned()
    flags = FlagStore(tools.database)
    flags.keep(found.flags.iter_rows(named=True), snapshot_id, now)
    flags.settle(snapshot_id)
    severe = flags.to_tell(snapshot_id, tools.settings.anomaly_notice_severity, run["_id"])
    if severe:
        tell_admins(tools, f"anomalies:{run['_id']}", _subject(severe), _words(severe), now)
    fresh = flags.fresh(snapshot_id)
    note = f"{sum(found.found.values()):,} flags, {fresh:,} of them new, {len(severe):,} told."
    return Done(snapshot_id, {"found": found.found, "new": fresh, "told": len(severe)}, note)


def _latest(lake: Lake) -> str | None:
    try:
        return lake.resolve("latest")
    except NoSnapshot:
        return None


def _subject(severe: list[Document]) -> str:
    return "1 new anomaly to look at" if len(severe) == 1 else f"{len(severe):,} new anomalies to look at"


def _words(severe: list[Document]) -> str:
    lines = "\n\n".join(_line(flag) for flag in severe[:_SHOWN])
    more = f"\n\n… and {len(severe) - _SHOWN:,} more." if len(severe) > _SHOWN else ""
    return (
        f"As of snapshot {severe[0]['last_snapshot_id']}, the most severe first. A flag is a reason to look, not a "
        f"verdict.\n\n{lines}{more}"
    )


def _line(flag: Document) -> str:
    kind = flag["kind"].replace("_", " ")
    return f"{flag['severity']:.2f}  {kind}: {flag['subject']}\n{flag['why']}\nUsual: {flag['baseline']}."
