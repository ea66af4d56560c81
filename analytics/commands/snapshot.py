"""`snapshot`"""

from datetime import UTC, datetime

import click

from analytics.commands.shared import as_json_option, freeze_line, settings, show, working
from analytics.extract import Terms, materialise
from analytics.lake import Lake
from stockverify.clients import database, open_mongo
from stockverify.errors import NotRunning


@click.command("snapshot")
@click.option("--name", default="", help="A name for people, such as 'after the night shift'.")
@click.option("--full", is_flag=True, help="Read everything, not only what has changed since the one before.")
@click.option("--accept-fewer", is_flag=True, help="Publish it even if records are gone that the one before has.")
@as_json_option
def command(name: str, full: bool, accept_fewer: bool, as_json: bool) -> None:
    """Freeze what was counted up to now into the lake.

    \b
    Examples:
      stockverify snapshot
      stockverify snapshot --name "before recount"
      stockverify snapshot --full
    """
    chosen = settings()
    if not chosen.mongodb_uri:
        raise NotRunning(data_dir=chosen.data_dir)
    with open_mongo(chosen.mongodb_uri) as client, working("Taking a snapshot …"):
        terms = Terms(may_fall=100 if accept_fewer else chosen.snapshot_may_fall, accept_fewer=accept_fewer, whole=full)
        taken = materialise(Lake(chosen.lake), database(client, chosen), datetime.now(UTC), name, terms=terms)
    show(taken, as_json, freeze_line(taken, chosen.time_zone))
