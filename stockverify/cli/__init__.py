"""The command line: `stockverify COMMAND`, also `python -m stockverify COMMAND`."""

import sys
from importlib import import_module
from typing import Any

import click

from stockverify import __version__, disk
from stockverify.errors import StockVerifyError

_COMMANDS = {
    "up": "up:up",
    "demo": "demo:demo",
    "import": "import_:command",
    "snapshot": "analytics:snapshot",
    "list": "analytics:list_",
    "compare": "analytics:compare",
    "export": "analytics:export",
    "anomalies": "analytics:anomalies",
    "backup": "analytics:backup",
    "restore": "analytics:restore",
    "outbox": "outbox:outbox",
    "device": "device:device",
    "doctor": "doctor:doctor",
}


class _Commands(click.Group):
    """Loads a command's module when the command is used, so that `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[name].partition(":")
        command: click.Command = getattr(import_module(f"stockverify.cli.{module}"), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StockVerifyError as error:
            _end(ctx, error)
        except OSError as error:
            refused = disk.told(error)
            if refused is None:
                raise
            _end(ctx, refused)


def _end(ctx: click.Context, error: StockVerifyError) -> None:
    click.echo(f"stockverify: {error.message}", err=True)
    ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stockverify")
def main() -> None:
    """Verify stock rack by rack, offline first, with numbers that agree everywhere.

    Try `stockverify demo` to see a warehouse counted, then `stockverify up` to run your own; docs/first-warehouse.md
    goes through it step by step. Settings are environment variables: docs/settings.md.

    Exit codes: 0 fine, 1 the work found something wrong, 2 it could not be done; then one line says why and what to do.
    """


def run() -> None:
    """Entry point of `python -m stockverify`."""
    main(prog_name="stockverify")
    sys.exit(0)
