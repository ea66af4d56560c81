"""An embedded Redis on the loopback address, with a password. It holds leases only, so it keeps nothing on disk."""

from pathlib import Path

from redis import Redis, RedisError

from stockverify.kept_secret import kept_secret
from stockverify.services import binaries
from stockverify.services.child import Child, Spec, wait_ready


def spec(folder: Path, log: Path, port: int) -> Spec:
    """How to start it. Its password goes into a file that only the owner can read, never on a command line."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "redis.conf"
    config.touch(mode=0o600)
    config.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {_password(folder)}\n"
        f'dir "{folder.absolute()}"\nsave ""\nappendonly no\nmaxmemory 256mb\nmaxmemory-policy noeviction\n'
    )
    return Spec("redis-server", (str(binaries.redis_server()), str(config.absolute())), log, binaries.environment())


def url(folder: Path, port: int) -> str:
    """The address that clients use."""
    return f"redis://:{_password(folder)}@127.0.0.1:{port}/0"


def start(folder: Path, log: Path, port: int) -> Child:
    """Start it and return once it answers."""
    child = Child(spec(folder, log, port))
    try:
        wait_ready(child, lambda: _answers(url(folder, port)), seconds=20)
    except BaseException:
        child.kill()
        raise
    return child


def _answers(address: str) -> bool:
    with Redis.from_url(address, socket_timeout=0.3) as client:
        try:
            return bool(client.ping())
        except RedisError:
            return False


def _password(folder: Path) -> str:
    return kept_secret(folder / "password")
