"""`stockverify snapshot`, `list`, `compare`, `export` and their like run the analytics as a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import click

from stockverify.cli import options
from stockverify.cli.connect import running_settings
from stockverify.settings import to_env

_NEED_MONGODB = {"snapshot", "backup", "restore"}
_WITHOUT_IT = {"-h", "--help", "--list"}
_PASS_ON = {"ignore_unknown_options": True, "help_option_names": []}


def _run(name: str, data_dir: Path | None, arguments: tuple[str, ...]) -> None:
    settings = options.settings(data_dir=data_dir)
    if name in _NEED_MONGODB and not _WITHOUT_IT & set(arguments):
        settings = running_settings(settings)
    command = [sys.executable, "-m", "analytics", name, *arguments]
    # Ctrl-C reaches the process below too, which then tidies up; it is not killed in the middle of that.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        outcome = subprocess.run(command, env=os.environ | to_env(settings), check=False)
    finally:
        signal.signal(signal.SIGINT, before)
    sys.exit(outcome.returncode)


def _command(name: str, summary: str) -> click.Command:
    @click.command(name, context_settings=_PASS_ON, help=summary)
    @options.data_dir
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(data_dir: Path | None, arguments: tuple[str, ...]) -> None:
        _run(name, data_dir, arguments)

    return command


snapshot = _command("snapshot", "Freeze what was counted up to now into the lake.")
list_ = _command("list", "List the snapshots in the lake, newest first.")
compare = _command("compare", "Compare two snapshots, line by line and in total.")
export = _command("export", "Write a snapshot as CSV, XLSX, JSON, NDJSON, Parquet or PDF.")
anomalies = _command("anomalies", "Show what is odd in a snapshot, and why.")
backup = _command("backup", "Back up what MongoDB holds into the lake, or list the backups.")
restore = _command("restore", "Bring a backup back, into a new database or in the place of one.")
