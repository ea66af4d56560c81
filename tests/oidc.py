"""OpenID Connect providers for tests: a real one as a process of its own, and one whose answers a test chooses."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from stockverify.services.child import Child, Spec, free_port, wait_ready
from stockverify.services.running import answers

CLIENT_ID, CLIENT_SECRET = "stockverify-of-the-tests", "the-secret-of-the-client-of-the-tests"
CALLBACK = "http://127.0.0.1:1/oauth2callback"


class RealProvider:
    """A running `oidc-provider-mock`: a whole provider that lets in whoever says who they are."""

    def __init__(self, url: str, child: Child) -> None:
        self.url, self.child = url, child

    def knows(self, sub: str, **claims: Any) -> None:
        """Somebody, with what the provider says of them."""
        httpx.put(f"{self.url}/users/{sub}", json=claims).raise_for_status()

    def id_token(self, sub: str, client_id: str = CLIENT_ID) -> str:
        """An ID token, by the authorization code flow, as a browser and a product would get it."""
        asked = {"client_id": client_id, "redirect_uri": CALLBACK, "response_type": "code", "nonce": f"n-{sub}"}
        asked |= {"scope": "openid email profile", "state": "s"}
        reply = httpx.post(f"{self.url}/oauth2/authorize", params=asked, data={"sub": sub})
        code = parse_qs(urlsplit(reply.headers["Location"]).query)["code"][0]
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        reply = httpx.post(f"{self.url}/oauth2/token", data=grant, auth=(client_id, CLIENT_SECRET))
        return str(reply.raise_for_status().json()["id_token"])


@contextmanager
def real_provider(folder: Path) -> Iterator[RealProvider]:
    """The provider on a free port, until the end of the block."""
    port = free_port()
    command = (sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--token-max-age", "300")
    provider = RealProvider(f"http://127.0.0.1:{port}", Child(Spec("provider", command, folder / "provider.log")))
    try:
        wait_ready(provider.child, lambda: answers(f"{provider.url}/.well-known/openid-configuration"))
        yield provider
    finally:
        provider.child.stop()


class ChosenProvider:
    """Answers paths with what a test puts there, and counts who asks."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []
        self.pages: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.tells({"issuer": url, "jwks_uri": f"{url}/keys"})

    def tells(self, metadata: Any) -> None:
        """What its discovery document says."""
        self.answers("/.well-known/openid-configuration", metadata)

    def publishes(self, *keys: Any) -> None:
        """Its key set."""
        self.answers("/keys", {"keys": keys})

    def answers(self, path: str, content: Any, status: int = 200, **headers: str) -> None:
        """Any answer at all."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.pages[path] = (status, body, headers)


@contextmanager
def chosen_provider() -> Iterator[ChosenProvider]:
    """Such a provider on a free port of this process, until the end of the block."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            status, body, headers = provider.pages.get(self.path, (404, b"", {}))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Tests say for themselves what they saw."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        provider = ChosenProvider(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
