"""Does export jobs in the background, one at a time in each service process, and sweeps away old files."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from pymongo.errors import PyMongoError

from ingest.background import in_background
from ingest.exports import rules
from ingest.exports.store import ExportStore
from ingest.reports import telling
from ingest.reports.answers import Made
from ingest.reports.room import ErrandFailed, Room
from ingest.scopes.rules import floors_of
from stockverify.age import changed_before
from stockverify.clients import Document
from stockverify.errors import StockVerifyError
from stockverify.vocabulary import ExportStatus

_PAUSE_SECONDS = 1.0
_LOOK_SECONDS = 0.5
_SWEEP_SECONDS = 60
_PATIENCE_SECONDS = 20
"""How long a job that was asked to stop may take to do so between two batches; then its process is ended."""
_ORPHAN_AGE = timedelta(hours=1)
_log = structlog.get_logger("ingest.exports")


@asynccontextmanager
async def running_exports(store: ExportStore, room: Room) -> AsyncIterator[None]:
    """Do jobs until the end of the block; one that is under way then is left to another process."""
    async with in_background(_run_for_ever(store, room)):
        yield


async def _run_for_ever(store: ExportStore, room: Room) -> None:
    sweep_at = 0.0
    while True:
        try:
            if time.monotonic() >= sweep_at:
                sweep_at = time.monotonic() + _SWEEP_SECONDS
                await sweep(store, datetime.now(UTC))
            if job := await store.take(datetime.now(UTC)):
                await work(store, room, job)
                continue
        except PyMongoError as error:
            _log.warning("exports_wait", reason=str(error)[:200])
        except Exception as error:  # the job is taken up again when its lease has run out; the others must not wait
            _log.error("export_broke_off", exc_info=error)
        await asyncio.sleep(_PAUSE_SECONDS)


async def work(store: ExportStore, room: Room, job: Document) -> None:
    """Do one job that was taken, to whatever end. Only the files of a job that is done are kept."""
    await _remove(store.folders(job))
    outcome, folder, kept = rules.verdict(job), store.folder(job), False
    try:
        outcome = outcome or await _made(store, room, job, folder)
        kept = await store.finish(job, outcome, datetime.now(UTC)) and outcome["status"] == ExportStatus.DONE
    except asyncio.CancelledError:
        with suppress(PyMongoError):
            await store.give_back(job)
        raise
    finally:
        if not kept:
            await _remove([folder])


async def _made(store: ExportStore, room: Room, job: Document, folder: Path) -> Document:
    errand = asyncio.create_task(room.run(rules.errand(job, str(folder)), Made, floors_of(job)))
    try:
        stopped = await _watched(store, job, folder, errand)
        return {"status": ExportStatus.CANCELLED.value} if stopped else _outcome(job, errand)
    finally:
        errand.cancel()
        with suppress(asyncio.CancelledError, StockVerifyError, ErrandFailed):
            await errand


async def _watched(store: ExportStore, job: Document, folder: Path, errand: "asyncio.Task[Made]") -> bool:
    """Pass on how far it is until it ends; whether it ends because it was asked to, or is somebody else's by now."""
    deadline = None
    while not (await asyncio.wait({errand}, timeout=_LOOK_SECONDS))[0]:
        progress = telling.told(folder)
        changes = {"rows_done": progress.done, "rows_total": progress.total} if progress else {}
        try:
            state = await store.renew(job, changes, datetime.now(UTC))
        except PyMongoError as error:
            _log.warning("export_goes_on", job_id=job["_id"], reason=str(error)[:200])
            continue
        if state is None:
            return True
        if state["cancel_asked"]:
            telling.stop(folder)
            deadline = deadline or time.monotonic() + _PATIENCE_SECONDS
            if time.monotonic() > deadline:
                return True
    return deadline is not None


def _outcome(job: Document, errand: "asyncio.Task[Made]") -> Document:
    """What is written down of an errand that has ended by itself."""
    try:
        made = errand.result()
    except StockVerifyError as error:
        return {"status": ExportStatus.FAILED.value, "error": error.message}
    except ErrandFailed as error:
        _log.error("export_failed", job_id=job["_id"], reason=str(error))
        return {"status": ExportStatus.FAILED.value, "error": "Something went wrong; the log of the service has it."}
    path = Path(made.path)
    told = {"file": path.name, "bytes": path.stat().st_size, "sha256": made.sha256}
    return {"status": ExportStatus.DONE.value, "rows_done": made.rows, "rows_total": made.rows} | told


async def sweep(store: ExportStore, now: datetime) -> None:
    """Remove files whose time is over, and folders that a killed process has left. After a restore those that no job
    knows stay for a while: they may be those of the database of before."""
    for job in await store.expired(now):
        await _remove(store.folders(job))
        await store.forget_file(job)
    old = [path for path in store.root.glob("ex-*") if changed_before(path, now - _ORPHAN_AGE)]
    if not old or await store.was_brought_back(now):
        return
    used = await store.in_use([path.name.rpartition("-")[0] for path in old])
    await _remove([path for path in old if path.name not in used])


async def _remove(folders: list[Path]) -> None:
    """In a thread: a disk takes a while to let go of a large file, and heartbeats must not wait for it."""
    for path in folders:
        await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
