"""One child process on a leash: it never outlives its parent, not even one that dies by kill -9."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, NamedTuple

from stockverify.errors import SetupError

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ChildFailed(SetupError):
    """{name} did not start: {reason} Its log is {log}."""


class Spec(NamedTuple):
    """How to start a process, the same at every restart. Output goes to `log`, which never holds a secret."""

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = {}
    stop_seconds: float = 15.0


class Child:
    """A started process."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.started_at = time.monotonic()
        self._process = _spawn(spec)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Ask it to end; kill it if it has not done so within its time."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(self.spec.stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()


def _spawn(spec: Spec) -> "subprocess.Popen[bytes]":
    spec.log.parent.mkdir(parents=True, exist_ok=True)
    parent = os.getpid()

    def leash() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

    log: IO[bytes]
    with spec.log.open("ab") as log:
        # A session of its own keeps Ctrl-C at the terminal from the children: the parent stops them in order.
        return subprocess.Popen(
            spec.argv,
            env={**os.environ, **spec.env},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=leash,  # noqa: PLW1509 - two system calls, and no lock is taken
        )


def wait_ready(child: Child, ready: Callable[[], bool], seconds: float = 60.0) -> None:
    """Return once `ready()` holds; raise ChildFailed when the process ends first or takes longer."""
    deadline = time.monotonic() + seconds
    while not ready():
        if (code := child.exit_code()) is not None:
            raise ChildFailed(
                name=child.spec.name,
                reason=f"it ended with code {code}: {_last_line(child.spec.log)}",
                log=child.spec.log,
            )
        if time.monotonic() > deadline:
            raise ChildFailed(name=child.spec.name, reason=f"no answer within {seconds:.0f} s.", log=child.spec.log)
        time.sleep(0.05)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1][:300] if lines else "it said nothing."


def free_port() -> int:
    """A port of the loopback address that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
