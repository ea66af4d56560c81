"""Keeps the children running: a child that dies is started again, later each time, and that is said and counted."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from stockverify.services.child import Child, Spec, wait_ready

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY_AFTER = 60.0


def restart_delay(deaths: int) -> float:
    """Seconds to wait before a child is started again, after so many deaths in a row."""
    return min(FIRST_DELAY * 2.0 ** (deaths - 1), LONGEST_DELAY)


class _Watched:
    def __init__(self, child: Child) -> None:
        self.child = child
        self.deaths = 0
        self.restarts = 0
        self.restart_at: float | None = None


class Supervisor:
    """Starts children in order, watches them from one thread, and stops them in reverse order.

    The thread that starts a child must outlive it, because the leash of a child is tied to that thread: therefore the
    watching thread ends only after all children have.
    """

    def __init__(self, say: Callable[[str], None], on_restart: Callable[[], None] = lambda: None) -> None:
        self._say, self._on_restart = say, on_restart
        self._watched: list[_Watched] = []
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def adopt(self, child: Child) -> None:
        """Watch a child that runs already."""
        self._watched.append(_Watched(child))

    def start(self, spec: Spec, ready: Callable[[], bool], seconds: float = 60.0) -> None:
        """Start a child and return once it is ready. Raises ChildFailed."""
        child = Child(spec)
        self.adopt(child)
        wait_ready(child, ready, seconds)

    def watch(self) -> None:
        """Begin to restart what dies."""
        self._thread.start()

    def restarts(self) -> dict[str, int]:
        """How often each child was started again."""
        return {watched.child.spec.name: watched.restarts for watched in self._watched}

    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        return {watched.child.spec.name: watched.child.pid for watched in self._watched}

    def stop(self) -> None:
        """Stop all children, the last started first."""
        self._stopping.set()
        for watched in reversed(self._watched):
            watched.child.stop()
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(0.2):
            for watched in self._watched:
                self._look_safely_at(watched)
        self._stopped.wait()

    def _look_safely_at(self, watched: _Watched) -> None:
        """A full disk or a closed terminal must not end the watch: with its thread the children would end too."""
        try:
            self._look_at(watched)
        except Exception as error:
            with suppress(Exception):
                self._say(f"Trouble while watching {watched.child.spec.name}: {error}")

    def _look_at(self, watched: _Watched) -> None:
        now, name = time.monotonic(), watched.child.spec.name
        if watched.restart_at is not None:
            if now >= watched.restart_at and not self._stopping.is_set():
                watched.child, watched.restart_at = Child(watched.child.spec), None
                watched.restarts += 1
                self._say(f"{name} was started again (restart {watched.restarts}).")
                self._on_restart()
            return
        code = watched.child.exit_code()
        if code is None:
            return
        steady = now - watched.child.started_at > STEADY_AFTER
        watched.deaths = 1 if steady else watched.deaths + 1
        delay = restart_delay(watched.deaths)
        watched.restart_at = now + delay
        self._say(f"{name} ended with code {code}; it is started again in {delay:g} s. Log: {watched.child.spec.log}")
