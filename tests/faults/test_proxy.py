"""The proxy of the tests does what it says: otherwise the fault tests would prove nothing."""

import http.server
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.faults.proxy import Mishaps, proxy


class Counting(http.server.ThreadingHTTPServer):
    """Answers each POST with its body, and counts those that arrived whole."""

    daemon_threads = True
    whole = 0


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Counting

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        self.server.whole += 1
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


class Quiet(Counting):
    def handle_error(self, request: object, client_address: object) -> None:
        """Broken connections are what these tests are about."""


@pytest.fixture
def server() -> Iterator[Counting]:
    with Quiet(("127.0.0.1", 0), Echo) as started:
        thread = threading.Thread(target=started.serve_forever, args=(0.02,))
        thread.start()
        yield started
        started.shutdown()
        thread.join()


def post(port: int, body: bytes = b"x" * 1000) -> bytes:
    with httpx.Client(timeout=5) as client:
        return client.post(f"http://127.0.0.1:{port}/", content=body).content


def test_without_mishaps_everything_passes(server: Counting) -> None:
    with proxy(server.server_address[1]) as between:
        assert post(between.port, b"y" * 300_000) == b"y" * 300_000


def test_a_lost_reply_is_lost_after_the_request_has_arrived(server: Counting) -> None:
    with proxy(server.server_address[1], mishaps=Mishaps(lose_reply=1)) as between:
        with pytest.raises(httpx.TransportError):
            post(between.port)
        assert (server.whole, between.seen["lose_reply"]) == (1, 1)


@pytest.mark.parametrize("what", ["cut_request", "reset"])
def test_a_cut_or_reset_request_does_not_arrive(server: Counting, what: str) -> None:
    with proxy(server.server_address[1], mishaps=Mishaps()._replace(**{what: 1.0})) as between:
        with pytest.raises(httpx.TransportError):
            post(between.port, b"z" * 50_000)
        assert server.whole == 0
        assert between.seen[what] >= 1


def test_latency_and_bandwidth_slow_things_down(server: Counting) -> None:
    with proxy(server.server_address[1], mishaps=Mishaps(latency=0.05, bytes_per_second=100_000)) as between:
        began = time.monotonic()
        assert len(post(between.port, b"x" * 20_000)) == 20_000
        assert time.monotonic() - began > 0.1 + 0.4


def test_a_target_that_is_away_looks_like_a_reset() -> None:
    with proxy(1) as between, pytest.raises(httpx.TransportError):
        post(between.port)
