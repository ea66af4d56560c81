"""How far a comparison or a query is, and how it is stopped: for the thread that makes it, and for those that wait
for it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from stockverify.errors import Refused

LOOK_SECONDS = 0.2


class Stopped(Refused):
    """The comparison or query was stopped; nothing of it was kept."""


class Watch:
    """One piece of work. `done` is how much of it is done, from 0 to 1, as DuckDB estimates it. `stopping` is asked,
    too, whether it is to stop."""

    def __init__(self, stopping: Callable[[], bool] = bool) -> None:
        self.done = 0.0
        self._stopping = stopping
        self._phase = (0.0, 0.0)
        self._stop = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether somebody has asked it to stop."""
        return self._stop.is_set() or self._stopping()

    def stop(self) -> None:
        """Ask it to stop, in the middle of whatever it does."""
        self._stop.set()

    def phase(self, first: float, last: float) -> None:
        """What follows is that part of the whole. Raises Stopped."""
        if self.stopped:
            raise Stopped()
        self._phase, self.done = (first, last), max(self.done, first)

    @contextmanager
    def over(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Follow what a connection does, and interrupt it when it is to stop."""
        ended = threading.Event()
        looking = threading.Thread(target=self._look, args=(connection, ended), daemon=True)
        try:
            looking.start()
            yield
        finally:
            ended.set()
            looking.join()  # it must not interrupt a connection that has been closed meanwhile

    def _look(self, connection: duckdb.DuckDBPyConnection, ended: threading.Event) -> None:
        while not ended.wait(LOOK_SECONDS):
            first, last = self._phase
            self.done = max(self.done, first + (last - first) * max(connection.query_progress(), 0.0) / 100)
            if self.stopped:
                connection.interrupt()
