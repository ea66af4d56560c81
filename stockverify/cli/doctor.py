"""`stockverify doctor` checks versions, servers, indexes and the lake, and says what is wrong."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import NamedTuple

import click
from packaging.requirements import Requirement
from pymongo.errors import PyMongoError
from redis import Redis, RedisError

from stockverify import indexes
from stockverify.cli import options
from stockverify.cli.connect import running_settings
from stockverify.clients import database, open_mongo
from stockverify.errors import NotRunning, StockVerifyError
from stockverify.services import binaries
from stockverify.services.running import RUNTIME_FILE, answers
from stockverify.settings import Settings, to_env
from stockverify.vocabulary import Collection

OLDEST_MONGODB = (6, 0)
OLDEST_REDIS = (6, 2)
LEAST_FREE_BYTES = 2 * 1024**3


class Finding(NamedTuple):
    """One thing that was looked at. `advice` is empty when all is well."""

    check: str
    fine: bool
    says: str
    advice: str = ""


@click.command()
@options.data_dir
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per finding.")
def doctor(data_dir: Path | None, as_json: bool) -> None:
    """Check the installation and, when StockVerify runs, its servers, indexes and snapshots.

    Exit code 0 when all is well, 1 when something is wrong; each finding says what to do.
    """
    settings = options.settings(data_dir=data_dir)
    wrong = 0
    for finding in examine(settings):
        wrong += not finding.fine
        click.echo(json.dumps(finding._asdict()) if as_json else _line(finding))
    sys.exit(1 if wrong else 0)


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings, from the ground up."""
    yield from _python()
    yield from _packages()
    yield from _binaries(settings)
    yield _disk(settings)
    try:
        settings = running_settings(settings)
    except NotRunning as error:
        yield Finding("running", False, "StockVerify is not running.", error.message)
    else:
        yield from _mongodb(settings)
        yield _redis(settings)
        yield from _processes(settings)
    yield from _lake(settings)


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


def _mongodb(settings: Settings) -> Iterator[Finding]:
    try:
        with open_mongo(settings.mongodb_uri or "") as client:
            found = str(client.server_info()["version"])
            replica_set = client.admin.command("hello").get("setName")
            absent = indexes.missing(database(client, settings))
            users = database(client, settings)[Collection.USERS].estimated_document_count()
    except PyMongoError as error:
        yield Finding("mongodb", False, "MongoDB does not answer.", f"Start it, or correct MONGODB_URI. {error!s:.200}")
        return
    old = _tuple(found) < OLDEST_MONGODB
    yield Finding("mongodb", not old, f"MongoDB {found}", "Use MongoDB 6.0 or newer." if old else "")
    advice = (
        "" if replica_set else "Start mongod with --replSet: transactions need a replica set, of one node at least."
    )
    yield Finding("replica set", bool(replica_set), f"replica set {replica_set or 'none'}", advice)
    says = f"missing: {', '.join(absent)}" if absent else "all declared indexes exist"
    yield Finding("indexes", not absent, says, "Restart the service: it creates them." if absent else "")
    yield Finding("users", users > 0, f"{users} users", "" if users else "Start the service once: it makes `admin`.")


def _redis(settings: Settings) -> Finding:
    try:
        with Redis.from_url(settings.redis_address() or "", socket_timeout=1) as client:
            found = str(client.info("server")["redis_version"])
    except (RedisError, OSError) as error:
        return Finding("redis", False, "Redis does not answer.", f"Start it, or correct REDIS_URL. {error!s:.200}")
    old = _tuple(found) < OLDEST_REDIS
    return Finding("redis", not old, f"Redis {found}", "Use Redis 6.2 or newer." if old else "")


def _processes(settings: Settings) -> Iterator[Finding]:
    path = settings.data_dir / RUNTIME_FILE
    if not path.exists():
        return
    runtime = json.loads(path.read_text())
    for name, url in (
        ("service", f"{runtime['api']}/api/health"),
        ("dashboard", f"{runtime['dashboard']}/_stcore/health"),
    ):
        fine = answers(url)
        advice = "" if fine else f"Look at {settings.data_dir / 'logs' / name}.log."
        yield Finding(name, fine, f"{name} {'answers' if fine else 'does not answer'}", advice)
    died = {name: count for name, count in runtime["restarts"].items() if count}
    says = f"started again: {died}" if died else "no process had to be started again"
    yield Finding("restarts", not died, says, "Look at the logs of those processes." if died else "")


def _lake(settings: Settings) -> Iterator[Finding]:
    command = [sys.executable, "-m", "analytics", "verify", "--json"]
    outcome = subprocess.run(command, env=os.environ | to_env(settings), capture_output=True, text=True, check=False)
    if outcome.returncode not in (0, 1):
        yield Finding("lake", False, "The lake cannot be read.", outcome.stderr.strip()[-300:])
        return
    problems = json.loads(outcome.stdout)
    for problem in problems["problems"]:
        yield Finding("lake", False, str(problem), "Restore that file from a backup, or delete the whole snapshot.")
    if not problems["problems"]:
        yield Finding("lake", True, f"{problems['checked']} snapshots: manifests and checksums agree")


def _line(finding: Finding) -> str:
    mark = click.style("ok   ", fg="green") if finding.fine else click.style("WRONG", fg="red")
    return f"{mark} {finding.check}: {finding.says}" + (f"\n      {finding.advice}" if finding.advice else "")


def _tuple(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])
