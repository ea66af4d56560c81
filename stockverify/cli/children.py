"""Commands that other packages carry out run as processes of their own: the command line imports none of them."""

import os
import signal
import subprocess
import sys
from typing import NoReturn

import click

from stockverify.cli.options import DATA_DIR
from stockverify.environment import to_env
from stockverify.settings import Settings

PASS_ON = {"ignore_unknown_options": True, "help_option_names": []}
"""For commands whose options are those of the process: `--help` is its own too."""


def run(module: str, settings: Settings, arguments: tuple[str, ...]) -> NoReturn:
    """Run `python -m module` with these settings, and end with its exit code."""
    command = [sys.executable, "-m", module, *arguments]
    # Ctrl-C reaches the process below too, which then tidies up; it is not killed in the middle of that.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        outcome = subprocess.run(command, env=os.environ | to_env(settings), check=False)
    finally:
        signal.signal(signal.SIGINT, before)
    if wants_help(arguments):
        click.echo(f"\nEvery command also takes:\n  --data-dir DIRECTORY  {DATA_DIR}")
    sys.exit(outcome.returncode)


def wants_help(arguments: tuple[str, ...]) -> bool:
    """Help needs nothing that runs."""
    return bool({"-h", "--help"} & set(arguments))
