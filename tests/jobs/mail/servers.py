"""Real mail servers for tests: one that is well, and ones that are not. They count what arrived."""

import email
import socket
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

STRICT = default.clone(raise_on_defect=True)
"""Whatever is wrong with a mail's structure is an error, and not mended silently."""
USER, PASSWORD = "stock", "pass word & more"


class Certificate(NamedTuple):
    """A server's certificate for localhost, and that of the authority which signed it."""

    ca: Path
    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """For the server."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.chain, self.key)
        return context


def certificate(folder: Path, name: str = "localhost") -> Certificate:
    """Made by an authority of its own."""
    folder.mkdir(exist_ok=True)
    made = Certificate(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    ca_key, request, extension = folder / "ca.key", folder / "server.csr", folder / "server.ext"
    extension.write_text(f"subjectAltName=DNS:{name}\nbasicConstraints=critical,CA:FALSE\n")
    usage = ("-addext", "keyUsage=critical,keyCertSign")
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", ca_key, "-out", made.ca, "-days", "2",
             "-subj", "/CN=An authority of the tests", *usage)  # fmt: skip
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", made.key, "-out", request, "-subj", f"/CN={name}")
    _openssl("x509", "-req", "-in", request, "-CA", made.ca, "-CAkey", ca_key, "-CAcreateserial", "-out", made.chain,
             "-days", "2", "-extfile", extension)  # fmt: skip
    return made


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Post:
    """What a server did with mails. `reply` decides on each by its count from 1; it may wait, or drop the line."""

    def __init__(self, reply: Callable[[int, Envelope], str] = lambda number, envelope: "250 kept") -> None:
        self.reply, self.kept, self.seen, self.sessions = reply, [], 0, []  # type: ignore[var-annotated]
        self.refuse: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Some recipients are not wanted."""
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep what is answered with 250."""
        self.seen += 1
        self.sessions.append(session)
        answer = self.reply(self.seen, envelope)
        if answer.startswith("250"):
            self.kept.append((envelope.rcpt_tos[0], bytes(envelope.content or b"")))
        if answer.endswith("and drop"):
            server.transport.abort()
        return answer.removesuffix(" and drop")

    def counts(self) -> Counter[str]:
        """How often a mail of each Message-ID was kept."""
        return Counter(str(self.message(content)["Message-ID"]) for _, content in self.kept)

    def recipients(self) -> list[str]:
        """Of the mails that were kept."""
        return sorted(to for to, _ in self.kept)

    @staticmethod
    def message(content: bytes) -> EmailMessage:
        """As a mail program reads it."""
        read = email.message_from_bytes(content, policy=STRICT)
        assert isinstance(read, EmailMessage)
        return read


class Running(NamedTuple):
    """A server that listens."""

    port: int
    post: Post


@contextmanager
def mail_server(post: Post | None = None, **options: Any) -> Iterator[Running]:
    """A whole SMTP server on a free port of this machine."""
    post = post or Post()
    controller = _Controller(post, hostname="127.0.0.1", port=0, ready_timeout=10, **options)
    controller.start()
    try:
        yield Running(controller.server.sockets[0].getsockname()[1], post)
    finally:
        controller.stop()


class _Controller(Controller):
    def _trigger_server(self) -> None:
        """Looks whether it is up; the port is known only now."""
        self.port = self.server.sockets[0].getsockname()[1]
        socket.create_connection(("127.0.0.1", self.port), 5).close()


def login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    """Lets one user in."""
    assert isinstance(data, LoginPassword)
    return AuthResult(handled=False, success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()))


class Script:
    """A server that follows a script line by line, to break off exactly where it says. Steps: `send X`, `expect X` (a
    command that begins so), `text` (all of a mail up to its dot), `drop`, `stall`, `text-no-dot` (the first bytes); or
    an event to wait for. `steps` counts those that were begun."""

    def __init__(self, *scripts: list[Any]) -> None:
        self._scripts, self._listener = list(scripts), socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.texts: list[bytes] = []
        self.connections, self.steps, self._over = 0, 0, threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Script":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        for script in self._scripts:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, suppress(OSError, EOFError):
                self._play(connection, script)

    def _play(self, connection: socket.socket, script: list[Any]) -> None:
        reader = connection.makefile("rb")
        for step in script:
            self.steps += 1
            if isinstance(step, threading.Event):
                step.wait(20)
                continue
            what, _, rest = step.partition(" ")
            if what == "send":
                connection.sendall(f"{rest}\r\n".encode())
            elif what == "expect":
                line = reader.readline()
                assert line.upper().startswith(rest.encode()), (line, rest)
            elif what == "text":
                self.texts.append(_text(reader))
            elif what == "text-no-dot":
                reader.read(200)
            elif what == "stall":
                self._over.wait(20)
            elif what == "drop":
                break
        reader.close()


def _text(reader: Any) -> bytes:
    lines = []
    while (line := reader.readline()) != b".\r\n":
        if not line:
            raise EOFError
        lines.append(line)
    return b"".join(lines)


HELLO = ["send 220 here", "expect EHLO", "send 250 here"]
ENVELOPE = ["expect MAIL", "send 250 ok", "expect RCPT", "send 250 ok", "expect DATA", "send 354 go on"]
GOODBYE = ["expect QUIT", "send 221 bye"]


def until(done: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
