"""One process for reports, seen from the service: started with the first errand, given one at a time, replaced when it
has died, and sent home when nobody has asked for a while."""

import asyncio
import contextlib
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from typing import NamedTuple

import msgspec

from ingest.reports.answers import AnyAnswer
from ingest.reports.errands import LENGTH, Question, framed
from stockverify.environment import to_env
from stockverify.errors import Unavailable
from stockverify.settings import Settings

REST_SECONDS = 900
"""A process that nobody has asked anything for so long gives its memory back."""
_CHUNK = 2**20


class ReportsAway(Unavailable):
    """The process that makes reports ended while it was asked, twice; nothing was changed. Try again in {retry_after}
    seconds."""


class ReportTooLong(Unavailable):
    """The report took too long and was given up. Narrow its query, divide a total by a column with fewer values, or try
    again in {retry_after} seconds."""


class _Clerk(NamedTuple):
    """The process and the socket to it."""

    process: Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Desk:
    """Whoever asks waits for those who came before."""

    def __init__(
        self, settings: Settings, patience: float, niceness: int, rest: float = REST_SECONDS, memory: int = 0
    ) -> None:
        """`memory` is how many bytes of its own the process may have; 0 is as many as there are."""
        self._told = msgspec.json.encode(to_env(_needed(settings)))
        self.patience, self._niceness, self._rest, self._memory = patience, niceness, rest, memory
        self._turn = asyncio.Lock()
        self._clerk: _Clerk | None = None
        self._going_home: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """The process id; None when there is none."""
        return self._clerk.process.pid if self._clerk else None

    async def ask(self, question: Question) -> AnyAnswer:
        """Have an errand done; a second time if the process dies of something. Raises ReportsAway."""
        message = framed(msgspec.json.encode(question))
        async with self._turn:
            self._stays()
            try:
                return await self._within_patience(message)
            finally:
                self._may_go()

    async def close(self) -> None:
        """End the process at once, whatever it does."""
        self._stays()
        if clerk := self._dismiss():
            await clerk.process.wait()

    async def _within_patience(self, message: bytes) -> AnyAnswer:
        try:
            async with asyncio.timeout(self.patience):
                for _ in range(2):
                    with contextlib.suppress(EOFError, OSError):
                        return await self._exchange(message)
                    self._dismiss()
        except TimeoutError:
            self._dismiss()
            raise ReportTooLong(service="reports") from None
        except BaseException:  # cancelled: an answer that came now would be taken for that to the next question
            self._dismiss()
            raise
        raise ReportsAway(service="reports")

    async def _exchange(self, message: bytes) -> AnyAnswer:
        clerk = self._clerk = self._clerk or await _started(self._told, self._niceness, self._memory)
        clerk.writer.write(message)
        await clerk.writer.drain()
        (length,) = LENGTH.unpack(await clerk.reader.readexactly(LENGTH.size))
        answer: AnyAnswer = msgspec.msgpack.decode(await clerk.reader.readexactly(length), type=AnyAnswer)
        return answer

    def _dismiss(self) -> _Clerk | None:
        clerk, self._clerk = self._clerk, None
        if clerk is not None:
            clerk.writer.close()
            with contextlib.suppress(ProcessLookupError):
                clerk.process.kill()
        return clerk

    def _may_go(self) -> None:
        self._going_home = asyncio.get_running_loop().call_later(self._rest, self._dismiss)

    def _stays(self) -> None:
        if self._going_home is not None:
            self._going_home.cancel()


async def _started(told: bytes, niceness: int, memory: int) -> _Clerk:
    """A new process. Its session is its own, so that Ctrl-C at the terminal reaches the service alone."""
    ours, theirs = socket.socketpair()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "ingest.reports", str(theirs.fileno()), str(niceness), str(memory)),
            pass_fds=(theirs.fileno(),),
            stdin=DEVNULL,
            start_new_session=True,
        )
        reader, writer = await asyncio.open_connection(sock=ours, limit=_CHUNK)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    writer.write(framed(told))
    return _Clerk(process, reader, writer)


def _needed(settings: Settings) -> Settings:
    """What reports need to know; not the secret that signs tokens."""
    return Settings(
        mongodb_uri=settings.mongodb_uri,
        mongodb_database=settings.mongodb_database,
        data_dir=settings.data_dir,
        time_zone=settings.time_zone,
        currency=settings.currency,
        tolerance_units=settings.tolerance_units,
        tolerance_share=settings.tolerance_share,
        log_level=settings.log_level,
    )
