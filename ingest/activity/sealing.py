"""Seals the audit log in the background, a moment after entries were written."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from pymongo.errors import PyMongoError

from ingest.activity.store import ActivityStore
from ingest.background import in_background

_PAUSE_SECONDS = 1.0
_log = structlog.get_logger("ingest.activity")


@asynccontextmanager
async def sealing(store: ActivityStore) -> AsyncIterator[None]:
    """Seal until the end of the block, and once more then."""
    try:
        async with in_background(_seal_for_ever(store)):
            yield
    finally:
        with suppress(PyMongoError):
            await store.seal()


async def _seal_for_ever(store: ActivityStore) -> None:
    while True:
        try:
            if await store.seal():
                continue
        except PyMongoError as error:
            _log.warning("sealing_waits", reason=str(error)[:200])
        await asyncio.sleep(_PAUSE_SECONDS)
