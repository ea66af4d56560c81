"""`stockverify doctor` checks versions, servers, indexes, the audit log and the lake, and says what is wrong."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from stockverify.cli import options
from stockverify.cli.checks.audit_log import audit_log
from stockverify.cli.checks.finding import Finding
from stockverify.cli.checks.installation import installation
from stockverify.cli.checks.integrity import integrity
from stockverify.cli.checks.mail import mail
from stockverify.cli.checks.servers import servers
from stockverify.cli.checks.snapshots import snapshots
from stockverify.cli.connect import running_settings
from stockverify.clients import UnusableAddress
from stockverify.errors import NotRunning
from stockverify.settings import Settings


@click.command()
@options.data_dir
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per finding.")
def doctor(data_dir: Path | None, as_json: bool) -> None:
    """Check the installation and, when StockVerify runs, its servers, indexes, audit log and snapshots,
    and show what the worker's last check of everything that is stored has found.

    Exit code 0 when all is well, 1 when something is wrong; each finding says what to do.
    """
    settings = options.settings(data_dir=data_dir)
    wrong = 0
    for finding in examine(settings):
        wrong += not finding.fine
        click.echo(json.dumps(finding._asdict()) if as_json else _line(finding))
    sys.exit(1 if wrong else 0)


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings, from the ground up."""
    yield from installation(settings)
    yield mail(settings)
    try:
        settings = running_settings(settings)
    except NotRunning as error:
        yield Finding("running", False, "StockVerify is not running.", error.message)
    else:
        yield from _what_runs(settings)
    yield from snapshots(settings)


def _what_runs(settings: Settings) -> Iterator[Finding]:
    try:
        yield from servers(settings)
        yield from audit_log(settings)
        yield from integrity(settings)
    except UnusableAddress as error:
        yield Finding("addresses", False, "The servers cannot be asked.", error.message)


def _line(finding: Finding) -> str:
    mark = click.style("ok   ", fg="green") if finding.fine else click.style("WRONG", fg="red")
    return f"{mark} {finding.check}: {finding.says}" + (f"\n      {finding.advice}" if finding.advice else "")
