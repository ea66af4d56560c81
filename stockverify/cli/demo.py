"""`stockverify demo` counts a warehouse with simulated devices and holds the books up to the light."""

import json
import sys
import threading
from pathlib import Path
from typing import Any

import click
import msgspec

from stockverify.cli import options
from stockverify.cli.up import Interrupted, stop_on_signals
from stockverify.demo import folder
from stockverify.demo.schedules import DOMAIN
from stockverify.demo.shift import PRESENCE, Shift
from stockverify.demo.story import Story, tell
from stockverify.environment import table
from stockverify.services.running import Running, running

DEFAULT_FOLDER = Path("var/demo")
INTERRUPTED = 130
_NO_MAIL = {row.field: row.default for row in table() if row.field.startswith(("smtp_", "mail_"))}
# So that a silent device is known as one, and a mail has been refused, before anybody looks around.
_OWN: dict[str, Any] = {
    **_NO_MAIL,
    "heartbeat_ttl": PRESENCE,
    "anomaly_notice_severity": 0.8,
    "mail_allowed_domains": DOMAIN,
}


@click.command()
@options.run_options
@click.option("--once", is_flag=True, help="End after the exports; exit code 0 only if the books balance.")
@click.option(
    "--input",
    "stock_list",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Stock list to count, CSV or XLSX (default: data/sample_stock.csv of StockVerify).",
)
@click.option("--devices", type=click.IntRange(2, 64), default=8, show_default=True, help="Devices that count at once.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same shelves and same mishaps.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: addresses first, with --once the outcome last.")
def demo(
    data_dir: Path | None,
    api_port: int | None,
    dashboard_port: int | None,
    once: bool,
    stock_list: Path | None,
    devices: int,
    seed: int,
    as_json: bool,
) -> None:
    """Count a warehouse: import a stock list, let devices count it in two rounds, compare, export, balance the books.

    \b
    Examples:
      stockverify demo
      stockverify demo --once --json --input stock.csv
      stockverify demo --devices 20 --seed 7

    The devices use the real client over HTTP. They lose their network, lose replies, send batches twice and meet on
    one rack. Everything lies in a folder of its own (var/demo), which each demo starts afresh, with databases of its
    own: MONGODB_URI and REDIS_URL are left alone. Without --once the
    service and the dashboard stay up until Ctrl-C.
    """
    settings = options.settings(data_dir=data_dir or DEFAULT_FOLDER, api_port=api_port, dashboard_port=dashboard_port)
    # A demo never touches databases that somebody works with, and writes to nobody.
    settings = msgspec.structs.replace(settings, mongodb_uri=None, redis_url=None, redis_host=None, **_OWN)
    source = stock_list or folder.sample()
    stop_on_signals()
    code = INTERRUPTED if once else 0
    try:
        with running(settings, _say, folder.start_afresh) as started:
            if as_json and not once:
                click.echo(json.dumps({"ready": True, **started.addresses()}))
            late = None if once else Shift(started.api)
            story = tell(started, source, devices, seed, _say, late)
            code = 0 if story.books.balance() or not once else 1
            _conclude(started, story, late, as_json)
    except Interrupted:
        click.echo("Stopped.", err=True)
    sys.exit(code)


def _conclude(started: Running, story: Story, late: Shift | None, as_json: bool) -> None:
    if late is None and as_json:
        click.echo(json.dumps(story.outcome()))
        return
    click.echo("\n" + story.in_words())
    if late is not None:
        click.echo(_addresses(started, story))
        late.keep(threading.Event())


def _addresses(started: Running, story: Story) -> str:
    people = "\n".join(f"    {role:<11} {name:<11} {password}" for role, name, password in story.logins)
    return (
        f"\n  Dashboard   {started.dashboard}\n  Service     {started.api}   (its API: {started.api}/schema)\n"
        f"  Log in as\n{people}\n\n  Ctrl-C stops everything."
    )


def _say(line: str) -> None:
    click.echo(line, err=True)
