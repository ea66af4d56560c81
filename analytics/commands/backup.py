"""`backup`"""

import secrets
from datetime import UTC, datetime

import click

from analytics.backup import Backups, Manifest, back_up
from analytics.backup.store import Damaged
from analytics.commands.shared import as_json_option, settings, show, working
from analytics.lake.ids import new_snapshot_id
from analytics.zones import moment
from stockverify.clients import database, open_mongo
from stockverify.errors import NotRunning
from stockverify.settings import Settings


@click.command("backup")
@click.option("--list", "listing", is_flag=True, help="Show the backups there are, newest first, and make none.")
@as_json_option
def command(listing: bool, as_json: bool) -> None:
    """Back up what MongoDB holds, all at one moment, into `lake/backups` of the data directory.

    The worker does the same every night, and removes old ones: the last backup of each of 7 days and of 4 weeks
    stays (BACKUP_KEEP_DAYS, BACKUP_KEEP_WEEKS), and all of the last 24 hours. Backups hold the hashes of passwords:
    only the owner of the folder can read them. Copy the whole folder to another machine; a backup on the disk that dies
    is none. Snapshots are files already and need no backup of this kind: copy the lake with it.

    \b
    Examples:
      stockverify backup
      stockverify backup --list
      stockverify restore latest --into stockverify_looked_at
    """
    chosen = settings()
    backups = Backups(chosen.lake)
    if listing:
        found = backups.listed()
        text = "\n".join(_line(each, chosen.time_zone) for each in found)
        show(found, as_json, text or f"No backups in {backups.root} yet; make one with `stockverify backup`.")
        return
    made = _made(backups, chosen)
    show(made, as_json, _line(made, chosen.time_zone))


def _made(backups: Backups, chosen: Settings) -> Manifest:
    if not chosen.mongodb_uri:
        raise NotRunning(data_dir=chosen.data_dir)
    now = datetime.now(UTC)
    with open_mongo(chosen.mongodb_uri) as client, working("Backing up …"):
        return back_up(backups, database(client, chosen), new_snapshot_id(now, secrets.token_hex(4)), now)


def _line(backup: Manifest | Damaged, zone: str) -> str:
    if isinstance(backup, Damaged):
        return f"{backup.backup_id}  {backup.message}"
    size = f"{backup.file_bytes / 2**20:,.1f} MiB"
    return (
        f"{backup.backup_id}  as of {moment(backup.as_of, zone)}  {backup.documents:>11,} documents  {size:>12}"
        f"  of {backup.database}"
    )
