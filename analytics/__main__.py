"""`python -m analytics`: take, list, compare, export, question and verify snapshots; back up and restore.

`stockverify snapshot` and its like run it.
"""

from importlib import import_module
from typing import Any

import click
from pymongo.errors import PyMongoError

from stockverify.errors import StockVerifyError, Unavailable

_MODULES = {
    "snapshot": "analytics.commands.snapshot",
    "list": "analytics.commands.list_",
    "compare": "analytics.commands.compare",
    "export": "analytics.commands.export",
    "anomalies": "analytics.commands.anomalies",
    "verify": "analytics.commands.verify",
    "retention": "analytics.commands.retention",
    "backup": "analytics.commands.backup",
    "restore": "analytics.commands.restore",
}


class _Commands(click.Group):
    """Loads a command when it is used; tells errors of the house, and a MongoDB that is away, in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _MODULES:
            return None
        command: click.Command = import_module(_MODULES[name]).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (PyMongoError, StockVerifyError) as error:
            told = error if isinstance(error, StockVerifyError) else Unavailable(service="MongoDB")
            click.echo(f"stockverify: {told.message}", err=True)
            raise click.exceptions.Exit(2) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Snapshots of the count: take, list, compare, export, question and verify them.

    A SNAPSHOT is an id as `list` prints it, or `latest`, or `previous`.
    """


if __name__ == "__main__":
    main(prog_name="stockverify")
