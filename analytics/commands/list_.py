"""`list`"""

import click

from analytics.commands.shared import as_json_option, freeze_line, settings, show
from analytics.lake import Freeze, Lake


@click.command("list")
@as_json_option
def command(as_json: bool) -> None:
    """Show all snapshots, newest first.

    \b
    Example:
      stockverify list --json
    """
    chosen = settings()
    freezes: list[Freeze] = Lake(chosen.lake).freezes()
    none = f"No snapshots in {chosen.lake} yet; take one with `stockverify snapshot`."
    show(freezes, as_json, "\n".join(freeze_line(freeze, chosen.time_zone) for freeze in freezes) or none)
