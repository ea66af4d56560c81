"""`restore`"""

import re
import sys
from datetime import UTC, datetime

import click
from pymongo import MongoClient

from analytics.backup import Backups, Manifest, Restored, restore
from analytics.backup.restoring import DatabaseNotEmpty, half_exchanged, held
from analytics.commands.shared import as_json_option, counting, settings, show
from analytics.zones import moment
from stockverify.activity import HEAD_FILE
from stockverify.clients import Document, open_mongo
from stockverify.errors import BadInput, NotRunning, Refused
from stockverify.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}", re.ASCII)
_MONGODBS_OWN = {"admin", "local", "config"}


class BadDatabaseName(BadInput):
    """{name!r} is no name for a database: use 1 to 60 letters, digits, _ and -, and none of MongoDB's own names."""


class NotConfirmed(Refused):
    """Nothing was restored. Say --yes, or answer the question on a terminal."""


@click.command("restore")
@click.argument("backup_id", metavar="ID")
@click.option("--into", metavar="DATABASE", help="Restore into this database (default: MONGODB_DATABASE).")
@click.option("--replace", is_flag=True, help="The database holds something, and all of it is to go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
def command(backup_id: str, into: str | None, replace: bool, yes: bool, as_json: bool) -> None:
    """Bring back the backup ID: every document as it was, with all indexes. It may be `latest`, the newest there is.

    Everything is checked first, loaded beside what is there, and exchanged at the end: a restore that is killed has
    changed nothing and is just run again.

    The safe way is a new database, which nobody works with yet: restore --into NAME, look at it, then stop StockVerify
    and start it with MONGODB_DATABASE=NAME. To replace the one in use, stop the devices' work first, and restart
    StockVerify afterwards.

    So that what has happened since the backup does no harm:

    \b
      - the fence of every rack rises, so that what devices still send of before is kept aside as conflicts, whole;
      - everybody logs in again; passwords and revoked devices are as they were, so revoke again what was revoked since;
      - schedules of reports are paused, mails and runs that were under way are ended: nothing is sent twice;
      - who unsubscribed since gets mails again: look through the recipients of a schedule before you resume it;
      - for 31 days nothing is removed from the lake but snapshots and backups of this database itself, nor are files
        behind links that it does not know, so that you can go back to the one before;
      - the next snapshot reads everything. As it has fewer records than the one before, take it yourself:
        stockverify snapshot --full --accept-fewer

    \b
    Examples:
      stockverify backup --list
      stockverify restore latest --into stockverify_looked_at
      stockverify restore 20260131T235959123Z-0a1b2c3d --replace --yes
    """
    chosen = settings()
    if not chosen.mongodb_uri:
        raise NotRunning(data_dir=chosen.data_dir)
    name = _checked_name(into or chosen.mongodb_database)
    backups = Backups(chosen.lake)
    backup_id = backups.resolve(backup_id, chosen.mongodb_database)
    with open_mongo(chosen.mongodb_uri) as client:
        _confirm(client, name, backups.manifest(backup_id), replace, yes, chosen.time_zone)
        done = _restored(client, name, backups, backup_id, replace)
    if name == chosen.mongodb_database:
        _forget_noted_head(chosen)
    show(done, as_json, _words(done, name == chosen.mongodb_database))


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name) or name in _MONGODBS_OWN:
        raise BadDatabaseName(name=name[:80])
    return name


def _confirm(client: MongoClient[Document], name: str, manifest: Manifest, replace: bool, yes: bool, zone: str) -> None:
    """Say what would be done before anything is."""
    documents = held(client[name])
    if documents and not replace and not half_exchanged(client[name]):
        raise DatabaseNotEmpty(database=name, documents=documents)
    whole = f"{manifest.documents:,} documents as of {moment(manifest.as_of, zone)}"
    if yes:
        click.echo(f"Restoring {manifest.backup_id}: {whole}.", err=True)
        return
    gone = f"; the {documents:,} documents there will be gone" if documents else ", which is empty"
    what = f"Restore {whole} into {name}{gone}?"
    if not sys.stdin.isatty() or not click.confirm(what, err=True):
        raise NotConfirmed()


def _restored(client: MongoClient[Document], name: str, backups: Backups, backup_id: str, replace: bool) -> Restored:
    with counting("Restoring") as progress:
        return restore(backups, backup_id, client[name], datetime.now(UTC), replace, progress)


def _forget_noted_head(chosen: Settings) -> None:
    """The audit log ends earlier now; the end that `doctor` had noted is kept under another name, for who asks."""
    noted = chosen.data_dir / HEAD_FILE
    if noted.exists():
        noted.replace(noted.with_name(f"{noted.stem}-before-restore.json"))


def _words(done: Restored, in_use: bool) -> str:
    after = done.aftermath
    then = (
        "Restart StockVerify, then take a snapshot: stockverify snapshot --full --accept-fewer"
        if in_use
        else f"To work with it, start StockVerify with MONGODB_DATABASE={done.database}."
    )
    return (
        f"Restored {done.documents:,} documents of {done.backup_id} into {done.database}.\n"
        f"Fences of {after.racks:,} racks rose by {after.fence_rise:,}; logins of {after.logins_ended:,} people ended; "
        f"{after.schedules_paused:,} report schedules are paused; {after.runs_ended:,} runs and "
        f"{after.mails_ended:,} mails under way were ended.\n{then}"
    )
