"""`stockverify outbox` shows the mails that were sent, or are to be."""

from pathlib import Path

import click

from stockverify.cli import children, options
from stockverify.cli.connect import running_settings


@click.command("outbox", context_settings=children.PASS_ON, help="Show the mails that were sent, or are to be.")
@options.data_dir
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def outbox(data_dir: Path | None, arguments: tuple[str, ...]) -> None:
    """Options and subcommands are those of `python -m jobs.mail`."""
    settings = options.settings(data_dir=data_dir)
    children.run("jobs.mail", settings if children.wants_help(arguments) else running_settings(settings), arguments)
