"""Completes what Litestar derives from the handlers: exact schemas, errors, headers, security and examples."""

import copy
from typing import Any

from ingest.access import OPERATIONS, PUBLIC
from ingest.documentation import errors
from ingest.documentation.examples import EXAMPLES
from ingest.documentation.shapes import OperationsBatch, SyncBatch, reference, schemas
from stockverify.media_types import MEDIA_TYPES
from stockverify.vocabulary import SessionStatus

Document = dict[str, Any]
ABOUT = """Counting stock rack by rack.

Log in at `/api/auth/login` and send the access token as `Authorization: Bearer`. Every reply carries `X-Request-ID`;
errors are `application/problem+json` whose `detail` says what to do. Request bodies may be gzip or zstd encoded.

Live updates are at the WebSocket `/ws/updates`, with the token in `Authorization` or in
`Sec-WebSocket-Protocol: jwt, <token>`. Messages are JSON: `type`, `channel`, `data`, `timestamp`. After a connection
and after a message of type `resync`, fetch again what you show. The service closes with 4401 when the login has ended,
and with 1013 when a client reads too slowly."""
TAGS = {
    "auth": "Logging in and out; people",
    "devices": "Enrolling and revoking devices",
    "racks": "Claiming, pausing and giving back racks",
    "sessions": "One counter's work",
    "sync": "Counted records, in batches; conflicts",
    "reports": "Queries, snapshots, comparisons and runs of the worker",
    "schedules": "What the worker does by itself, when, and for whom",
    "imports": "Stock lists on their way into the book",
    "activity": "The audit log",
    "health": "Whether the service works, and how well",
}
PARAMETERS: Document = {
    "DeviceId": {
        "name": "X-Device-ID",
        "in": "header",
        "description": "Which device of the caller this is; without it all count as one",
        "schema": {"type": "string"},
    },
    "QueueLength": {
        "name": "X-Queue-Length",
        "in": "header",
        "description": "How many records wait on the device; nonsense is ignored",
        "schema": {"type": "string", "examples": ["12"]},
    },
    "QueueAge": {
        "name": "X-Queue-Age",
        "in": "header",
        "description": "Age in seconds of the oldest of them; nonsense is ignored",
        "schema": {"type": "string", "examples": ["3.5"]},
    },
}
_PATHS: Document = {
    "rack_id": {"type": "string", "minLength": 1, "maxLength": 128, "description": "Printable; a slash as %2F"},
}
_QUERIES: dict[tuple[str, str], Document] = {
    ("sessions.list", "status"): {"enum": [status.value for status in SessionStatus]},
    ("sessions.set_status", "status"): {"enum": [status.value for status in SessionStatus]},
    ("reports.export_snapshot", "format"): {"enum": list(MEDIA_TYPES), "default": next(iter(MEDIA_TYPES))},
    ("reports.export_comparison", "format"): {"enum": list(MEDIA_TYPES), "default": next(iter(MEDIA_TYPES))},
}
_BODY_MAY_BE_LEFT_OUT = frozenset({"racks.reverify"})
_TELL_OF_THEIR_QUEUE = frozenset({"sessions.heartbeat", "sync.batch", "sync.heartbeat"})
_REQUEST_ID = {"description": "Names the request in the log", "required": True, "schema": {"type": "string"}}
_BINARY = {"schema": {"type": "string", "format": "binary"}}


def complete(derived: Document) -> Document:
    """The whole document."""
    document = copy.deepcopy(derived)
    document["info"]["description"] = ABOUT
    document["tags"] = [{"name": name, "description": meaning} for name, meaning in TAGS.items()]
    document["security"] = [{"bearer": []}]
    components = document["components"]
    components["schemas"] = components["schemas"] | schemas()
    components["parameters"] = PARAMETERS
    components["headers"] = {"RequestId": _REQUEST_ID}
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            _complete_operation(operation, method, path)
    return document


def _complete_operation(operation: Document, method: str, path: str) -> None:
    name = operation["operationId"]
    operation["summary"] = operation.pop("description", operation.get("summary", ""))
    derived = operation.get("parameters", [])
    operation["parameters"] = [*(_parameter(name, each) for each in derived), *_headers_of(name)]
    if OPERATIONS[name] == PUBLIC:
        operation["security"] = []
    if name == "sync.batch":
        either = {"oneOf": [reference(SyncBatch), reference(OperationsBatch)]}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": either}}}
    if name in _BODY_MAY_BE_LEFT_OUT:
        operation["requestBody"]["required"] = False
    if name == "imports.upload":
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": _BINARY}}
    if name in EXAMPLES:
        examples = {title: {"value": value} for title, value in EXAMPLES[name].items()}
        operation["requestBody"]["content"]["application/json"]["examples"] = examples
    operation["responses"] = _responses(operation, method, path)


def _responses(operation: Document, method: str, path: str) -> Document:
    name = operation["operationId"]
    responses = {status: each for status, each in operation["responses"].items() if status.startswith("2")}
    match name:
        case "reports.export_snapshot" | "reports.export_comparison" | "exports.file" | "exports.about_file":
            responses["200"]["content"] = {kind.partition(";")[0]: _BINARY for kind in MEDIA_TYPES.values()}
            if name == "exports.file":
                responses["206"] = _part_of(responses["200"])
        case "deliveries.html" | "letters.html" | "subscriptions.page" | "subscriptions.stop" | "subscriptions.resume":
            responses["200"]["content"] = {"text/html": {"schema": {"type": "string"}}}
        case "deliveries.file":
            responses["200"]["content"] = {"application/octet-stream": _BINARY}
        case "metrics" | "deliveries.text" | "letters.text":
            responses["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
        case "imports.rejects":
            responses["200"]["content"] = {"text/csv": _BINARY}
        case "health":
            unhealthy = errors.response(503) | {"content": responses["200"]["content"]}
            responses["503"] = unhealthy | {"description": "MongoDB does not answer, so nothing can be kept"}
    responses |= {str(status): errors.response(status) for status in errors.statuses(name, method, path)}
    for each in responses.values():
        each["headers"] = (each.get("headers") or {}) | {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
    return dict(sorted(responses.items()))


def _part_of(whole: Document) -> Document:
    """The reply to a request with a range, beside that with all of the file."""
    told = {"description": "Which bytes of how many", "required": True, "schema": {"type": "string"}}
    part = {"description": "The part of the file that Range asked for", "content": whole["content"]}
    return part | {"headers": {"Content-Range": told}}


def _headers_of(name: str) -> list[Document]:
    wanted = [] if OPERATIONS[name] == PUBLIC and not name.startswith("auth.login") else ["DeviceId"]
    wanted += ["QueueLength", "QueueAge"] if name in _TELL_OF_THEIR_QUEUE else []
    return [{"$ref": f"#/components/parameters/{each}"} for each in wanted]


def _parameter(operation: str, derived: Document) -> Document:
    """Litestar lets a query parameter that may be left out also be null, which no query string can say."""
    schema = derived["schema"]
    kinds = [kind for kind in schema.get("oneOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        schema = kinds[0] | {key: value for key, value in schema.items() if key not in ("oneOf", "default")}
    name = derived["name"]
    narrower = _PATHS.get(name, {}) if derived["in"] == "path" else _QUERIES.get((operation, name), {})
    return {key: derived[key] for key in ("name", "in", "required")} | {"schema": schema | narrower}
