"""Trouble with MongoDB ends a tick, never the worker."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from pymongo.errors import PyMongoError

_log = structlog.get_logger("jobs")


class Surviving:
    """Says once that MongoDB went away, and once that it is back."""

    def __init__(self) -> None:
        self._away = False

    @contextmanager
    def tick(self) -> Iterator[None]:
        """Around one tick."""
        try:
            yield
        except PyMongoError as error:
            if not self._away:
                _log.warning("mongodb_away", error=type(error).__name__)
            self._away = True
        else:
            if self._away:
                _log.info("mongodb_back")
            self._away = False
