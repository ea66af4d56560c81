"""`snapshot`"""

from datetime import UTC, datetime

import click

from analytics.commands.shared import as_json_option, freeze_line, settings, show, working
from analytics.extract import materialise
from analytics.lake import Lake
from stockverify.clients import database, open_mongo
from stockverify.errors import NotRunning


@click.command("snapshot")
@click.option("--name", default="", help="A name for people, such as 'after the night shift'.")
@as_json_option
def command(name: str, as_json: bool) -> None:
    """Freeze what was counted up to now into the lake.

    \b
    Examples:
      stockverify snapshot
      stockverify snapshot --name "before recount"
    """
    chosen = settings()
    if not chosen.mongodb_uri:
        raise NotRunning(data_dir=chosen.data_dir)
    with open_mongo(chosen.mongodb_uri) as client, working("Taking a snapshot …"):
        taken = materialise(Lake(chosen.lake), database(client, chosen), datetime.now(UTC), name)
    show(taken, as_json, freeze_line(taken, chosen.time_zone))
