"""The client of the service, with the real one, with none, and with something that only looks like one."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from dashboard.api import Api, ServiceAway, ServiceBusy, ServiceOdd, refusal
from stockverify.errors import BadInput, Forbidden, NotFound, SetupError, Unauthorized
from stockverify.services.child import free_port
from tests.service import PASSWORD, Service


@pytest.fixture
def api(service: Service) -> Iterator[Api]:
    """A client of the running service."""
    found = Api(service.url)
    yield found
    found.close()


def test_wrong_names_are_unauthorized(api: Api) -> None:
    with pytest.raises(Unauthorized, match="wrong"):
        api.log_in("nobody", "nothing")


def test_asking_for_a_snapshot_gives_a_run_that_can_be_followed(api: Api, service: Service) -> None:
    name = service.person("supervisor").get("/api/auth/me").json()["username"]
    token = api.log_in(name, PASSWORD).access_token
    run = api.request_snapshot(token)
    assert api.run(token, run.run_id) == run
    assert (run.kind, run.status, run.snapshot_id) == ("materialise", "queued", None)


def test_a_run_id_from_outside_stays_one_part_of_the_path(api: Api, service: Service) -> None:
    name = service.person("supervisor").get("/api/auth/me").json()["username"]
    with pytest.raises(NotFound):
        api.run(api.log_in(name, PASSWORD).access_token, "../../auth/me")


def test_an_auditor_is_forbidden_to_take_snapshots(api: Api, service: Service) -> None:
    name = service.person("auditor").get("/api/auth/me").json()["username"]
    with pytest.raises(Forbidden):
        api.request_snapshot(api.log_in(name, PASSWORD).access_token)


def test_no_service_is_said_with_its_address() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    away = Api(url)
    with pytest.raises(ServiceAway, match=url):
        away.me("token")
    away.close()


class _Odd(BaseHTTPRequestHandler):
    """Answers everything with a page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def test_a_stranger_at_the_address_is_said() -> None:
    with HTTPServer(("127.0.0.1", 0), _Odd) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        odd = Api(f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(ServiceOdd, match="does not understand"):
            odd.me("token")
        odd.close()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (httpx.Response(401, json={"detail": "expired"}), Unauthorized, "expired"),
        (httpx.Response(403, json={"detail": "not you"}), Forbidden, "not you"),
        (httpx.Response(400, json={"detail": "no such kind"}), BadInput, "no such kind"),
        (httpx.Response(500, json={"detail": "Snapshot 1 is damaged"}), SetupError, "Snapshot 1 is damaged"),
        (
            httpx.Response(429, json={"detail": "Too often."}, headers={"Retry-After": "7"}),
            ServiceBusy,
            "Too often. Try again in 7 seconds.",
        ),
        (
            httpx.Response(503, json={"detail": "Away."}, headers={"Retry-After": "soon"}),
            ServiceBusy,
            "Away. Try again in 5 seconds.",
        ),
    ],
)
def test_refusals_keep_the_words_of_the_service(reply: httpx.Response, kind: type, said: str) -> None:
    error = refusal(reply, "http://x")
    assert (type(error), error.message) == (kind, said)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b'{"detail": 3}', b"[]"])
def test_a_refusal_without_words_names_its_status(body: bytes) -> None:
    error = refusal(httpx.Response(502, content=body), "http://x")
    assert isinstance(error, ServiceOdd)
    assert "status 502" in error.message
