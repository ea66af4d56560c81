"""`stockverify snapshot`, `list`, `compare`, `export` and their like run the analytics as a process of its own."""

from pathlib import Path

import click

from stockverify.cli import children, options
from stockverify.cli.connect import running_settings

_NEED_MONGODB = {"snapshot", "backup", "restore"}


def _run(name: str, data_dir: Path | None, arguments: tuple[str, ...]) -> None:
    settings = options.settings(data_dir=data_dir)
    listing = name == "backup" and "--list" in arguments
    if name in _NEED_MONGODB and not listing and not children.wants_help(arguments):
        settings = running_settings(settings)
    children.run("analytics", settings, (name, *arguments))


def _command(name: str, summary: str) -> click.Command:
    @click.command(name, context_settings=children.PASS_ON, help=summary)
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
