"""What must hold before everything is started: told in one sentence, instead of by a process that ends in its log."""

import errno
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from stockverify.clients import in_short, open_blocking_redis, open_mongo
from stockverify.errors import SetupError
from stockverify.settings import Settings

LEAST_FREE_BYTES = 16 * 2**20
"""With less, MongoDB dies while it makes its first files. `doctor` asks for far more, for work needs it."""


class PortInUse(SetupError):
    """Port {port}, for the {what}, is in use by another program. Choose another one with {option}."""


class OnePortForTwo(SetupError):
    """The service and the dashboard cannot both have port {port}. Choose another one with --dashboard-port."""


class AddressUnusable(SetupError):
    """The {what} cannot listen on {bind}, port {port}: {reason}. Set STOCKVERIFY_BIND to an address of this machine."""


class DiskFull(SetupError):
    """The disk of the data directory {data_dir} is full: {free_mib} MiB are free. Make room there, or choose another
    folder with --data-dir."""


class MongoDBAway(SetupError):
    """MongoDB does not answer at the address in MONGODB_URI: {reason}. Start it, or correct MONGODB_URI."""


class NoReplicaSet(SetupError):
    """The MongoDB in MONGODB_URI is no replica set, and transactions need one, of one node at least: start mongod with
    --replSet and run rs.initiate() once."""


class RedisAway(SetupError):
    """Redis does not answer at the address in REDIS_URL: {reason}. Racks cannot be claimed until it does."""


def check_disk(data_dir: Path) -> None:
    """Raises DiskFull when not even the first files have room."""
    free = shutil.disk_usage(data_dir).free
    if free < LEAST_FREE_BYTES:
        raise DiskFull(data_dir=data_dir, free_mib=round(free / 2**20, 1))


def check_ports(settings: Settings) -> None:
    """Raises OnePortForTwo, PortInUse or AddressUnusable."""
    if settings.api_port == settings.dashboard_port:
        raise OnePortForTwo(port=settings.api_port)
    wanted = ((settings.api_port, "service", "--api-port"), (settings.dashboard_port, "dashboard", "--dashboard-port"))
    for port, what, option in wanted:
        family = socket.AF_INET6 if ":" in settings.bind else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.bind, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise PortInUse(port=port, what=what, option=option) from None
                raise AddressUnusable(bind=settings.bind, port=port, what=what, reason=error.strerror) from None


def check_mongodb(settings: Settings) -> None:
    """Raises MongoDBAway, NoReplicaSet or, when its address is no address, UnusableAddress."""
    with _away_told(), open_mongo(settings.mongodb_uri or "") as client:
        hello = client.admin.command("hello")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":  # a mongos of shards has transactions, too
        raise NoReplicaSet()


def check_redis(settings: Settings, say: Callable[[str], None]) -> None:
    """Say it when Redis is away: everything else works without it. Raises UnusableAddress when that will not pass."""
    try:
        with open_blocking_redis(settings.redis_address() or "") as client:
            client.ping()
    except (RedisError, OSError) as error:
        say(RedisAway(reason=in_short(error)).message)


@contextmanager
def _away_told() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        raise MongoDBAway(reason=in_short(error)) from None
