"""Who may call what: every route of the service, tried by every role and by nobody."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from litestar import get
from litestar.connection import ASGIConnection
from litestar.routes import HTTPRoute, WebSocketRoute

from ingest import access
from ingest.access import OPERATIONS, PUBLIC
from ingest.app import create_app
from ingest.auth.rules import Caller
from stockverify.settings import Settings
from stockverify.vocabulary import Action, Role
from tests.service import Service, claim


class Operation(NamedTuple):
    """A way to call the service."""

    name: str
    method: str
    path: str


def operations() -> Iterator[Operation]:
    """What the application really routes, documentation pages apart."""
    app = create_app(Settings(mongodb_uri="mongodb://127.0.0.1:1", redis_url="redis://127.0.0.1:1"))
    for route in app.routes:
        if isinstance(route, HTTPRoute) and not route.path.startswith("/schema"):
            for handler in route.route_handlers:
                for method in sorted(handler.http_methods - {"OPTIONS"}):
                    yield Operation(handler.name or f"unnamed {route.path}", str(method), route.path)
        elif isinstance(route, WebSocketRoute):
            yield Operation(route.route_handler.name or f"unnamed {route.path}", "WEBSOCKET", route.path)


ALL = sorted(operations())
CALLS = [operation for operation in ALL if operation.method != "WEBSOCKET"]


WRITTEN_DOWN: dict[str, set[Action]] = {
    "auth.login": {Action.LOGGED_IN, Action.LOGIN_LOCKED},
    "auth.login_pin": {Action.LOGGED_IN, Action.LOGIN_LOCKED},
    "auth.oidc": {Action.LOGGED_IN, Action.USER_MADE},
    "auth.refresh": {Action.TOKEN_REUSED},
    "auth.logout": {Action.LOGGED_OUT},
    "auth.register": {Action.USER_MADE},
    "auth.change_user": {Action.USER_CHANGED},
    "devices.invite": {Action.DEVICE_INVITED},
    "devices.enroll": {Action.DEVICE_ENROLLED},
    "devices.revoke": {Action.DEVICE_REVOKED},
    "racks.claim": {Action.RACK_CLAIMED, Action.RACK_TAKEN_OVER},
    "racks.release": {Action.RACK_RELEASED},
    "racks.force_release": {Action.RACK_FORCE_RELEASED},
    "racks.reverify": {Action.RACK_REVERIFY},
    "sessions.complete": {Action.SESSION_COMPLETED},
    "sessions.set_status": {Action.SESSION_COMPLETED, Action.RACK_RELEASED},
    "conflicts.resolve": {Action.CONFLICT_RESOLVED},
    "conflicts.batch_resolve": {Action.CONFLICT_RESOLVED},
    "flags.dismiss": {Action.FLAG_DISMISSED},
    "flags.restore": {Action.FLAG_RESTORED},
    "flags.recount": {Action.FLAG_RECOUNT, Action.RACK_REVERIFY},
    "imports.commit": {Action.IMPORT_COMMITTED, Action.IMPORT_ENDED},
    "reports.delete_snapshot": {Action.SNAPSHOT_DELETED},
    "reports.pin": {Action.SNAPSHOT_PINNED},
    "reports.unpin": {Action.SNAPSHOT_UNPINNED},
    "exports.create": {Action.EXPORT_ASKED},
    "exports.cancel": {Action.EXPORT_CANCELLED},
    "schedules.create": {Action.SCHEDULE_MADE},
    "schedules.change": {Action.SCHEDULE_CHANGED},
    "schedules.delete": {Action.SCHEDULE_DELETED},
    "schedules.pause": {Action.SCHEDULE_PAUSED},
    "schedules.resume": {Action.SCHEDULE_RESUMED},
    "schedules.run": {Action.SCHEDULE_RUN},
    "schedules.test": {Action.SCHEDULE_RUN},
    "schedules.preview": {Action.SCHEDULE_RUN},
    "deliveries.retry": {Action.DELIVERY_RETRIED},
    "deliveries.cancel": {Action.DELIVERY_CANCELLED},
    "subscriptions.stop": {Action.UNSUBSCRIBED},
    "subscriptions.resume": {Action.RESUBSCRIBED},
}
NOT_WRITTEN_DOWN = {
    "records say it themselves, and receipts": {"sync.batch"},
    "a sign of life": {"sessions.heartbeat", "sync.heartbeat"},
    "the holder's own rack stays the holder's": {"racks.pause", "racks.resume", "sessions.open"},
    "what is made says by whom and when": {
        *("reports.create_snapshot", "reports.refresh_snapshot", "reports.compare", "reports.request_run"),
        "reports.cancel_comparison",
        *("queries.save", "queries.delete", "imports.upload", "imports.check", "imports.discard"),
    },
    "nothing is written": {"reports.preview", "schedules.next"},
}
BY_THE_HOUSE = {Action.RACK_SWEPT, Action.SESSION_SWEPT, Action.BACKUP_RESTORED}


def test_each_call_that_changes_something_is_in_the_audit_log_or_says_why_not() -> None:
    unwritten = [name for names in NOT_WRITTEN_DOWN.values() for name in names]
    changing = sorted(operation.name for operation in CALLS if operation.method not in ("GET", "HEAD"))
    assert sorted([*WRITTEN_DOWN, *unwritten]) == changing
    assert set[Action]().union(BY_THE_HOUSE, *WRITTEN_DOWN.values()) == set(Action)


def call(client: httpx.Client, operation: Operation) -> httpx.Response:
    """Call it with nothing sensible in it: whether the caller may is decided before."""
    path = re.sub(r"\{[^}]*\}", "nothing-of-that-name", operation.path)
    body: Any = None if operation.method in ("GET", "DELETE") else {}
    return client.request(operation.method, path, json=body)


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    assert {operation.name for operation in ALL} == set(OPERATIONS)


def test_public_operations_are_known_one_by_one_and_those_that_check_a_secret_are_limited() -> None:
    public = {name for name, roles in OPERATIONS.items() if roles == PUBLIC}
    signed = {"exports.file", "exports.about_file", "subscriptions.page", "subscriptions.stop", "subscriptions.resume"}
    logins = {"auth.login", "auth.login_pin", "auth.oidc", "auth.refresh"}
    assert public - signed == logins | {"devices.enroll", "health", "metrics"}
    assert public - access.LIMITED == {"health", "metrics"}


@pytest.mark.parametrize("operation", CALLS, ids=lambda operation: operation.name)
def test_without_a_token_it_is_401_unless_public(service: Service, operation: Operation) -> None:
    with httpx.Client(base_url=service.url, timeout=20) as nobody:
        reply = call(nobody, operation)
    if OPERATIONS[operation.name] == PUBLIC:
        assert reply.status_code in (200, 400)
    else:
        assert reply.status_code == 401
        assert reply.json()["detail"] == "The access token is missing; log in, or use the refresh token once."


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_in_exactly_where_the_table_says(service: Service, role: Role) -> None:
    person = service.person(role.value)
    outcomes = {}
    for operation in CALLS:
        if OPERATIONS[operation.name] != PUBLIC:
            caller = service.person(role.value) if operation.name == "auth.logout" else person
            outcomes[operation.name] = refused_for_the_role(call(caller, operation))
    expected = {name: role not in OPERATIONS[name] for name in outcomes}
    assert outcomes == expected


def refused_for_the_role(reply: httpx.Response) -> bool:
    assert reply.status_code not in (401, 500), reply.text
    return reply.status_code == 403 and "may not do this" in reply.json()["detail"]


@pytest.mark.parametrize("name", ["a.new_one", None])
async def test_a_route_without_a_row_is_refused_to_everybody(name: str | None) -> None:
    @get("/api/new", name=name)
    async def handler() -> None: ...

    admin = Caller("u-1", "admin", Role.ADMIN, "l-1", "")
    scope = {"type": "http", "method": "GET", "path": "/api/new", "user": admin}
    with pytest.raises(access.NoAccessRule):
        await access.guard(ASGIConnection(scope), handler)  # type: ignore[arg-type]


def test_an_auditor_changes_nothing_and_reads_all(service: Service) -> None:
    writes = {operation.name for operation in CALLS if operation.method != "GET"} - {"auth.logout"}
    writes -= {name for name, roles in OPERATIONS.items() if roles == PUBLIC}
    reads_by_post = {"reports.preview", "schedules.next", "exports.create", "exports.cancel"}
    assert {name for name in writes if Role.AUDITOR in OPERATIONS[name]} == reads_by_post
    reads = {operation.name for operation in CALLS if operation.method == "GET"}
    assert {name for name in reads if OPERATIONS[name] != PUBLIC and Role.AUDITOR not in OPERATIONS[name]} == set()


@pytest.mark.parametrize(
    "path", ["/api/sessions/{session}", "/api/sessions/{session}/stats", "/api/sessions/user/history?user_id={user}"]
)
def test_staff_do_not_see_what_is_another_ones(service: Service, path: str) -> None:
    owner, other = service.person(), service.person()
    grant = claim(owner, service.rack())
    place = path.format(session=grant["session_id"], user=owner.get("/api/auth/me").json()["id"])
    assert grant["session_id"] in owner.get(place).text
    refused = other.get(place)
    assert refused.status_code == 403 or grant["session_id"] not in refused.text
    assert grant["session_id"] in service.person("auditor").get(f"/api/sessions/{grant['session_id']}").text


@pytest.mark.parametrize(
    "path",
    [
        "/api/sessions/active",
        "/api/sessions/",
        "/api/sessions/active?user_id={user}",
        "/api/sessions/?user_id={user}",
        "/api/sessions/active?rack_id={rack}",
        "/api/sessions/presence",
        "/api/racks/user/active",
    ],
)
def test_lists_show_staff_their_own_only(service: Service, path: str) -> None:
    owner, other = service.person(), service.person()
    grant = claim(owner, service.rack())
    place = path.format(user=owner.get("/api/auth/me").json()["id"], rack=grant["rack_id"])
    seen = other.get(place)
    assert seen.status_code in (200, 403)
    assert grant["session_id"] not in seen.text
