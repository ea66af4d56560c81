"""`stockverify demo` where it does not come to its end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from stockverify.services.child import free_port

COMMAND = [sys.executable, "-m", "stockverify"]


def ports() -> list[str]:
    return ["--api-port", str(free_port()), "--dashboard-port", str(free_port())]


def test_an_interrupted_run_does_not_say_that_the_books_balance(tmp_path: Path) -> None:
    argv = [*COMMAND, "demo", "--once", "--json", "--data-dir", str(tmp_path / "demo"), *ports()]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        while "Importing" not in process.stderr.readline():
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "")


def test_a_folder_with_other_data_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    argv = [*COMMAND, "demo", "--once", "--data-dir", str(tmp_path), *ports()]
    refused = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert len(refused.stderr.strip().splitlines()) == 1
    assert (tmp_path / "precious").exists()


def test_a_server_that_lacks_a_library_is_told_in_one_line(tmp_path: Path) -> None:
    said = "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file"
    broken = tmp_path / "bin" / "mongod"
    broken.parent.mkdir()
    broken.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 127\n")
    broken.chmod(0o755)
    environ = os.environ | {"PATH": f"{broken.parent}{os.pathsep}{os.environ['PATH']}"}
    argv = [*COMMAND, "up", "--data-dir", str(tmp_path / "data"), *ports()]
    refused = subprocess.run(argv, capture_output=True, text=True, check=False, env=environ)
    assert refused.returncode == 2
    complaint = [line for line in refused.stderr.splitlines() if line.startswith("stockverify: ")]
    assert len(complaint) == 1
    assert "apt-get install libcurl4" in complaint[0]
    assert "Traceback" not in refused.stderr
