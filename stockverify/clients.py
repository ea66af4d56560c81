"""Opens the clients of the two backends, with the durability and the time limits that the house relies on.

Writes are acknowledged by a majority and journaled, so that a record answered `ok` survives kill -9 of any process.
Time limits are short: a backend that is gone must become a 503 within two seconds, not a hanging device.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import redis.asyncio
import redis.retry
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database
from pymongo.errors import InvalidURI
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from stockverify.errors import SetupError
from stockverify.settings import Settings

Document = dict[str, Any]

_DURABLE: dict[str, Any] = {
    "w": "majority",
    "journal": True,
    "readConcernLevel": "majority",
    "serverSelectionTimeoutMS": 1500,
    "connectTimeoutMS": 1500,
    "tz_aware": True,
    "tzinfo": UTC,
    "appname": "stockverify",
}


class UnusableAddress(SetupError):
    """{name} is not an address that can be used. It looks like {example}, with the special characters of a password
    written as in %40 for @."""


@contextmanager
def _address(name: str, example: str) -> Iterator[None]:
    """What the libraries say of a wrong address may hold a part of the password, so it is left out."""
    try:
        yield
    except (InvalidURI, ValueError):
        raise UnusableAddress(name=name, example=example) from None


_of_mongo = _address("MONGODB_URI", "mongodb://user:password@host:27017/?replicaSet=rs0")
_of_redis = _address("REDIS_URL", "redis://:password@host:6379/0")


@_of_mongo
def open_async_mongo(uri: str) -> AsyncMongoClient[Document]:
    """For the service. Connects on first use."""
    return AsyncMongoClient(uri, socketTimeoutMS=10_000, **_DURABLE)


@_of_mongo
def open_mongo(uri: str, appname: str = "stockverify") -> MongoClient[Document]:
    """For jobs, analytics and the command line. Connects on first use; MongoDB's logs call it by its `appname`."""
    return MongoClient(uri, **_DURABLE | {"appname": appname})


def async_database(client: AsyncMongoClient[Document], settings: Settings) -> AsyncDatabase[Document]:
    """The database of these settings; its documents carry aware UTC times."""
    return client.get_database(settings.mongodb_database, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC))


def database(client: MongoClient[Document], settings: Settings) -> Database[Document]:
    """The same for the blocking client."""
    return client.get_database(settings.mongodb_database, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC))


class _Connection(redis.asyncio.Connection):
    """uvloop answers a write to a connection that was just reset with a RuntimeError, which redis-py lets through: it
    would look like a fault of the service instead of an outage."""

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        try:
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:
            await self.disconnect(nowait=True)
            raise redis.exceptions.ConnectionError(str(error)) from None


@_of_redis
def open_redis(url: str) -> "redis.asyncio.Redis":
    """For the service: text replies, 0.3 seconds per answer, one silent retry when a connection was closed."""
    return redis.asyncio.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=0.3,
        socket_connect_timeout=0.3,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,)),
        health_check_interval=15,
        connection_class=_Connection,
    )


@_of_redis
def open_redis_listener(url: str) -> "redis.asyncio.Redis":
    """For live updates: a subscription may be silent for long, so only connecting has a time limit. Replies are bytes.

    Nothing is retried silently: what was missed while a connection was away must be told to those who listen.
    """
    return redis.asyncio.Redis.from_url(
        url,
        socket_timeout=None,
        socket_connect_timeout=2,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        connection_class=_Connection,
    )


@_of_redis
def open_blocking_redis(url: str) -> "redis.Redis":
    """For jobs: text replies, one second per answer, nothing retried silently."""
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=redis.retry.Retry(NoBackoff(), 0),
    )


def as_stored(instant: datetime) -> datetime:
    """The instant as MongoDB gives it back: it keeps milliseconds."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def in_short(error: Exception) -> str:
    """What a driver says went wrong, without its time limits and its view of all servers that follow."""
    text = str(error)
    for tail in (" (configured timeouts", ", Timeout:", ", full error"):
        text = text.partition(tail)[0]
    return text[:200].rstrip(".")
