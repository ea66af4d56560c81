"""Holds every reply that a test sees against the service's own OpenAPI document."""

import re
from functools import cache
from typing import Any, NamedTuple

import httpx
import jsonschema_rs

from ingest.app import create_app
from ingest.documentation.document import complete
from stockverify.settings import Settings


class Documented(NamedTuple):
    """One operation of the document."""

    pattern: re.Pattern[str]
    method: str
    operation: dict[str, Any]


@cache
def document() -> dict[str, Any]:
    """The document of the service as it stands."""
    return complete(create_app(Settings()).openapi_schema.to_schema())


def lists() -> list[str]:
    """All that can be read without naming one thing."""
    return [path for path, item in document()["paths"].items() if "get" in item and "{" not in path]


@cache
def _operations() -> list[Documented]:
    """Paths with the most letters of their own come first: /user/active before /{rack_id}/status."""
    found = []
    for path, item in document()["paths"].items():
        pattern = "/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in path.split("/"))
        found += [Documented(re.compile(f"{pattern}/?"), method, operation) for method, operation in item.items()]
    return sorted(found, key=lambda each: each.pattern.pattern.count("[^/]+"))


@cache
def _validator(operation_id: str, status: str, media_type: str) -> "jsonschema_rs.Validator | None":
    operation = next(each.operation for each in _operations() if each.operation["operationId"] == operation_id)
    schema = operation["responses"][status]["content"][media_type]["schema"]
    return jsonschema_rs.validator_for({**schema, "components": document()["components"]})


def as_documented(reply: httpx.Response) -> None:
    """For the event hooks of a client: fails on a status, a media type or a body that the document does not tell of."""
    path, method = reply.request.url.raw_path.decode().partition("?")[0], reply.request.method.lower()
    fitting = (each for each in _operations() if each.method == method and each.pattern.fullmatch(path))
    if (found := next(fitting, None)) is None:
        return
    name, status = found.operation["operationId"], str(reply.status_code)
    assert status in found.operation["responses"], f"{name} answered {status}, which the document does not tell of"
    told = found.operation["responses"][status]
    assert "x-request-id" in reply.headers
    assert "Retry-After" not in told["headers"] or int(reply.headers["retry-after"]) >= 1
    media_type = reply.headers["content-type"].partition(";")[0]
    assert media_type in told["content"], f"{name} answered {status} with {media_type}"
    if media_type.endswith("json") and name not in ("reports.export_snapshot", "reports.export_comparison"):
        reply.read()
        errors = [error.message for error in _validator(name, status, media_type).iter_errors(reply.json())]  # type: ignore[union-attr]
        assert errors == [], f"{name} {status}: {errors[:3]}"
