"""Writes agreed lists into the book in the background, one at a time in the whole house, each to its end: what a killed
process began another one finishes (docs/decisions/0040)."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog
from pymongo.errors import PyMongoError

from ingest.background import in_background
from ingest.imports import rules
from ingest.imports.store import ImportStore
from ingest.reports import telling
from ingest.reports.answers import ListApplied
from ingest.reports.errands import ApplyList
from ingest.reports.room import ErrandFailed, Room
from ingest.scopes.rules import EVERYWHERE
from stockverify.clients import Document
from stockverify.errors import BadInput, Refused, StockVerifyError
from stockverify.vocabulary import ImportStatus

_PAUSE_SECONDS = 1.0
_LOOK_SECONDS = 0.5
_EXPIRE_SECONDS = 300
GAVE_UP = (
    "It was tried {attempts} times and broke off each time; some of its lines may be in the book. Upload the same "
)
GAVE_UP += "list again: its dry run then shows what is left to do. The last time: {reason}"
_log = structlog.get_logger("ingest.imports")


@asynccontextmanager
async def running_imports(store: ImportStore, room: Room) -> AsyncIterator[None]:
    """Write lists until the end of the block; one that is under way then is left to another process."""
    async with in_background(_run_for_ever(store, room)):
        yield


async def _run_for_ever(store: ImportStore, room: Room) -> None:
    expire_at = 0.0
    while True:
        try:
            if time.monotonic() >= expire_at:
                expire_at = time.monotonic() + _EXPIRE_SECONDS
                await store.expire(datetime.now(UTC))
            if job := await store.take(datetime.now(UTC)):
                await work(store, room, job)
                continue
        except PyMongoError as error:
            _log.warning("imports_wait", reason=str(error)[:200])
        except Exception as error:  # the list is taken up again when its lease has run out; the others must not wait
            _log.error("import_broke_off", exc_info=error)
        with suppress(TimeoutError):  # one that was queued here begins at once
            await asyncio.wait_for(store.queued.wait(), _PAUSE_SECONDS)
        store.queued.clear()


async def work(store: ImportStore, room: Room, job: Document) -> None:
    """Write one list that was taken. What only broke off is taken up again, after its lease has run out."""
    errand = asyncio.create_task(room.run(_errand(store, job), ListApplied, EVERYWHERE))
    try:
        await _watched(store, job, errand)
        applied = errand.result()
    except (BadInput, Refused) as error:
        await store.finish(job, _failed(error.message), datetime.now(UTC))
    except (StockVerifyError, ErrandFailed) as error:
        _log.warning("import_broke_off", import_id=job["_id"], attempts=job["attempts"], reason=str(error)[:300])
        if job["attempts"] >= rules.MOST_ATTEMPTS:
            told = GAVE_UP.format(attempts=job["attempts"], reason=str(error)[:300])
            await store.finish(job, _failed(told), datetime.now(UTC))
    else:
        await _told(store, job, applied)
    finally:
        errand.cancel()
        with suppress(asyncio.CancelledError, StockVerifyError, ErrandFailed):
            await errand


async def _told(store: ImportStore, job: Document, applied: ListApplied) -> None:
    if applied.checked is not None:
        await store.reopen(job, rules.options_of(job), applied.checked)
        return
    done = {"status": ImportStatus.DONE.value, "overtaken": applied.overtaken, "note": None}
    await store.finish(job, done | {"writes_done": applied.writes, "writes_total": applied.writes}, datetime.now(UTC))


async def _watched(store: ImportStore, job: Document, errand: "asyncio.Task[ListApplied]") -> None:
    """Pass on how far it is until it ends."""
    while not (await asyncio.wait({errand}, timeout=_LOOK_SECONDS))[0]:
        progress = telling.told(store.folder(job["_id"]))
        changes = {"writes_done": progress.done, "writes_total": progress.total} if progress else {}
        try:
            if not await store.renew(job, changes, datetime.now(UTC)):
                return
        except PyMongoError as error:
            _log.warning("import_goes_on", import_id=job["_id"], reason=str(error)[:200])


def _errand(store: ImportStore, job: Document) -> ApplyList:
    return ApplyList(
        path=str(store.file(job)),
        options=rules.options_of(job),
        sha256=job["sha256"],
        plan=job["plan"],
        folder=str(store.folder(job["_id"])),
    )


def _failed(reason: str) -> Document:
    return {"status": ImportStatus.FAILED.value, "note": reason}
