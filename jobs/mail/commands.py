"""`stockverify outbox`: lists mails, and shows one as its recipient sees it."""

import email
import os
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import click
import msgspec
from pymongo.database import Database

from analytics.zones import moment
from jobs.mail.message import made, printable
from stockverify import letters
from stockverify.clients import Document, database, open_mongo
from stockverify.environment import from_env
from stockverify.errors import BadInput, NotFound
from stockverify.mail_settings import sender_text
from stockverify.settings import Settings
from stockverify.told import TellingGroup
from stockverify.vocabulary import Collection, DeliveryState

_SHOWN = ("From", "To", "Subject", "Date", "Message-ID", "X-StockVerify-Run", "List-Unsubscribe")
_NOBODY = "nobody@localhost"
_HIDDEN = ("mail", "worker", "lease_until", "data_at", "notice_due", "recipient_key")


class MailUnknown(NotFound):
    """There is no mail {mail_id}. `stockverify outbox` lists all."""


class NoSuchFolder(BadInput):
    """{path} cannot be written: {reason}."""


@click.group(cls=TellingGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--state", type=click.Choice([str(state) for state in DeliveryState]), help="Only mails in this state.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="So many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per mail.")
@click.pass_context
def outbox(ctx: click.Context, state: str | None, limit: int, as_json: bool) -> None:
    """List mails, newest first: when, state, to whom, what, and the id by which `show` finds it.

    Without SMTP_HOST mails are written to the folder `outbox` in the data directory instead of being sent; its
    index.html lists them. `unknown` means that the mail server had the whole text but its reply was lost.

    \b
    Examples:
      stockverify outbox
      stockverify outbox --state failed --json
      stockverify outbox show ID --html mail.html
    """
    if ctx.invoked_subcommand is not None:
        return
    with _rows() as (settings, rows):
        wanted = {"state": state} if state else {}
        found = list(rows[Collection.DELIVERIES].find(wanted).sort("created_at", -1).limit(limit))
    for row in found:
        click.echo(_json(row) if as_json else _line(row, settings.time_zone))
    if not found and not as_json:
        click.echo("No mails." if state is None else f"No mails are {state}.")


@outbox.command()
@click.argument("mail_id")
@click.option("--html", "html", type=click.Path(dir_okay=False, path_type=Path), help="Write its HTML to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print its row as JSON.")
def show(mail_id: str, html: Path | None, as_json: bool) -> None:
    """Show a mail as it is sent: headers, text, attachments, and the log of its attempts."""
    with _rows() as (settings, rows):
        row = rows[Collection.DELIVERIES].find_one({"_id": mail_id})
    if row is None:
        raise MailUnknown(mail_id=mail_id)
    if as_json:
        click.echo(_json(row))
    else:
        _show(row, settings)
    if html is not None:
        _write(html, letters.to_look_at(settings.mails, row["letter"]))


def _show(row: Document, settings: Settings) -> None:
    mail = _message(row, settings)
    for name in _SHOWN:
        if value := row["recipient"] if name == "To" else mail[name]:
            click.echo(f"{name}: {printable(str(value))}")
    for each in mail.iter_attachments():
        click.echo(f"Attached: {each.get_filename()} ({len(each.get_payload(decode=True) or b''):,} bytes)")
    body = mail.get_body(("plain",))
    lines = body.get_content().splitlines() if body else []
    click.echo("\n".join(("", *map(printable, lines), "---")))
    for line in row["log"]:
        said = printable(line["reply"])
        click.echo(f"{moment(line['at'], settings.time_zone)}  {line['state']:<9} {said}".rstrip())


def _message(row: Document, settings: Settings) -> EmailMessage:
    """What was settled at the first attempt is not there before it."""
    unsettled = {"from": sender_text(settings), "link": settings.dashboard_link()}
    letter = letters.words(settings.mails, row["letter"])
    known = row | {"mail": row.get("mail", unsettled), "recipient": _NOBODY}  # the real one may be no address at all
    content = made(known, letter, lambda each: letters.content(settings.mails, row["letter"], each)).content
    read = email.message_from_bytes(content, policy=default)
    return read if isinstance(read, EmailMessage) else EmailMessage()


def _line(row: Document, zone: str) -> str:
    when, to = moment(row["created_at"], zone), printable(row["recipient"]) or "-"
    said = f"\n{'':4}{printable(row['error'])}" if row["error"] else ""
    return f"{when}  {row['state']:<9}  {to:<32}  {printable(row['subject'])}\n{'':4}{row['_id']}{said}"


def _json(row: Document) -> str:
    """Without what only senders need, and without the link that unsubscribes its recipient."""
    return msgspec.json.encode({key: value for key, value in row.items() if key not in _HIDDEN}).decode()


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise NoSuchFolder(path=path, reason=error.strerror) from None


@contextmanager
def _rows() -> "Iterator[tuple[Settings, Database[Document]]]":
    settings = from_env(os.environ)
    with open_mongo(settings.mongodb_uri or "") as client:
        yield settings, database(client, settings)
