"""`stockverify device` is a counting device on a terminal, or many of them at once."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from stockverify.cli import options
from stockverify.client.device import Device
from stockverify.client.heartbeat import LockNews
from stockverify.client.load import MAX_DEVICES, LoadPlan, LoadSummary, run_load
from stockverify.client.prompt import Prompt, lines_of
from stockverify.errors import BadInput

_URL = click.option(
    "--url", help="Address of the service (default: STOCKVERIFY_API_URL, or the service on this machine)."
)
_USERNAME = click.option("--username", required=True, help="Who counts.")
_PASSWORD_FILE = click.option(
    "--password-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File with the password (else STOCKVERIFY_PASSWORD is used, or you are asked).",
)


class PasswordMissing(BadInput):
    """A password is needed: use --password-file, set STOCKVERIFY_PASSWORD, or run this on a terminal."""


class PasswordFileUnreadable(BadInput):
    """The password file {path} cannot be read: {reason}."""


@click.group()
def device() -> None:
    """Count on a terminal as a device does, with or without network, or put the service under load."""


@device.command()
@_URL
@_USERNAME
@_PASSWORD_FILE
@click.option("--queue", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File of the device.")
@click.option("--pin", is_flag=True, help="Log in with a PIN of 4 to 6 digits; it is given as a password is.")
@click.option("--code", help="One-time code of an admin that enrols this device, needed once at most.")
def prompt(
    url: str | None, username: str, password_file: Path | None, queue: Path, pin: bool, code: str | None
) -> None:
    """Count at a prompt. What you count is in FILE at once, survives everything, and is sent when there is network.

    \b
    Example:
      stockverify device prompt --username anna --queue anna.sqlite
      > claim R1 Ground
      > count ITEM001 5 damage 1 bin 3
      > complete

    \b
    On a service that accepts enrolled devices only, the first time with a code:
      stockverify device prompt --username anna --pin --queue anna.sqlite --code 7KM3QXPT
    """
    asyncio.run(_prompt(url or options.settings().service_url(), username, password_file, queue, pin, code))


@device.command()
@_URL
@_USERNAME
@_PASSWORD_FILE
@click.option("--devices", type=click.IntRange(1, MAX_DEVICES), default=20, show_default=True, help="How many.")
@click.option("--records", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Counts of each.")
@click.option(
    "--seconds", type=click.FloatRange(0), default=0.0, help="Spread the counting over so long (else at once)."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one line of JSON.")
def load(
    url: str | None,
    username: str,
    password_file: Path | None,
    devices: int,
    records: int,
    seconds: float,
    as_json: bool,
) -> None:
    """Simulate many devices that count in racks of their own (LOAD-...). Their counts stay: use a test system.

    \b
    Example:
      stockverify device load --username anna --devices 50 --records 500 --seconds 600
    """
    settings = options.settings()
    plan = LoadPlan(
        url=url or settings.service_url(),
        username=username,
        password=_secret(password_file, "Password"),
        devices=devices,
        records=records,
        seconds=seconds,
    )
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder, Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("Counting and sending", total=devices * records)
        summary = asyncio.run(run_load(plan, Path(folder), settings, lambda more: bar.advance(task, more)))
    click.echo(msgspec.json.encode(summary).decode() if as_json else _in_words(summary))


async def _prompt(
    url: str, username: str, password_file: Path | None, queue: Path, pin: bool, code: str | None
) -> None:
    def news(kind: LockNews, message: str) -> None:
        click.echo(f"! {message}")

    def invite() -> None:
        click.echo("> ", nl=False)

    async with Device.open(queue, url, settings=options.settings(), listener=news) as opened:
        if code:
            click.echo(f"This device is enrolled as {await opened.enroll(code)}.")
        what = "PIN" if pin else "Password"
        terminal = Prompt(opened, username, lambda: _secret(password_file, what), click.echo, by_pin=pin)
        await terminal.begin()
        await terminal.obey(lines_of(sys.stdin.fileno(), invite))
        if waiting := opened.progress.waiting:
            click.echo(f"{waiting} counts wait in {queue}; they are sent the next time.")


def _secret(file: Path | None, what: str) -> str:
    if file is not None:
        try:
            return file.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise PasswordFileUnreadable(path=file, reason=error) from None
    if given := os.environ.get("STOCKVERIFY_PASSWORD"):
        return given
    if not sys.stdin.isatty():
        raise PasswordMissing()
    return str(click.prompt(what, hide_input=True, err=True))


def _in_words(summary: LoadSummary) -> str:
    return (
        f"{summary.records} counts of {summary.devices} devices in {summary.seconds:g} s: {summary.acked} stored, "
        f"{summary.conflicts} conflicts, {summary.parked} parked; {summary.records_per_second:g} stored per second.\n"
        f"{summary.batches} batches, {summary.errors} of them failed; half were answered within "
        f"{summary.latency_p50_ms:g} ms, 95 of 100 within {summary.latency_p95_ms:g} ms."
    )
