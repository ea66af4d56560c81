"""The embedded backends: whichever of MongoDB and Redis the settings do not name is started as a child process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import msgspec

from stockverify.services import mongod, redis_server
from stockverify.services.child import Child, free_port
from stockverify.settings import Settings


class Backends(NamedTuple):
    """Settings that name both backends, and the children that serve them."""

    settings: Settings
    children: tuple[Child, ...]


@contextmanager
def backends(settings: Settings) -> Iterator[Backends]:
    """Both backends, answering; the children are stopped at the end, Redis first."""
    children: list[Child] = []
    logs = settings.data_dir / "logs"
    with ExitStack() as stack:

        def keep(child: Child) -> None:
            children.append(child)
            stack.callback(child.stop)

        if not settings.mongodb_uri:
            folder, port = settings.data_dir / "mongodb", free_port()
            keep(mongod.start(folder, logs / "mongod.log", port))
            settings = msgspec.structs.replace(settings, mongodb_uri=mongod.uri(folder, port))
        if not settings.redis_address():
            folder, port = settings.data_dir / "redis", free_port()
            keep(redis_server.start(folder, logs / "redis.log", port))
            settings = msgspec.structs.replace(settings, redis_url=redis_server.url(folder, port))
        yield Backends(settings, tuple(children))
