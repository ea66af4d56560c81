"""Python, packages, servers that can be embedded, and room on the disk."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from stockverify.cli.checks.finding import Finding
from stockverify.errors import StockVerifyError
from stockverify.services import binaries
from stockverify.settings import Settings

LEAST_FREE_BYTES = 2 * 1024**3


def installation(settings: Settings) -> Iterator[Finding]:
    """All findings about what is installed, from the ground up."""
    yield from _python()
    yield from _packages()
    yield from _binaries(settings)
    yield _disk(settings)


def _python() -> Iterator[Finding]:
    here = ".".join(map(str, sys.version_info[:3]))
    fine = sys.version_info >= (3, 11)
    yield Finding("python", fine, f"Python {here}", "" if fine else "Install Python 3.11 or newer.")


def _packages() -> Iterator[Finding]:
    advice = "Run `make demo` or `make test` again: they install what the lock file says."
    wrong = []
    for text in requires("stockverify") or []:
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate({"extra": "embedded"}):
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            wrong.append(f"{wanted.name} is missing")
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            wrong.append(f"{wanted.name} is {found}, needed {wanted.specifier}")
    says = "; ".join(wrong) or "All packages are in the ranges that this version needs."
    yield Finding("packages", not wrong, says, advice if wrong else "")


def _binaries(settings: Settings) -> Iterator[Finding]:
    needed: list[tuple[str, Callable[[], Path]]] = []
    needed += [] if settings.mongodb_uri else [("mongod", binaries.mongod)]
    needed += [] if settings.redis_address() else [("redis-server", binaries.redis_server)]
    for name, find in needed:
        try:
            yield Finding(name, True, f"{name} runs: {find()}")
        except StockVerifyError as error:
            yield Finding(name, False, f"{name} does not run.", error.message)


def _disk(settings: Settings) -> Finding:
    folder = next(parent for parent in (settings.data_dir, *settings.data_dir.absolute().parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return Finding("disk", False, f"{folder} is not writable.", "Choose another folder with --data-dir.")
    enough = free >= LEAST_FREE_BYTES
    advice = "" if enough else f"Free at least {LEAST_FREE_BYTES // 1024**3} GiB: snapshots and journals need room."
    return Finding("disk", enough, f"{free / 1024**3:.1f} GiB free at {folder}", advice)
