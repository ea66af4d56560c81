"""A real dashboard process for tests, and what none of the processes may have written into its log."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import json

from stockverify.environment import to_env
from stockverify.services.child import Child, Spec, free_port, wait_ready
from stockverify.services.running import answers
from stockverify.settings import Settings


class Dashboard:
    """A running `python -m dashboard`."""

    def __init__(self, settings: Settings, child: Child) -> None:
        self.settings, self.child = settings, child
        self.url = f"http://127.0.0.1:{settings.dashboard_port}"

    def log(self) -> str:
        """What it has written so far."""
        return self.child.spec.log.read_text()


def clean(log: str) -> None:
    """Nobody was failed by what this process did: its log has no traceback, and nothing that it calls an error."""
    assert not [line for line in log.splitlines() if "Traceback" in line or _tells_of_an_error(line)], log


def _tells_of_an_error(line: str) -> bool:
    if not line.startswith("{"):  # of a library, before or beside our own lines
        return "rror" in line
    return json.decode(line)["level"] in ("error", "critical")


@contextmanager
def watched(log: Path) -> Iterator[None]:
    """What is written into a log until the end of the block must be clean; others may have used it before."""
    start = log.stat().st_size
    yield
    with log.open("rb") as file:
        file.seek(start)
        clean(file.read().decode(errors="replace"))


@contextmanager
def running_dashboard(settings: Settings) -> Iterator[Dashboard]:
    """The dashboard on a free port, until the end of the block; at that its log must be clean."""
    settings = msgspec.structs.replace(settings, dashboard_port=free_port())
    log = Path(settings.data_dir) / "logs" / "dashboard.log"
    child = Child(Spec("dashboard", (sys.executable, "-m", "dashboard"), log, to_env(settings)))
    dashboard = Dashboard(settings, child)
    try:
        wait_ready(child, lambda: answers(f"{dashboard.url}/_stcore/health"))
        yield dashboard
    finally:
        child.stop()
    clean(dashboard.log())
