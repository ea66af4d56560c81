"""Gives every request an id, answers it in X-Request-ID, measures it, and logs failures and slow ones as one line each:
never a header, a body or a query string."""

import re
import time
import uuid
from urllib.parse import unquote

import structlog
from litestar import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from ingest.metrics import declared, observe
from ingest.metrics.rules import reported_queue

_log = structlog.get_logger("ingest.request")
# Stands for a slash within a name on its way through the router; no name may hold a control character itself.
SLASH = "\x1f"
_ID = re.compile(r"[\w.-]{1,64}")
_READ = frozenset({b"x-request-id", b"x-queue-length", b"x-queue-age"})
SLOW_SECONDS = 1.0
OURS = (0, *range(500, 600))
"""Statuses that are the service's own fault or its backends'; 0 is no reply at all."""


def identified(app: ASGIApp) -> ASGIApp:
    """The outermost layer: it also covers replies that no route made, such as 404."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        _keep_slashes_of_names(scope)
        headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _READ}
        request_id, started, status = _request_id(headers), time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        structlog.contextvars.bind_contextvars(request_id=request_id)
        declared.REQUESTS_IN_FLIGHT.inc()
        try:
            await app(scope, receive, answer)
        finally:
            declared.REQUESTS_IN_FLIGHT.dec()
            _note(scope, headers, status, time.perf_counter() - started)
            structlog.contextvars.clear_contextvars()

    return run


def _keep_slashes_of_names(scope: Scope) -> None:
    """A slash that a client wrote as %2F belongs to a name such as rack `A/12`, and must not split the path."""
    raw = scope.get("raw_path") or b""
    if b"%2f" in raw.lower():
        segments = raw.decode("latin-1").split("/")
        scope["path"] = "/".join(unquote(segment).replace("/", SLASH) for segment in segments)


async def restore_slashes(request: Request) -> None:
    """Before a handler whose path holds a name: give the name its slashes back. Async, because Litestar would run it in
    a thread otherwise."""
    names = request.path_params
    names.update({key: value.replace(SLASH, "/") for key, value in names.items() if isinstance(value, str)})


def _request_id(headers: dict[bytes, str]) -> str:
    """The caller's own id when it is a harmless one, else a new one."""
    sent = headers.get(b"x-request-id", "")
    return sent if _ID.fullmatch(sent) else uuid.uuid4().hex


def _note(scope: Scope, headers: dict[bytes, str], status: int, seconds: float) -> None:
    handler = scope.get("route_handler")
    operation, method = handler.name if handler else None, str(scope.get("method", ""))
    observe.request(operation, method, status, seconds)
    if b"x-queue-length" in headers:
        observe.queue(reported_queue(headers[b"x-queue-length"], headers.get(b"x-queue-age")))
    milliseconds = round(seconds * 1000, 1)
    if status in OURS or seconds > SLOW_SECONDS:
        caller = scope.get("user")
        who = {"user_id": caller.user_id, "device_id": caller.device_id} if caller else {}
        event = "request_failed" if status in OURS else "request_slow"
        _log.info(event, operation=operation, method=method, status=status, ms=milliseconds, **who)
    else:
        _log.debug("request", operation=operation, method=method, path=scope["path"], status=status, ms=milliseconds)
