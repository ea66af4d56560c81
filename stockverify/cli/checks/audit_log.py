"""The audit log: whether its chain of hashes holds, also against the end that was noted at the check before."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import msgspec
from pymongo.database import Database
from pymongo.errors import PyMongoError

from stockverify import activity
from stockverify.activity import EMPTY, HEAD_FILE, Head
from stockverify.cli.checks.finding import Finding
from stockverify.clients import Document, database, in_short, open_mongo
from stockverify.settings import Settings
from stockverify.vocabulary import Collection

SHOWN = 5
SEALED_WITHIN = timedelta(minutes=1)


def audit_log(settings: Settings) -> Iterator[Finding]:
    """All findings about the audit log. When all is well, its end is noted beside the data for the next check."""
    try:
        with open_mongo(settings.mongodb_uri or "") as client:
            yield from _examined(database(client, settings), settings.data_dir / HEAD_FILE)
    except PyMongoError as error:
        yield Finding("audit log", False, "The audit log cannot be read.", in_short(error))


def _examined(stored: Database[Document], note: Path) -> Iterator[Finding]:
    log, head = stored[Collection.ACTIVITY_LOGS], EMPTY

    def sealed() -> Iterator[Document]:
        nonlocal head
        for entry in log.find({"sequence": {"$gt": 0}}).sort("sequence", 1):
            head = Head(entry["sequence"], entry["hash"])
            yield entry

    wrong = list(islice(activity.problems(sealed(), _noted(note)), SHOWN))
    for problem in wrong:
        advice = "Somebody wrote to the database beside StockVerify. Find out who, and compare with a backup."
        yield Finding("audit log", False, problem, advice)
    if not wrong:
        _note(note, head)
        yield Finding("audit log", True, f"{head.sequence} entries, each follows the one before it")
    late = log.count_documents({"sequence": None, "at": {"$lt": datetime.now(UTC) - SEALED_WITHIN}})
    if late:
        yield Finding("audit log", False, f"{late} entries are not sealed yet", "Start the service: it seals them.")


def _noted(path: Path) -> Head:
    """The end of the chain at the last check."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Head)
    except FileNotFoundError:
        return EMPTY


def _note(path: Path, head: Head) -> None:
    draft = path.with_suffix(f".{time.monotonic_ns()}")
    draft.touch(mode=0o600)
    draft.write_bytes(msgspec.json.encode(head))
    draft.replace(path)
