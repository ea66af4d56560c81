"""Pure: how a run ended, as its document says it."""

from datetime import datetime

from stockverify.clients import Document
from stockverify.vocabulary import RunStatus

MAX_ATTEMPTS = 3
_LONGEST = 1000


def succeeded(snapshot_id: str | None, now: datetime) -> Document:
    """It gave this snapshot, or none because it was for something else."""
    return {"status": RunStatus.SUCCEEDED.value, "snapshot_id": snapshot_id, "finished_at": now, "error": None}


def failed(message: str, now: datetime) -> Document:
    """It cannot be done; the message says why."""
    return {"status": RunStatus.FAILED.value, "finished_at": now, "error": message[:_LONGEST]}


def worn_out(run: Document) -> bool:
    """Whether a run was taken more often than a passing trouble explains."""
    return bool(run["attempts"] > MAX_ATTEMPTS)
