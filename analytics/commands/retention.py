"""`retention`"""

from datetime import UTC, datetime

import click

from analytics.backup.shared_lake import not_taken_by, was_brought_back
from analytics.commands.shared import as_json_option, settings, show
from analytics.lake import Lake
from analytics.lake.references import references
from analytics.lake.removing import remove
from analytics.lake.retention import Policy, surplus
from stockverify.clients import database, open_mongo
from stockverify.errors import NotRunning


@click.command("retention")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@as_json_option
def command(dry_run: bool, as_json: bool) -> None:
    """Remove the snapshots that need not be kept, as the worker does once an hour.

    \b
    Example:
      python -m analytics retention --dry-run
    """
    chosen = settings()
    if not chosen.mongodb_uri:
        raise NotRunning(data_dir=chosen.data_dir)
    lake, policy = Lake(chosen.lake), Policy(hours=chosen.keep_hours, days=chosen.keep_days, months=chosen.keep_months)
    now, freezes = datetime.now(UTC), lake.freezes()
    with open_mongo(chosen.mongodb_uri) as client:
        house = database(client, chosen)
        needed = references(house, now)
        if was_brought_back(house, now):
            needed |= not_taken_by(house, lake, freezes)
    going = surplus(freezes, policy, chosen.time_zone, now, needed)
    for snapshot_id in () if dry_run else going:
        remove(lake.root, snapshot_id)
    show(going, as_json, "\n".join(going) or "All snapshots are to be kept.")
