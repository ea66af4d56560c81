"""How fast the outbox is emptied into a mail server of this machine, beside bare smtplib with the same bytes."""

import os
import smtplib
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from pymongo import MongoClient

from jobs.mail.letter import Letter, enclosure, keep
from jobs.mail.message import Mail, made
from jobs.mail.outbox import Outbox
from jobs.mail.sender import Sender
from stockverify import indexes, letters
from stockverify.clients import Document, database
from stockverify.services.embedded import Backends
from stockverify.settings import Settings
from stockverify.vocabulary import Collection, DeliveryKind, DeliveryState
from tests.jobs.mail.conftest import NOW, RUN, plain

pytestmark = pytest.mark.bench
MAILS = int(os.environ.get("BENCH_MAILS", "200"))
TURNS = 5
SIZES = {"small": (), "with files": (("chart.png", 75_000), ("rows.csv", 70_000), ("rows.pdf", 400_000))}


class Cost(NamedTuple):
    """Of sending all mails."""

    seconds: float
    processor: float


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a mail server in a process of its own."""
    with subprocess.Popen([sys.executable, "-m", "tests.bench.sink"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()


@pytest.fixture
def settings(embedded: Backends, port: int, tmp_path: Path) -> Settings:
    """A worker's, with that server."""
    return msgspec.structs.replace(embedded.settings, data_dir=tmp_path, mongodb_database="bench_mail", **plain(port))


@pytest.mark.parametrize("size", SIZES)
def test_mails_a_second(
    settings: Settings, mongo: "MongoClient[Document]", port: int, tmp_path: Path, size: str
) -> None:
    db = database(mongo, settings)
    db[Collection.DELIVERIES].delete_many({})
    indexes.ensure_blocking(db)
    letter = _kept(settings, tmp_path, size, SIZES[size])
    people = [f"p{number:04}@shop.example" for number in range(MAILS)]
    ours, bare, mib = [], [], 0.0
    for turn in range(TURNS):
        run = RUN | {"_id": f"{size}-{turn}"}
        Outbox(db, settings.mails).put(size, letter, people, DeliveryKind.REPORT, run, NOW)
        sender = Sender(db, settings, "bench", threading.Event())
        ours.append(_measured(partial(sender.tick, NOW)))
        rows = list(db[Collection.DELIVERIES].find({"run_id": run["_id"]}))
        assert [row["state"] for row in rows] == [DeliveryState.SENT] * MAILS
        mails = [made(row, letter, lambda each: letters.content(settings.mails, size, each)) for row in rows]
        mib = sum(len(mail.content) for mail in mails) / MAILS / 2**20
        bare.append(_measured(partial(_bare, port, mails)))
    _tell(f"{size} ({mib:.2f} MiB)", ours, bare)


def _bare(port: int, mails: list[Mail]) -> None:
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for mail in mails:
            smtp.sendmail(mail.sender, [mail.recipient], mail.content)


def _tell(what: str, ours: list[Cost], bare: list[Cost]) -> None:
    rates = [MAILS / statistics.median(each.seconds for each in costs) for costs in (ours, bare)]
    ratios = [theirs.seconds / own.seconds for own, theirs in zip(ours, bare, strict=True)]
    processor = [1000 / MAILS * statistics.median(each.processor for each in costs) for costs in (ours, bare)]
    print(f"\n{what}: {rates[0]:,.0f} mails/s, bare smtplib {rates[1]:,.0f}, ratio {statistics.median(ratios):.2f}")
    print(f"  by turns: {', '.join(f'{each:.2f}' for each in ratios)}")
    print(f"  processor time of the sender: {processor[0]:.1f} ms a mail, bare {processor[1]:.1f} ms")


def _kept(settings: Settings, folder: Path, letter_id: str, files: tuple[tuple[str, int], ...]) -> Letter:
    for name, size in files:
        (folder / name).write_bytes(os.urandom(size))
    enclosed = tuple(enclosure(folder / name, name, "application/octet-stream") for name, _ in files)
    letter = Letter(subject="Variance", text="words\n" * 200, html="<p>words</p>\n" * 2000, attachments=enclosed)
    keep(settings.mails, letter_id, letter, {name: folder / name for name, _ in files})
    return letter


def _measured(work: Callable[[], None]) -> Cost:
    start, processor = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - start, time.process_time() - processor)
