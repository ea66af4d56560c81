"""What the commands share: settings, a sign of life, and output for people or for programs."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from analytics.lake import Freeze
from analytics.zones import moment
from stockverify.environment import from_env
from stockverify.settings import Settings

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
dataset_option = click.option(
    "--dataset", default="positions", show_default=True, help="positions, records, sessions or items."
)


def settings() -> Settings:
    """The settings of the environment."""
    return from_env(os.environ)


def working(text: str) -> Any:
    """Says on standard error, if a person looks at it, what takes its time."""
    return Console(stderr=True).status(text)


@contextmanager
def counting(text: str) -> "Iterator[Callable[[int, int | None], None]]":
    """A bar on standard error, if a person looks at it; gives what it is told by: rows done, rows in all."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def show(value: Any, as_json: bool, text: str) -> None:
    """Print the value for programs or the text for people."""
    click.echo(msgspec.json.encode(value, enc_hook=str).decode() if as_json else text)


def freeze_line(freeze: Freeze, zone: str) -> str:
    """One snapshot in a line."""
    name = f"  {freeze.name}" if freeze.name else ""
    return f"{freeze.snapshot_id}  as of {moment(freeze.as_of, zone)}  {freeze.rows:>9,} positions{name}"
