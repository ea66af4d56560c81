"""The work that backs up MongoDB, and removes backups that need not be kept."""

import hashlib
from collections import defaultdict
from datetime import datetime

from pymongo.database import Database

from analytics.backup import Backups, Manifest, back_up
from analytics.backup.retention import Made, surplus
from analytics.backup.shared_lake import was_brought_back
from analytics.lake.ids import new_snapshot_id
from jobs.runs.store import RunStore
from jobs.tools import Done, Tools
from stockverify.clients import Document
from stockverify.settings import Settings

_NOTHING = "There are no items, sessions or records yet, so there is nothing to back up."


def make_backup(tools: Tools, run: Document, now: datetime) -> Done:
    """Each run makes one, also if it is taken over: the id of the backup comes from the run. There is none before
    anything is stored: after a disaster a new, empty house runs for a while, and its backup would be the latest."""
    if not RunStore(tools.database).anything_to_freeze():
        return Done(note=_NOTHING)
    backups = Backups(tools.lake.root)
    made = back_up(backups, tools.database, _backup_id(tools, run), now, tools.stopping)
    removed = _clear_away(backups, tools.database, tools.settings, now)
    result = {"backup_id": made.backup_id, "documents": made.documents, "bytes": made.file_bytes, "removed": removed}
    return Done(result=result, note=f"{made.documents:,} documents as of {made.as_of:%Y-%m-%d %H:%M:%S} UTC.")


def _clear_away(backups: Backups, database: Database[Document], settings: Settings, now: datetime) -> int:
    """Each database has days and weeks of its own, so that those of a copy take nobody's place. A copy removes only its
    own for a while. A damaged one is neither kept for another nor removed: a person should see it."""
    made = defaultdict(list)
    for each in backups.listed():
        if isinstance(each, Manifest):
            made[each.database].append(Made(each.backup_id, each.created_at))
    several = [made[database.name]] if was_brought_back(database, now) else list(made.values())
    days, weeks, zone = settings.backup_keep_days, settings.backup_keep_weeks, settings.time_zone
    going = [backup_id for each in several for backup_id in surplus(each, days, weeks, zone, now)]
    for backup_id in going:
        backups.remove(backup_id)
    backups.sweep(now)
    return len(going)


def _backup_id(tools: Tools, run: Document) -> str:
    """A copy has a run of the same name at the same moment."""
    named = f"{tools.database.name}\n{run['_id']}"
    return new_snapshot_id(run["requested_at"], hashlib.sha256(named.encode()).hexdigest()[:8])
