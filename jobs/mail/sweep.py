"""Removes letters, and mails in the outbox folder, that have had their time."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from pymongo.database import Database

from jobs.mail.letter import DRAFT
from stockverify import letters
from stockverify.age import changed_before
from stockverify.clients import Document
from stockverify.settings import Settings
from stockverify.vocabulary import Collection, DeliveryState

_DRAFT_AGE = timedelta(hours=1)
_OPEN = [DeliveryState.QUEUED.value, DeliveryState.SENDING.value]
_log = structlog.get_logger("jobs.mail")


def sweep(database: Database[Document], settings: Settings, now: datetime) -> list[str]:
    """Remove what is older than MAIL_KEEP_DAYS unless a mail of it may still be sent; gives the names. Safe to run at
    two places. Their rows stay, and say what was sent to whom."""
    cutoff = now - timedelta(days=settings.mail_keep_days)
    old = [path for path in _entries(settings.mails) if path.is_dir() and changed_before(path, cutoff)]
    kept = _needed(database, settings.mails) if old else set()
    going = [path for path in old if path not in kept]
    drafts = [path for path in _entries(settings.mails, hidden=True) if _is_left_draft(path, now)]
    for path in (*going, *drafts):
        shutil.rmtree(path, ignore_errors=True)
    files = [path for path in _entries(settings.outbox) if path.suffix == ".eml" and changed_before(path, cutoff)]
    for path in files:
        path.unlink(missing_ok=True)
    if going or files:
        _log.info("mails_removed", letters=len(going), files=len(files))
    return [path.name for path in (*going, *files)]


def _needed(database: Database[Document], root: Path) -> set[Path]:
    """The letters of mails that may still be sent."""
    rows = database[Collection.DELIVERIES]
    wanted: list[Document] = [
        {"state": {"$in": _OPEN}},
        {"state": DeliveryState.UNKNOWN.value, "next_attempt_at": {"$ne": None}},
    ]
    return {letters.folder(root, row["letter"]) for each in wanted for row in rows.find(each, {"letter": 1})}


def _entries(root: Path, hidden: bool = False) -> list[Path]:
    return [path for path in root.iterdir() if path.name.startswith(".") == hidden] if root.is_dir() else []


def _is_left_draft(path: Path, now: datetime) -> bool:
    return path.name.endswith(DRAFT) and changed_before(path, now - _DRAFT_AGE)
