"""The calls that pages make to the service. Replies decode straight into the shapes of stockverify.wire."""

from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from stockverify.errors import BadInput, Forbidden, NotFound, Refused, SetupError, StockVerifyError, Unauthorized
from stockverify.vocabulary import RunKind
from stockverify.wire.auth import Tokens, TokensReply, User
from stockverify.wire.common import Success
from stockverify.wire.exports import CreateExport, ExportJob, ExportManifest
from stockverify.wire.health import Health
from stockverify.wire.reports import Run

Shape = TypeVar("Shape")
_SECONDS = httpx.Timeout(15, connect=3)
_FILE_SECONDS = 120
_LOOK_SECONDS = 4
"""For what is asked in passing, before a page is drawn."""
_ASK_AGAIN = (429, 503)
_KINDS: dict[int, type[StockVerifyError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Refused,
    500: SetupError,  # such as a snapshot that is damaged
}


class ServiceAway(StockVerifyError):
    """The service at {url} does not answer. Snapshots stay readable; try again in a moment.
    If it stays away, look at the service's log, or start it with `stockverify up`."""


class ServiceBusy(StockVerifyError):
    """{reason} Try again in {retry_after} seconds."""


class ServiceOdd(StockVerifyError):
    """The service at {url} gave an answer that this dashboard does not understand (status {status}).
    Check that both are of the same version, and that the address is that of the service."""


class _Problem(msgspec.Struct):
    detail: str = ""


class Api:
    """A client of the service; safe to share between threads. Tokens come in with each call and are not kept."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Proxies from the environment are for the way out, and the service is not out there.
        self._client = httpx.Client(base_url=url, timeout=_SECONDS, trust_env=False)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def log_in(self, username: str, password: str) -> Tokens:
        """Raises Unauthorized when name or password are wrong."""
        body = {"username": username, "password": password}
        return self.call("POST", "/api/auth/login", TokensReply, json=body).data

    def come_in(self, id_token: str) -> Tokens:
        """Raises Unauthorized for a token that is no good (any more), Forbidden for somebody without an account."""
        return self.call("POST", "/api/auth/oidc", TokensReply, json={"id_token": id_token}).data

    def refresh(self, refresh_token: str) -> Tokens:
        """New tokens for a refresh token, which works once. Raises Unauthorized when the login has ended."""
        return self.call("POST", "/api/auth/refresh", TokensReply, json={"refresh_token": refresh_token}).data

    def log_out(self, token: str) -> None:
        """End the login on every process of the service."""
        self.call("POST", "/api/auth/logout", Success, token)

    def me(self, token: str) -> User:
        """The account as it stands now. Raises Unauthorized when the login has ended."""
        return self.call("GET", "/api/auth/me", User, token, timeout=_LOOK_SECONDS)

    def request_snapshot(self, token: str) -> Run:
        """Ask the worker for a snapshot now."""
        return self.call("POST", "/api/reports/runs", Run, token, json={"kind": RunKind.MATERIALISE.value})

    def run(self, token: str, run_id: str) -> Run:
        """How far a run is."""
        return self.call("GET", f"/api/reports/runs/{quote(run_id, safe='')}", Run, token)

    def create_export(self, token: str, request: CreateExport) -> ExportJob:
        """Have a file made in the background. Raises what is wrong with the request."""
        return self.call("POST", "/api/reports/exports", ExportJob, token, json=msgspec.to_builtins(request))

    def export(self, token: str, job_id: str) -> ExportJob:
        """How far a file is; when it is done, with the link to it."""
        return self.call("GET", f"/api/reports/exports/{quote(job_id, safe='')}", ExportJob, token)

    def export_manifest(self, token: str, job_id: str) -> ExportManifest:
        """What a file that is done holds."""
        return self.call("GET", f"/api/reports/exports/{quote(job_id, safe='')}/manifest", ExportManifest, token)

    def cancel_export(self, token: str, job_id: str) -> ExportJob:
        """Have it stopped; nothing of it is kept."""
        return self.call("POST", f"/api/reports/exports/{quote(job_id, safe='')}/cancel", ExportJob, token)

    def health(self) -> Health:
        """How the service and its backends are; an unhealthy service says so with status 503."""
        reply = self._reply("GET", "/api/health")
        if reply.status_code in (200, 503):
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                return msgspec.json.decode(reply.content, type=Health)
        raise refusal(reply, self.url)

    def metrics(self) -> str:
        """What the service counts and measures, in the text format of Prometheus."""
        reply = self._reply("GET", "/metrics")
        if not reply.is_success:
            raise refusal(reply, self.url)
        return reply.text

    def content(self, path: str, token: str) -> bytes:
        """What a path gives that is no JSON: a page, a text or a file."""
        reply = self._reply("GET", path, headers={"Authorization": f"Bearer {token}"})
        if not reply.is_success:
            raise refusal(reply, self.url)
        return reply.content

    def call(self, method: str, path: str, shape: type[Shape], token: str = "", **body: Any) -> Shape:
        """One call. Raises the error that stands for the reply's status, with the service's own words."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        reply = self._reply(method, path, headers=headers, **body)
        if not reply.is_success:
            raise refusal(reply, self.url)
        try:
            return msgspec.json.decode(reply.content, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ServiceOdd(url=self.url, status=reply.status_code) from None

    def file(self, path: str, token: str) -> bytes:
        """A small file. Large ones go from the service to the browser by a signed link."""
        reply = self._reply("GET", path, headers={"Authorization": f"Bearer {token}"}, timeout=_FILE_SECONDS)
        if not reply.is_success:
            raise refusal(reply, self.url)
        return reply.content

    def _reply(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **request)
        except httpx.TransportError:
            raise ServiceAway(url=self.url) from None


def refusal(reply: httpx.Response, url: str) -> StockVerifyError:
    """What a reply that is no success means, in the service's own words where it has some."""
    try:
        reason = msgspec.json.decode(reply.content, type=_Problem).detail[:1000]
    except (msgspec.DecodeError, UnicodeDecodeError):
        reason = ""
    if not reason:
        return ServiceOdd(url=url, status=reply.status_code)
    if reply.status_code in _ASK_AGAIN:
        return ServiceBusy(reason=reason, retry_after=_wait(reply.headers.get("Retry-After", "")))
    return _KINDS.get(reply.status_code, BadInput)(reason=reason)


def _wait(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else 5
