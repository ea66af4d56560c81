"""Which errors an operation may answer."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from ingest.access import LIMITED, OPERATIONS, PUBLIC
from ingest.documentation.shapes import Problem, reference

NEVER_LIMITED = frozenset({"health", "metrics"})
NAME_OTHERS_IN_BODY_OR_QUERY = frozenset(
    {"sync.heartbeat", "reports.compare", "reports.preview", "devices.invite", "anomalies.list", "exports.create"}
    | {"activity.chain", "auth.oidc"}
)
SIGNED = frozenset({"exports.file", "exports.about_file"})
MAY_BE_GONE = frozenset(
    {
        "deliveries.html",
        "deliveries.text",
        "deliveries.file",
        "deliveries.retry",
        "exports.manifest",
        "schedules.letter",
        "letters.html",
        "letters.text",
        "subscriptions.page",
        "subscriptions.stop",
        "subscriptions.resume",
    }
)
READ_THE_LAKE = frozenset(
    {"anomalies.list", "exports.create", "schedules.create", "schedules.change"}
    | {f"reports.{name}" for name in ("preview", "create_snapshot", "snapshot", "lineage", "pin", "unpin")}
    | {f"reports.{name}" for name in ("delete_snapshot", "refresh_snapshot", "export_snapshot", "compare")}
    | {f"reports.{name}" for name in ("comparison_rows", "comparison_contributions", "export_comparison")}
)
CHECK_CREDENTIALS = frozenset({"auth.login", "auth.login_pin", "auth.oidc", "auth.refresh", "devices.enroll"})
WRITES = frozenset({"post", "put", "patch", "delete"})

_RETRY_AFTER = {
    "description": "Seconds after which it makes sense to try again",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}
_MEANINGS = {
    400: "The request cannot be read, or a value in it makes no sense; `detail` names it",
    401: "The token (or, at a login, the secret), and nothing else: log in again",
    403: "The caller may not do this",
    404: "What the request names does not exist",
    409: "It contradicts what stands already; `detail` says who or what",
    410: "It was there once and is no more",
    413: "The body is too large, as it came or decoded",
    416: "The file ends before the range that is asked for; Content-Range has its size",
    429: "Too many requests or attempts; wait as long as Retry-After says",
    500: "A snapshot is damaged or of another version; `detail` names it and the file. It needs repair, not a retry",
    503: "A backend does not answer; what was asked is done whole or not at all: try again after Retry-After",
}


def statuses(operation: str, method: str, path: str) -> Iterator[int]:
    """The statuses of the errors that an operation may answer."""
    public = OPERATIONS[operation] == PUBLIC
    if operation in NEVER_LIMITED:
        return
    yield from (400, 413)  # any request may bring a body, and an encoded one is read before anybody looks
    if not public or operation in CHECK_CREDENTIALS:
        yield from (401, 403)
    if operation in SIGNED:
        yield from (403, 410, 416)
    if operation in MAY_BE_GONE:
        yield 410
    if "{" in path or operation in NAME_OTHERS_IN_BODY_OR_QUERY:
        yield 404
    if method in WRITES and operation != "auth.refresh":
        yield 409
    if not public or operation in LIMITED:
        yield 429
    if operation in READ_THE_LAKE:
        yield 500
    yield 503


def response(status: int) -> dict[str, Any]:
    """An error as the document describes it."""
    described: dict[str, Any] = {
        "description": _MEANINGS.get(status, HTTPStatus(status).phrase),
        "content": {"application/problem+json": {"schema": reference(Problem)}},
    }
    return described | ({"headers": {"Retry-After": _RETRY_AFTER}} if status in (429, 503) else {})
