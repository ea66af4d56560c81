"""Where reports are made: outside the service's own process, which would otherwise need twice the memory and hold up
heartbeats (docs/decisions/0018)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec
import structlog

from ingest.reports.answers import AnyAnswer, Broken, DatabaseAway, Declined, raised
from ingest.reports.desk import Desk
from ingest.reports.errands import AnyErrand, Question
from ingest.scopes.rules import Floors
from stockverify.errors import Unavailable
from stockverify.settings import Settings

T = TypeVar("T")
SHORT_SECONDS = 60
LONG_SECONDS = 1800
BACKGROUND_SECONDS = 6 * 3600
LIST_SECONDS = 600
MEMORY = 6 * 2**30
"""What libraries set aside and do not use counts, 1.6 GiB with all of them; ten million rows take 1.2 GiB beside it."""
LIST_MEMORY = 2 * 2**30
"""A list of 300,000 lines, 26 MiB, takes 0.6 GiB, a third of it for what is loaded before."""


class ErrandFailed(Exception):
    """The reports process met something unexpected; its own log line has the traceback."""


class Room:
    """Four desks: a page of a snapshot never waits behind somebody's export, nor that behind an export job, for which
    nobody waits at all. Uploaded lists, which may be made to do harm, are read where memory has an end."""

    def __init__(self, settings: Settings) -> None:
        # Devices go first on a busy machine, and exports last: a page is something that somebody waits for.
        self.short = Desk(settings, SHORT_SECONDS, niceness=5, memory=MEMORY)
        self.long = Desk(settings, LONG_SECONDS, niceness=10, memory=MEMORY)
        self.background = Desk(settings, BACKGROUND_SECONDS, niceness=15, memory=MEMORY)
        self.lists = Desk(settings, LIST_SECONDS, niceness=10, memory=LIST_MEMORY)

    async def run(self, errand: AnyErrand, kind: type[T], floors: Floors) -> T:
        """The result of an errand, done within these floors; none are all.

        Raises the error of the house that it met, Unavailable or ErrandFailed."""
        desk = self.background if errand.in_background else self.long if errand.takes_long else self.short
        desk = self.lists if errand.of_a_list else desk
        context = {name: str(value) for name, value in structlog.contextvars.get_contextvars().items()}
        return _result(await desk.ask(Question(errand, context, floors)), kind)

    async def close(self) -> None:
        """End all processes."""
        await self.short.close()
        await self.long.close()
        await self.background.close()
        await self.lists.close()


def _result(answer: AnyAnswer, kind: type[T]) -> T:
    match answer:
        case Declined():
            raise raised(answer)
        case DatabaseAway():
            raise Unavailable(service="MongoDB")
        case Broken():
            raise ErrandFailed(answer.error)
    return msgspec.msgpack.decode(answer.result, type=kind)


@asynccontextmanager
async def open_room(settings: Settings) -> AsyncIterator[Room]:
    """A room, empty until somebody asks for a report, and empty again at the end."""
    room = Room(settings)
    try:
        yield room
    finally:
        await room.close()
