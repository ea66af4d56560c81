"""The whole of StockVerify, running: backends, service, worker and dashboard on one data directory."""

import fcntl
import http.client
import json
import os
import secrets
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from stockverify import mail_settings
from stockverify.clients import database, open_mongo
from stockverify.environment import to_env
from stockverify.errors import SetupError
from stockverify.services.child import Spec
from stockverify.services.embedded import backends
from stockverify.services.preconditions import check_disk, check_mongodb, check_ports, check_redis
from stockverify.services.supervisor import Supervisor
from stockverify.settings import Settings
from stockverify.vocabulary import Collection

RUNTIME_FILE = "runtime.json"
LOCK_FILE = "up.lock"

# The Arrow wheels of this generation may crash in their default allocator when threads come and go, as they do in the
# dashboard (docs/decisions/0003); the allocator of the C library is safe and as fast for what we do.
_ARROW = {"ARROW_DEFAULT_MEMORY_POOL": "system"}


class AlreadyRunning(SetupError):
    """StockVerify already runs on {data_dir}. Stop that run first, or choose another folder with --data-dir."""


class DataDirUnusable(SetupError):
    """The data directory {data_dir} cannot be used: {reason}. Choose another one with --data-dir."""


class Running(NamedTuple):
    """What runs where. `admin_password` is set at the first start only, when it was made up."""

    settings: Settings
    supervisor: Supervisor
    api: str
    dashboard: str
    admin_password: str | None

    def addresses(self) -> dict[str, str]:
        """The addresses of all four, with the logins that the embedded backends need."""
        return {
            "api": self.api,
            "dashboard": self.dashboard,
            "mongodb": self.settings.mongodb_uri or "",
            "redis": self.settings.redis_address() or "",
        }


@contextmanager
def running(
    settings: Settings, say: Callable[[str], None], prepare: Callable[[Path], None] = lambda data_dir: None
) -> Iterator[Running]:
    """Start everything in order; stop it in reverse order at the end.

    `prepare` is called with the data directory once no other run can be on it.
    """
    with ExitStack() as stack:
        mail_settings.check(settings)  # a worker that refuses them would be started again and again
        stack.enter_context(_locked(settings.data_dir))
        check_disk(settings.data_dir)
        check_ports(settings)
        prepare(settings.data_dir)
        say("Starting MongoDB and Redis …")
        started = stack.enter_context(backends(settings))
        check_mongodb(started.settings)
        check_redis(started.settings, say)
        settings, made_up = _with_first_password(started.settings)
        supervisor = Supervisor(say, on_restart=lambda: _write_runtime(result))
        stack.callback(supervisor.stop)
        for child in started.children:
            supervisor.adopt(child)
        dashboard = f"http://{_shown_host(settings)}:{settings.dashboard_port}"
        result = Running(settings, supervisor, settings.service_url(), dashboard, made_up)
        say("Starting the service, the worker and the dashboard …")
        _start_ours(result)
        _write_runtime(result)
        stack.callback((settings.data_dir / RUNTIME_FILE).unlink, missing_ok=True)
        supervisor.watch()
        yield result


def _start_ours(result: Running) -> None:
    settings = result.settings

    def spec(name: str, module: str, *hidden: str) -> Spec:
        """Each process is told what it needs; an empty variable counts as unset."""
        env = to_env(settings) | _ARROW | dict.fromkeys(hidden, "")
        return Spec(name, (sys.executable, "-m", module), settings.data_dir / "logs" / f"{name}.log", env)

    shutil.rmtree(settings.metrics, ignore_errors=True)  # counts begin at 0 with each start
    start = result.supervisor.start
    logins = ("STOCKVERIFY_ADMIN_PASSWORD", "STOCKVERIFY_SECRET")
    single_sign_on = "OIDC_CLIENT_SECRET"
    databases = ("MONGODB_URI", "REDIS_URL", "REDIS_HOST", "REDIS_PASSWORD")
    for number in range(1, settings.service_processes + 1):  # the first one makes indexes and the first user
        name = "service" if number == 1 else f"service-{number}"
        start(spec(name, "ingest", single_sign_on), lambda: answers(f"{result.api}/api/health"))
    start(spec("worker", "jobs", single_sign_on, *logins), lambda: True)
    start(spec("dashboard", "dashboard", *logins, *databases), lambda: answers(f"{result.dashboard}/_stcore/health"))


def answers(url: str) -> bool:
    """Whether an HTTP address of this machine answers with a 2xx; a proxy of the environment is not asked."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=2) as reply:
            return bool(200 <= reply.status < 300)
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False


def _with_first_password(settings: Settings) -> tuple[Settings, str | None]:
    """At the first start the user `admin` needs a password; make one up unless the settings hold one."""
    if settings.admin_password:
        return settings, None
    with open_mongo(settings.mongodb_uri or "") as client:
        if database(client, settings)[Collection.USERS].find_one({}, {"_id": 1}):
            return settings, None
    password = secrets.token_urlsafe(12)
    return msgspec.structs.replace(settings, admin_password=password), password


@contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """One run per data directory; the lock ends with the process, however it ends."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (data_dir / LOCK_FILE).open("a")
    except OSError as error:
        raise DataDirUnusable(data_dir=data_dir, reason=error.strerror) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(data_dir=data_dir) from None
        yield


def _shown_host(settings: Settings) -> str:
    return "127.0.0.1" if settings.bind in ("0.0.0.0", "::") else settings.bind  # noqa: S104


def _write_runtime(result: Running) -> None:
    """Tells other commands where this run's servers are; only the owner can read it."""
    supervisor = result.supervisor
    content = result.addresses() | {"pid": os.getpid(), "pids": supervisor.pids(), "restarts": supervisor.restarts()}
    path = result.settings.data_dir / RUNTIME_FILE
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content))
    draft.replace(path)
