"""A letter on the disk, an outbox over it, and senders."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pymongo.database import Database

from jobs.mail.letter import Enclosure, Letter, enclosure, keep
from jobs.mail.outbox import Outbox
from jobs.mail.sender import Sender
from jobs.mail.smtp import Line
from stockverify.clients import Document
from stockverify.indexes import INDEXES
from stockverify.settings import Settings
from stockverify.vocabulary import Collection, DeliveryKind
from tests.jobs.mail.servers import Certificate, certificate

NOW = datetime(2026, 1, 5, 7, tzinfo=UTC)
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
HTML = (
    '<html><body><h1>Grüße</h1><img src="cid:chart.png"><p>.dots\n.and lines</p>'
    '<a href="https://unsubscribe.invalid/">Unsubscribe</a></body></html>'
)
TEXT = "Grüße, 1 234 €\n.a line that begins with a dot\n..and two\nStop: https://unsubscribe.invalid/\n"
SCHEDULE = {"_id": "sch-0123456789abcdef", "name": "Variance", "owner_id": "u-owner", "unsubscribed": []}
RUN: Document = {
    "_id": f"{SCHEDULE['_id']}@20260105T070000Z",
    "schedule_id": SCHEDULE["_id"],
    "schedule": SCHEDULE,
}


@pytest.fixture
def db(db: "Database[Document]") -> "Database[Document]":
    """With the indexes of mails, a schedule and its owner."""
    db[Collection.DELIVERIES].create_indexes(list(INDEXES[Collection.DELIVERIES]))
    db["report_schedules"].insert_one(dict(SCHEDULE))
    db["users"].insert_one({"_id": "u-owner", "username": "olga", "email": "olga@shop.example"})
    return db


@pytest.fixture
def outbox(db: "Database[Document]", settings: Settings) -> Outbox:
    """The outbox of the test's database."""
    return Outbox(db, settings.mails)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A chart, and a file with a name beyond ASCII."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "chart").write_bytes(PIXEL)
    (folder / "rows").write_bytes("item;menge\r\n00123;5 €\r\n".encode())
    return {"chart.png": folder / "chart", "Größe.csv": folder / "rows"}


@pytest.fixture
def letter(files: dict[str, Path]) -> Letter:
    """One with everything."""
    return Letter(
        subject="Variance — as of 5 January, 08:00",
        text=TEXT,
        html=HTML,
        images=(enclosure(files["chart.png"], "chart.png", "image/png"),),
        attachments=(enclosure(files["Größe.csv"], "Größe.csv", "text/csv; charset=utf-8"),),
        snapshot_id="20260105T065900Z-0000abcd",
        as_of=NOW,
    )


Put = Callable[..., list[str]]


@pytest.fixture
def put(outbox: Outbox, settings: Settings, letter: Letter, files: dict[str, Path]) -> Put:
    """Puts the letter in for these recipients; gives the ids of all mails of the run."""

    def run(*recipients: str, run: Document = RUN, kind: DeliveryKind = DeliveryKind.REPORT) -> list[str]:
        keep(settings.mails, run["_id"], letter, files)
        outbox.put(run["_id"], letter, recipients, kind, run, NOW)
        return [row["_id"] for row in outbox._rows.find({"run_id": run["_id"]}).sort("recipient", 1)]

    return run


@pytest.fixture
def sender(db: "Database[Document]", settings: Settings) -> Callable[..., Sender]:
    """Senders with settings of their own."""

    def make(name: str = "one", lease: float = 180.0, line: Callable[..., Line] = Line, **changes: Any) -> Sender:
        changed = msgspec.structs.replace(settings, **changes)
        return Sender(db, changed, name, threading.Event(), lease, line)

    return make


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for localhost."""
    return certificate(tmp_path_factory.mktemp("trusted"))


@pytest.fixture
def rows(db: "Database[Document]") -> Callable[[], list[Document]]:
    """All reports in the outbox, by recipient."""
    return lambda: list(db["report_deliveries"].find({"kind": {"$ne": "notice"}}).sort("recipient", 1))


def plain(port: int) -> dict[str, Any]:
    """Settings for a server of this machine without encryption."""
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
        "mail_from": "Stock Office <stock@shop.example>",
    }


__all__ = ["NOW", "RUN", "SCHEDULE", "Enclosure"]
