"""Gives every request an id, answers it in X-Request-ID, and logs one line per request, never a header or a body."""

import re
import time
import uuid
from urllib.parse import unquote

import structlog
from litestar import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.get_logger("ingest.request")
# Stands for a slash within a name on its way through the router; no name may hold a control character itself.
SLASH = "\x1f"
_ID = re.compile(r"[\w.-]{1,64}")


def identified(app: ASGIApp) -> ASGIApp:
    """The outermost layer: it also covers replies that no route made, such as 404."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        _keep_slashes_of_names(scope)
        request_id, started, status = _request_id(scope), time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await app(scope, receive, answer)
        finally:
            elapsed = round((time.perf_counter() - started) * 1000, 1)
            method = scope.get("method", "")
            _log.debug("request", method=method, path=scope["path"], status=status, ms=elapsed)
            structlog.contextvars.clear_contextvars()

    return run


def _keep_slashes_of_names(scope: Scope) -> None:
    """A slash that a client wrote as %2F belongs to a name such as rack `A/12`, and must not split the path."""
    raw = scope.get("raw_path") or b""
    if b"%2f" in raw.lower():
        segments = raw.decode("latin-1").split("/")
        scope["path"] = "/".join(unquote(segment).replace("/", SLASH) for segment in segments)


def restore_slashes(request: Request) -> None:
    """Before a handler whose path holds a name: give the name its slashes back."""
    names = request.path_params
    names.update({key: value.replace(SLASH, "/") for key, value in names.items() if isinstance(value, str)})


def _request_id(scope: Scope) -> str:
    """The caller's own id when it is a harmless one, else a new one."""
    sent = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
    return sent if _ID.fullmatch(sent) else uuid.uuid4().hex
