"""Stock lists on their way into the book."""

from dashboard.desk import Desk, part
from stockverify.wire.imports import (
    CommitImport,
    ImportDiscarded,
    ImportJob,
    ImportListed,
    ImportOptions,
    ImportOutcome,
)

MOST_LISTS = 50
_PATIENCE = 600.0
"""Reading a list of 300,000 lines and holding it against the book takes a while."""


def upload(desk: Desk, name: str, data: bytes) -> ImportJob:
    """Send a file; it is checked at once and nothing is written."""
    sent = {"params": {"name": name[:1000]}, "content": data, "timeout": _PATIENCE}
    return desk.api.call("POST", "/api/imports/", ImportJob, desk.token, **sent)


def listed(desk: Desk) -> list[ImportListed]:
    """The latest lists, newest first."""
    return desk.get("/api/imports/", list[ImportListed], limit=MOST_LISTS)


def one(desk: Desk, import_id: str) -> ImportJob:
    """One list, and how far it is."""
    return desk.get(f"/api/imports/{part(import_id)}", ImportJob)


def check(desk: Desk, import_id: str, options: ImportOptions) -> ImportJob:
    """A dry run with these options."""
    path = f"/api/imports/{part(import_id)}/check"
    return desk.api.call("POST", path, ImportJob, desk.token, json=_plain(options), timeout=_PATIENCE)


def rejects(desk: Desk, import_id: str) -> bytes:
    """All bad rows, as CSV."""
    return desk.api.file(f"/api/imports/{part(import_id)}/rejects", desk.token)


def commit(desk: Desk, job: ImportJob, outcome: ImportOutcome) -> ImportJob:
    """Import it just as this dry run says."""
    agreed = _plain(CommitImport(sha256=job.sha256, plan=outcome.plan))
    return desk.post(f"/api/imports/{part(job.import_id)}/commit", ImportJob, agreed)


def discard(desk: Desk, import_id: str) -> ImportDiscarded:
    """Forget a list that was not imported."""
    return desk.api.call("DELETE", f"/api/imports/{part(import_id)}", ImportDiscarded, desk.token)


def _plain(body: ImportOptions | CommitImport) -> dict[str, object]:
    return {name: getattr(body, name) for name in body.__struct_fields__}
