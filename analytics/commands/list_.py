"""`list`"""

import click

from analytics.commands.shared import as_json_option, freeze_line, settings, show
from analytics.lake import Lake


@click.command("list")
@as_json_option
def command(as_json: bool) -> None:
    """Show all snapshots, newest first.

    \b
    Example:
      stockverify list --json
    """
    chosen = settings()
    lake = Lake(chosen.lake)
    freezes, unreadable = lake.freezes(), lake.unreadable()
    none = (
        f"No snapshots in {chosen.lake} {'can be read' if unreadable else 'yet'}; take one with `stockverify snapshot`."
    )
    show(freezes, as_json, "\n".join(freeze_line(freeze, chosen.time_zone) for freeze in freezes) or none)
    if unreadable:
        said = f"{len(unreadable)} left out, because damaged or of another version, the newest of them {unreadable[0]}"
        click.echo(f"{said}: `stockverify doctor` says what is wrong.", err=True)
