"""A real dashboard process for tests."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from stockverify.services.child import Child, Spec, free_port, wait_ready
from stockverify.services.running import answers
from stockverify.settings import Settings, to_env


class Dashboard:
    """A running `python -m dashboard`."""

    def __init__(self, settings: Settings, child: Child) -> None:
        self.settings, self.child = settings, child
        self.url = f"http://127.0.0.1:{settings.dashboard_port}"

    def log(self) -> str:
        """What it has written so far."""
        return self.child.spec.log.read_text()


@contextmanager
def running_dashboard(settings: Settings) -> Iterator[Dashboard]:
    """The dashboard on a free port, until the end of the block."""
    settings = msgspec.structs.replace(settings, dashboard_port=free_port())
    log = Path(settings.data_dir) / "logs" / "dashboard.log"
    child = Child(Spec("dashboard", (sys.executable, "-m", "dashboard"), log, to_env(settings)))
    dashboard = Dashboard(settings, child)
    try:
        wait_ready(child, lambda: answers(f"{dashboard.url}/_stcore/health"))
        yield dashboard
    finally:
        child.stop()
