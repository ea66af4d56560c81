"""The OpenAPI document: valid, whole, typed, and shown by a page that needs no Internet."""

import copy
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest
from litestar.routes import HTTPRoute
from playwright.sync_api import Route, expect
from schemathesis.specs.openapi import definitions

from ingest.access import OPERATIONS, PUBLIC
from ingest.app import create_app
from ingest.documentation.examples import EXAMPLES
from ingest.documentation.older import as_3_0
from ingest.documentation.shapes import OperationsBatch, SyncBatch
from ingest.sync.operations import NAMES_OF_LISTS
from stockverify.settings import Settings
from stockverify.wire.anomalies import AskRecount, DismissFlag
from stockverify.wire.auth import Login, Refresh
from stockverify.wire.comparisons import Compare
from stockverify.wire.queries import SaveQuery
from stockverify.wire.racks import Claim, Reason, Reverify
from stockverify.wire.reports import CreateSnapshot, PreviewSpec
from stockverify.wire.sessions import OpenSession
from tests.dashboard.pages import chromium
from tests.document import as_documented, document
from tests.service import Service

NOT_IN_IT = {"live.updates"}
BODIES: dict[str, Any] = {
    "auth.login": Login,
    "auth.refresh": Refresh,
    "racks.claim": Claim,
    "racks.force_release": Reason,
    "racks.reverify": Reverify,
    "flags.dismiss": DismissFlag,
    "flags.recount": AskRecount,
    "sessions.open": OpenSession,
    "queries.save": SaveQuery,
    "reports.preview": PreviewSpec,
    "reports.create_snapshot": CreateSnapshot,
    "reports.compare": Compare,
}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_no_session_has_the_name_of_a_list() -> None:
    below = [path.removeprefix("/api/sessions/") for path in document()["paths"] if path.startswith("/api/sessions/")]
    assert {name for name in below if name.isalpha()} == NAMES_OF_LISTS


def test_the_document_is_valid_openapi_in_both_versions() -> None:
    assert [str(error) for error in definitions.OPENAPI_31_VALIDATOR.iter_errors(document())] == []
    older = as_3_0(copy.deepcopy(document()))
    assert [str(error) for error in definitions.OPENAPI_30_VALIDATOR.iter_errors(older)] == []


@pytest.mark.parametrize("name", document()["components"]["schemas"])
def test_every_schema_is_a_valid_json_schema(name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    jsonschema_rs.Draft202012Validator(schema)


def test_every_route_is_in_it_under_its_operation_name() -> None:
    routes = {
        (route.path_format.rstrip("/"), method.lower(), handler.name)
        for route in create_app(Settings()).routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/schema")
        for method, (handler, _) in route.route_handler_map.items()
        if method != "OPTIONS"
    }
    assert {(path.rstrip("/"), method, operation["operationId"]) for path, method, operation in operations()} == routes
    assert {name for _, _, name in routes} == set(OPERATIONS) - NOT_IN_IT


def shapes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a schema stands for, once its references are followed."""
    if "$ref" in schema:
        yield from shapes(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    elif schema.get("type") == "array":
        yield from shapes(schema["items"])
    else:
        yield schema


def test_every_reply_is_typed() -> None:
    untyped = [
        operation["operationId"]
        for _, _, operation in operations()
        for status, reply in operation["responses"].items()
        for media_type, content in reply["content"].items()
        if media_type.endswith("json") and "format" not in content["schema"]
        for shape in shapes(content["schema"])
        if not shape.get("properties") and shape.get("type") != "string"
    ]
    assert untyped == []


def test_bodies_tokens_errors_and_headers_are_told_everywhere() -> None:
    for _, method, operation in operations():
        name, responses = operation["operationId"], operation["responses"]
        assert operation["summary"].endswith("."), name
        assert operation["tags"], name
        public = OPERATIONS[name] == PUBLIC
        assert operation.get("security", document()["security"]) == ([] if public else [{"bearer": []}])
        assert public or {"400", "401", "403", "413", "429", "503"} <= set(responses), name
        assert "{" not in name or "404" in responses
        for status, reply in responses.items():
            assert "X-Request-ID" in reply["headers"], name
            assert ("Retry-After" in reply["headers"]) is (status in ("429", "503")), name
            is_error = status >= "4" and (name, status) != ("health", "503")
            assert is_error is ("application/problem+json" in reply["content"]), name
        if method in ("put", "patch"):
            assert "409" in responses, name


def test_a_body_that_may_be_left_out_is_not_required() -> None:
    bodies = {each["operationId"]: each["requestBody"] for _, _, each in operations() if "requestBody" in each}
    assert [name for name, body in bodies.items() if not body["required"]] == ["racks.reverify"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_read_by_what_reads_the_call(name: str) -> None:
    for example in EXAMPLES[name].values():
        body = msgspec.json.encode(example)
        if name == "sync.batch":
            msgspec.json.decode(body, type=SyncBatch if "records" in example else OperationsBatch)
        else:
            msgspec.json.decode(body, type=BODIES[name])


def test_a_reply_that_the_document_does_not_tell_of_is_seen() -> None:
    request = httpx.Request("GET", "http://127.0.0.1/api/auth/me")
    headers = {"x-request-id": "1", "content-type": "application/json"}
    for status, body in ((418, {}), (200, {"username": 1})):
        with pytest.raises(AssertionError):
            as_documented(httpx.Response(status, headers=headers, json=body, request=request))


def test_unknown_pages_of_the_document_are_problems_too(service: Service) -> None:
    for path in ("/schema/nowhere", "/schema/assets/nowhere.js", "/schema/redoc"):
        reply = httpx.get(service.url + path)
        assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json"), path
    assert httpx.get(f"{service.url}/schema/openapi.json").json() == document()


@pytest.mark.browser
def test_the_page_shows_all_operations_without_the_internet(service: Service) -> None:
    complaints: list[str] = []

    def ours_only(route: Route) -> None:
        if route.request.url.startswith((service.url, "data:")):
            route.continue_()
        else:
            complaints.append(f"asks {route.request.url}")
            route.abort()

    with chromium() as browser:
        page = browser.new_page()
        page.route("**/*", ours_only)
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("response", lambda reply: complaints.append(reply.url) if reply.status >= 400 else None)
        page.goto(f"{service.url}/schema")
        expect(page.locator(".opblock")).to_have_count(len(list(operations())), timeout=30_000)
        page.get_by_text("/api/sync/batch", exact=True).click()
        expect(page.get_by_text("client_record_id").first).to_be_visible()
    assert complaints == []


@pytest.mark.parametrize("path", ["/api/sessions", "/api/reports/snapshots/x", "/api/reports/runs", "/api/auth/me"])
def test_options_tells_all_methods_of_a_path(service: Service, path: str) -> None:
    allowed = httpx.options(service.url + path).headers["allow"]
    documented = document()["paths"][path.replace("snapshots/x", "snapshots/{snapshot_id}")]
    assert set(allowed.lower().split(", ")) == {"options", *documented}
