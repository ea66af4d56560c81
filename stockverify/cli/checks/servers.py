"""MongoDB, Redis and the processes of a running `stockverify up`."""

import json
from collections.abc import Iterator

from pymongo.errors import PyMongoError
from redis import RedisError

from stockverify import indexes
from stockverify.cli.checks.finding import Finding
from stockverify.clients import database, in_short, open_blocking_redis, open_mongo
from stockverify.services.running import RUNTIME_FILE, answers
from stockverify.settings import Settings
from stockverify.vocabulary import Collection

OLDEST_MONGODB = (6, 0)
OLDEST_REDIS = (6, 2)


def servers(settings: Settings) -> Iterator[Finding]:
    """All findings about what runs."""
    yield from _mongodb(settings)
    yield _redis(settings)
    yield from _processes(settings)


def _mongodb(settings: Settings) -> Iterator[Finding]:
    try:
        with open_mongo(settings.mongodb_uri or "") as client:
            found = str(client.server_info()["version"])
            replica_set = client.admin.command("hello").get("setName")
            absent = indexes.missing(database(client, settings))
            users = database(client, settings)[Collection.USERS].estimated_document_count()
    except PyMongoError as error:
        yield Finding(
            "mongodb", False, "MongoDB does not answer.", f"Start it, or correct MONGODB_URI. {in_short(error)}"
        )
        return
    old = _tuple(found) < OLDEST_MONGODB
    yield Finding("mongodb", not old, f"MongoDB {found}", "Use MongoDB 6.0 or newer." if old else "")
    advice = (
        "" if replica_set else "Start mongod with --replSet: transactions need a replica set, of one node at least."
    )
    yield Finding("replica set", bool(replica_set), f"replica set {replica_set or 'none'}", advice)
    says = f"missing: {', '.join(absent)}" if absent else "all declared indexes exist"
    yield Finding("indexes", not absent, says, "Restart the service: it creates them." if absent else "")
    says = "1 user" if users == 1 else f"{users} users"
    yield Finding("users", users > 0, says, "" if users else "Start the service once: it makes `admin`.")


def _redis(settings: Settings) -> Finding:
    address = settings.redis_address()
    if address is None:
        return Finding("redis", False, "Redis is not known.", "Set REDIS_URL, or start `stockverify up`.")
    try:
        with open_blocking_redis(address) as client:
            found = str(client.info("server")["redis_version"])
    except (RedisError, OSError) as error:
        return Finding("redis", False, "Redis does not answer.", f"Start it, or correct REDIS_URL. {in_short(error)}")
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


def _tuple(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])
