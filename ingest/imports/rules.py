"""Pure decisions about uploaded stock lists: who may do what with one, and how one is kept and shown."""

from datetime import datetime, timedelta

import msgspec

from ingest.auth.rules import Caller
from stockverify.clients import Document, as_stored
from stockverify.errors import BadInput, Forbidden, NotFound, Refused, TooLarge, TooMany
from stockverify.stocklist.columns import COLUMNS
from stockverify.vocabulary import ImportStatus, Role
from stockverify.wire.imports import Checked, CommitImport, ImportJob, ImportListed, ImportOptions

MAX_BYTES = 32 * 2**20
MOST_OPEN = 5
LEASE_SECONDS = 30
MOST_ATTEMPTS = 5
OPEN_FOR = timedelta(hours=24)
REMEMBERED_FOR = timedelta(days=400)
"""As long as deliveries are: a year, and some time to look back on it."""


class ListTooLarge(TooLarge):
    """The list is larger than {limit:,} bytes. Split it into several files, or import it with `stockverify import`."""


class ListTooHeavy(TooLarge):
    """Reading the list takes more memory or time than an upload may take. Split it, or delete what lies outside the
    list; a workbook is lighter as CSV."""


class EmptyUpload(BadInput):
    """The upload is empty: the body has to be the file as it is, of type application/octet-stream."""


class ImportUnknown(NotFound):
    """There is no uploaded list {import_id}. GET /api/imports/ lists all."""


class NotYourImport(Forbidden):
    """The list {import_id} was uploaded by {owner}; its uploader or an admin may go on with it."""


class ImportOver(Refused):
    """The list {import_id} is {status}: it cannot be changed any more. Upload it again."""


class NotChecked(Refused):
    """The list {import_id} has no dry run that could be agreed to: {problem}"""


class AnotherFile(Refused):
    """The list {import_id} is another file than the one that was agreed to. Look at its dry run again."""


class AnotherPlan(Refused):
    """The list {import_id} was checked again since the dry run that was agreed to. Look at the new dry run."""


class TooManyImports(TooMany):
    """You have {most} uploaded lists that were not imported. Discard one. Or try again in {retry_after} seconds."""


class UnknownColumns(BadInput):
    """columns: there is no column {names}. The columns are: {known}."""


BOOK_CHANGED = "The book has changed since the dry run, so nothing was written. This is the new dry run."


def known_columns(options: ImportOptions) -> None:
    """Raises UnknownColumns."""
    if strange := [name[:80] for name in options.columns or {} if name not in COLUMNS]:
        raise UnknownColumns(names=", ".join(map(repr, strange[:5])), known=", ".join(COLUMNS))


def uploaded(import_id: str, file: str, size: int, sha256: str, caller: Caller, now: datetime) -> Document:
    """A list that has just arrived, as MongoDB keeps it. Options and findings are kept as JSON texts, which hold any
    heading as it was written."""
    return {
        "_id": import_id,
        "file": file,
        "bytes": size,
        "sha256": sha256,
        "status": ImportStatus.OPEN.value,
        "created_by": caller.username,
        "created_by_id": caller.user_id,
        "created_at": as_stored(now),
        "forgotten_at": as_stored(now + REMEMBERED_FOR),
        "options": _json(ImportOptions()),
        "checked": _json(Checked()),
        "plan": None,
        "attempts": 0,
    }


def findings(options: ImportOptions, checked: Checked) -> Document:
    """What is written down of a dry run."""
    outcome = checked.outcome
    numbers = (
        {name: getattr(outcome, name) for name in ("rows_read", "rejected", "added", "changed")} if outcome else {}
    )
    plan = outcome.plan if outcome else None
    return {"options": _json(options), "checked": _json(checked), "plan": plan, "numbers": numbers, "note": None}


def options_of(document: Document) -> ImportOptions:
    """What was said about a list."""
    return msgspec.json.decode(document["options"], type=ImportOptions)


def may_change(document: Document, caller: Caller) -> None:
    """Raises NotYourImport or ImportOver."""
    if caller.role is not Role.ADMIN and document["created_by_id"] != caller.user_id:
        raise NotYourImport(import_id=document["_id"], owner=document["created_by"])
    if document["status"] != ImportStatus.OPEN:
        raise ImportOver(import_id=document["_id"], status=document["status"])


def may_commit(document: Document, caller: Caller, agreed: CommitImport) -> None:
    """Raises what is in the way of importing just what was agreed to."""
    may_change(document, caller)
    if document["sha256"] != agreed.sha256:
        raise AnotherFile(import_id=document["_id"])
    if document["plan"] is None:
        problem = msgspec.json.decode(document["checked"], type=Checked).problem
        raise NotChecked(import_id=document["_id"], problem=problem or "it was not checked yet.")
    if document["plan"] != agreed.plan:
        raise AnotherPlan(import_id=document["_id"])


def job(document: Document) -> ImportJob:
    """A list as replies show it."""
    return ImportJob(
        import_id=document["_id"],
        options=options_of(document),
        checked=msgspec.json.decode(document["checked"], type=Checked),
        created_at=document["created_at"].timestamp(),
        committed_at=_seconds(document.get("committed_at")),
        finished_at=_seconds(document.get("finished_at")),
        **{name: document[name] for name in ("file", "bytes", "sha256", "status", "created_by")},
        **{name: document[name] for name in ("committed_by", "writes_total", "note") if name in document},
        **{name: document[name] for name in ("writes_done", "overtaken") if name in document},
    )


def listed(document: Document) -> ImportListed:
    """A list among all."""
    return ImportListed(
        import_id=document["_id"],
        created_at=document["created_at"].timestamp(),
        finished_at=_seconds(document.get("finished_at")),
        **{name: document[name] for name in ("file", "bytes", "status", "created_by")},
        **document.get("numbers", {}),
    )


def file_name(name: str) -> str:
    """What a browser calls a file, without its folders and in one line."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter if letter.isprintable() else " " for letter in last).strip()[:200] or "stock list"


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()


def _seconds(instant: datetime | None) -> float | None:
    return None if instant is None else instant.timestamp()
