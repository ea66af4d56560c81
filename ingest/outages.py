"""Outages of MongoDB: how they look, how long a request may wait for one to end, and who is spared the waiting."""

import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

import pymongo
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send
from pymongo.errors import ConnectionFailure, ExecutionTimeout, PyMongoError, WTimeoutError

from stockverify.breaker import Breaker
from stockverify.errors import Unavailable

T = TypeVar("T")
PATIENCE_SECONDS = 1.6
"""An outage must become a 503 within two seconds, also when MongoDB hangs instead of refusing."""
TAKES_ITS_TIME = {"takes_its_time": True}
"""The options of handlers with time limits of their own, such as reports."""

_OUTAGES = (ConnectionFailure, ExecutionTimeout, WTimeoutError)
_SEEN = "outage_of_mongodb"
_ends_at: ContextVar[float] = ContextVar("ends_at")


def is_outage(error: Exception) -> bool:
    """Whether MongoDB is to blame, and asking again later may help."""
    if not isinstance(error, PyMongoError):
        return False
    return isinstance(error, _OUTAGES) or error.timeout or error.has_error_label("RetryableWriteError")


def note_outage(scope: Scope, error: Exception) -> None:
    """Remember, for the breaker, that a request failed because of MongoDB; its reply is made elsewhere."""
    scope["state"][_SEEN] = error


async def patiently(breaker: Breaker, work: Callable[[], Awaitable[T]]) -> T:
    """Do work that talks to MongoDB, all of it within the time that a request may take. Raises Unavailable."""

    async def limited() -> T:
        before = _ends_at.set(time.monotonic() + min(PATIENCE_SECONDS, seconds_left()))
        try:
            with pymongo.timeout(PATIENCE_SECONDS):
                return await work()
        finally:
            _ends_at.reset(before)

    return await breaker.call(limited)


def seconds_left() -> float:
    """How long the work of this request may still take; outside of a request, as long as one."""
    return max(0.0, _ends_at.get(time.monotonic() + PATIENCE_SECONDS) - time.monotonic())


def guarded(app: ASGIApp) -> ASGIApp:
    """Middleware: a request's work on MongoDB has a time limit, and is not begun while the breaker is open."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["route_handler"].opt.get("takes_its_time"):
            await app(scope, receive, send)
            return
        answered = False

        async def work() -> None:
            nonlocal answered
            await app(scope, receive, send)
            answered = True
            if error := scope["state"].pop(_SEEN, None):
                raise error

        try:
            await patiently(scope["litestar_app"].state.stores.mongo_breaker, work)
        except Unavailable:
            if not answered:
                raise

    return run
