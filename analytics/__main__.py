"""`python -m analytics`: take, list, compare, export, question and verify snapshots; back up and restore.

`stockverify snapshot` and its like run it.
"""

from importlib import import_module

import click

from stockverify.told import TellingGroup

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


class _Commands(TellingGroup):
    """Loads a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _MODULES:
            return None
        command: click.Command = import_module(_MODULES[name]).command
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Snapshots of the count: take, list, compare, export, question and verify them.

    A SNAPSHOT is an id as `list` prints it, or `latest`, or `previous`.
    """


if __name__ == "__main__":
    main(prog_name="stockverify")
