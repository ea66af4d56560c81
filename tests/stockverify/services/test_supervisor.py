"""Children are restarted when they die, and die when their parent does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stockverify.services.child import Child, ChildFailed, Spec, wait_ready
from stockverify.services.supervisor import LONGEST_DELAY, Supervisor, restart_delay

SLEEP = "import time; print('ready', flush=True); time.sleep(600)"


def spec(tmp_path: Path, code: str = SLEEP, name: str = "sleeper") -> Spec:
    return Spec(name, (sys.executable, "-c", code), tmp_path / f"{name}.log")


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be noticed does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_dead_child_is_started_again_said_and_counted(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    supervisor.start(spec(tmp_path), ready=lambda: True)
    supervisor.watch()
    try:
        first = supervisor.pids()["sleeper"]
        os.kill(first, signal.SIGKILL)
        until(lambda: supervisor.restarts()["sleeper"] == 1)
        second = supervisor.pids()["sleeper"]
        assert second != first
        assert alive(second)
        assert said[0].startswith("sleeper ended with code -9; it is started again in 0.5 s.")
        assert said[1] == "sleeper was started again (restart 1)."
    finally:
        supervisor.stop()
    assert not alive(second)


def test_delays_double_up_to_a_limit() -> None:
    assert [restart_delay(deaths) for deaths in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert restart_delay(50) == LONGEST_DELAY


def test_children_stop_in_reverse_order(tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = (
        "import signal, sys, time, pathlib\n"
        "name, path = sys.argv[1:]\n"
        "def bye(*_):\n"
        "    with open(path, 'a') as file: file.write(name)\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, bye); print('ready', flush=True); time.sleep(600)"
    )
    supervisor = Supervisor(print)
    for name in "abc":
        log = tmp_path / f"{name}.log"
        argv = (sys.executable, "-c", code, name, str(order))
        supervisor.start(Spec(name, argv, log), lambda log=log: "ready" in log.read_text())  # type: ignore[misc]
    supervisor.stop()
    assert order.read_text() == "cba"


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    )
    child = Child(spec(tmp_path, code)._replace(stop_seconds=0.3))
    wait_ready(child, lambda: "ready" in child.spec.log.read_text())
    child.stop()
    assert child.exit_code() == -signal.SIGKILL


def test_a_child_that_ends_while_it_starts_is_told_with_its_last_words(tmp_path: Path) -> None:
    child = Child(spec(tmp_path, "import sys; sys.exit('no such thing')"))
    with pytest.raises(ChildFailed, match="sleeper did not start: it ended with code 1: no such thing"):
        wait_ready(child, lambda: False)


def test_no_child_outlives_a_killed_parent(tmp_path: Path) -> None:
    parent_code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from stockverify.services.child import Child, Spec\n"
        f"child = Child(Spec('c', (sys.executable, '-c', {SLEEP!r}), Path({str(tmp_path / 'c.log')!r})))\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent_code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    until(lambda: not alive(pid))


def test_trouble_while_watching_does_not_end_the_watch(tmp_path: Path) -> None:
    def full_disk() -> None:
        raise OSError("no space left on device")

    supervisor = Supervisor(lambda line: None, on_restart=full_disk)
    supervisor.start(spec(tmp_path), ready=lambda: True)
    supervisor.watch()
    try:
        for times in (1, 2):
            os.kill(supervisor.pids()["sleeper"], signal.SIGKILL)
            until(lambda times=times: supervisor.restarts()["sleeper"] == times)  # type: ignore[misc]
            assert alive(supervisor.pids()["sleeper"])
    finally:
        supervisor.stop()
