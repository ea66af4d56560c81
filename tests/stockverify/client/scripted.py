"""A small real HTTP service on a loopback socket that does what a test tells it, faults included."""

import asyncio
import gzip
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

Answer = tuple[int, dict[str, str], bytes]
PROBLEM = {"Content-Type": "application/problem+json"}
JSON = {"Content-Type": "application/json"}


class Request(NamedTuple):
    """What arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, unpacked."""
        packed = self.headers.get("content-encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if packed else self.body)


class Dropped(Exception):
    """The connection ends without a reply."""


Step = Callable[["Scripted", Request], Awaitable[Answer]]


class Scripted:
    """Stores batches as the real service does; `script` holds what happens to the next batches instead."""

    def __init__(self) -> None:
        self.script: deque[Step] = deque()
        self.requests: list[Request] = []
        self.stored: dict[str, dict[str, Any]] = {}
        self.poisonous: set[str] = set()
        self.refused: set[str] = set()
        self.kept_aside: set[str] = set()
        self.largest = 1000
        self.gate = asyncio.Event()
        self.gate.set()
        self.token, self.refresh_token = "token-1", "refresh-1"
        self.heartbeat: dict[str, Any] = {}
        self.active = self.peak = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def batches(self) -> list[list[str]]:
        """The ids in each batch that arrived."""
        return [
            [record["client_record_id"] for record in each.json["records"]] for each in self.calls("/api/sync/batch")
        ]

    def calls(self, path: str) -> list[Request]:
        """The requests to one path."""
        return [each for each in self.requests if each.path == path]

    async def open(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Be gone: connections are cut, new ones refused."""
        if self._server is not None:
            self._server.close()
            for task in list(self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while request := await _request(reader):
                self.requests.append(request)
                status, headers, body = await self._answer(request)
                head = "".join(f"{name}: {value}\r\n" for name, value in (JSON | headers).items())
                writer.write(f"HTTP/1.1 {status} X\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (Dropped, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, request: Request) -> Answer:
        if request.path == "/api/auth/refresh":
            return self._refreshed(request)
        if request.path == "/api/health":
            return reply({"status": "healthy"})
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return problem(401, "The access token is expired.")
        if request.path == "/api/auth/me":
            return reply({"username": "anna", "full_name": "Anna", "role": "staff", "permissions": []})
        if request.path.endswith("/heartbeat"):
            return reply(self.heartbeat)
        self.active += 1
        self.peak = max(self.peak, self.active)
        try:
            await self.gate.wait()
            return await (self.script.popleft() if self.script else accept)(self, request)
        finally:
            self.active -= 1

    def _refreshed(self, request: Request) -> Answer:
        if request.json["refresh_token"] != self.refresh_token:
            return problem(401, "The refresh token was used before.")
        number = int(self.token.rpartition("-")[2]) + 1
        self.token, self.refresh_token = f"token-{number}", f"refresh-{number}"
        return reply({"success": True, "data": self.tokens()})

    def tokens(self) -> dict[str, Any]:
        """What a login gives."""
        user = {"id": "u", "username": "anna", "full_name": "Anna", "role": "staff"}
        user |= {"email": None, "is_active": True, "permissions": []}
        given = {"access_token": self.token, "refresh_token": self.refresh_token, "expires_in": 900}
        return {**given, "token_type": "bearer", "user": user}


async def _request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, target.partition("?")[0], headers, body)


def reply(content: Any, status: int = 200, **headers: str) -> Answer:
    """A JSON reply."""
    return status, headers, json.dumps(content).encode()


def problem(status: int, detail: str, **headers: str) -> Answer:
    """An error as the service tells it."""
    return status, PROBLEM | headers, json.dumps({"status": status, "detail": detail}).encode()


async def accept(service: Scripted, request: Request) -> Answer:
    """Store a batch and answer for each record, as the real service does; or refuse it whole."""
    records = request.json["records"]
    if len(records) > service.largest:
        return problem(413, "The batch is too large.")
    if any(record["item_code"] in service.poisonous for record in records):
        return problem(400, "The body is not a sync batch.")
    answer: dict[str, list[Any]] = {"ok": [], "conflicts": [], "errors": []}
    for record in records:
        name = record["client_record_id"]
        if record["item_code"] in service.refused:
            answer["errors"].append(
                {"client_record_id": name, "error_type": "invalid_record", "message": "Not readable."}
            )
        elif record["item_code"] in service.kept_aside:
            kept = {"client_record_id": name, "conflict_type": "rack_locked", "message": "Taken.", "details": {"a": 1}}
            answer["conflicts"].append(kept)
        else:
            service.stored[name] = record
            answer["ok"].append(name)
    return reply(answer)


async def commit_and_drop(service: Scripted, request: Request) -> Answer:
    """Store everything, and lose the reply."""
    await accept(service, request)
    raise Dropped


def answering(answer: Answer) -> Step:
    """Answer this, and store nothing."""

    async def step(service: Scripted, request: Request) -> Answer:
        return answer

    return step


def busy(retry_after: str, **headers: str) -> Step:
    """503 with Retry-After."""
    return answering(problem(503, "MongoDB does not answer.", **{"Retry-After": retry_after, **headers}))
