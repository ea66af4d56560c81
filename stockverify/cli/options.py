"""Options that several commands share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from stockverify.environment import from_env
from stockverify.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

DATA_DIR = "Folder for the lake, exports, logs and embedded servers (default: STOCKVERIFY_DATA_DIR or ./var)."

data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help=DATA_DIR,
)
_api_port = click.option("--api-port", type=click.IntRange(1, 65535), help="Port of the HTTP service (default 8000).")
_dashboard_port = click.option(
    "--dashboard-port", type=click.IntRange(1, 65535), help="Port of the dashboard (default 8501)."
)


def run_options(command: Command) -> Command:
    """The options of commands that start everything."""
    return data_dir(_api_port(_dashboard_port(command)))


def settings(**given: Any) -> Settings:
    """Settings of the environment, with what was given on the command line on top."""
    return from_env(os.environ, **given)
