"""`stockverify up` starts everything and keeps it running."""

import json
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import click

from stockverify.cli import options
from stockverify.services.running import Running, running


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM: stop everything in order."""


def stop_on_signals() -> None:
    """Turn the first Ctrl-C or SIGTERM into Interrupted, and ignore those that follow while things stop."""

    def handle(signum: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, handle)


@click.command()
@options.run_options
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON once everything answers.")
def up(data_dir: Path | None, api_port: int | None, dashboard_port: int | None, as_json: bool) -> None:
    """Start the service, the worker, the dashboard and, unless MONGODB_URI and REDIS_URL name others, the databases.

    \b
    Examples:
      stockverify up
      stockverify up --data-dir /srv/stockverify --api-port 8080
      MONGODB_URI=mongodb://db/?replicaSet=rs0 REDIS_URL=redis://cache stockverify up

    It listens on 127.0.0.1, for this machine only, unless STOCKVERIFY_BIND names another address. A process that dies
    is started again. Ctrl-C stops everything in order. With --json one line says
    {"ready": true, "api": URL, "dashboard": URL, "mongodb": URI, "redis": URL}; it holds the passwords of the
    embedded databases, so do not let it into a log. At the first start the user `admin` is made; its password is
    the one in STOCKVERIFY_ADMIN_PASSWORD, or a random one that is shown once.
    """
    settings = options.settings(data_dir=data_dir, api_port=api_port, dashboard_port=dashboard_port)
    stop_on_signals()
    try:
        with running(settings, lambda line: click.echo(line, err=True)) as started:
            announce(started, as_json)
            threading.Event().wait()
    except Interrupted:
        click.echo("Stopped.", err=True)


def announce(started: Running, as_json: bool) -> None:
    """Say where everything is; the first password goes to a person, never into the line for programs."""
    if started.admin_password:
        click.echo(
            f"\n  First start: log in as  admin  with the password  {started.admin_password}\n"
            "  It is shown this once; keep it.\n",
            err=True,
        )
    if as_json:
        line: dict[str, Any] = {"ready": True, **started.addresses()}
        click.echo(json.dumps(line))
    else:
        click.echo(f"  Dashboard  {started.dashboard}\n  Service    {started.api}   (its API: {started.api}/schema)")
        click.echo("  Ctrl-C stops everything.")
