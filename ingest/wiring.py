"""Opens what the service needs and hands it to the handlers: clients, stores, and the caller of each request."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import redis.exceptions
from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from analytics.lake import Lake
from ingest import access
from ingest.activity.sealing import sealing
from ingest.activity.store import ActivityStore
from ingest.auth.rules import Caller
from ingest.auth.store import UserStore
from ingest.health.store import HealthStore
from ingest.leases.store import LeaseStore
from ingest.live.feed import Feed
from ingest.outages import is_outage, patiently
from ingest.racks.store import RackStore
from ingest.reports.store import ReportStore
from ingest.sessions.store import SessionStore
from ingest.sync.store import SyncStore
from stockverify import clients, indexes
from stockverify.breaker import Breaker
from stockverify.kept_secret import kept_secret
from stockverify.settings import Settings


class AllStores(NamedTuple):
    """The stores of all nouns, over one MongoDB client and one Redis client."""

    users: UserStore
    racks: RackStore
    sessions: SessionStore
    sync: SyncStore
    reports: ReportStore
    activity: ActivityStore
    health: HealthStore
    mongo_breaker: Breaker


Stores = NamedDependency[AllStores]
CurrentCaller = NamedDependency[Caller]


def lifespan(settings: Settings) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """Open the clients, make sure of indexes and of the first user, and close in reverse order at the end."""

    @asynccontextmanager
    async def run(app: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            mongo = await stack.enter_async_context(clients.open_async_mongo(settings.mongodb_uri or ""))
            redis_client = await stack.enter_async_context(clients.open_redis(settings.redis_address() or ""))
            blocking = stack.enter_context(clients.open_mongo(settings.mongodb_uri or ""))
            database = clients.async_database(mongo, settings)
            leases = LeaseStore(redis_client, _breaker("Redis", settings, _is_outage_of_redis))
            activity, feed = ActivityStore(database), Feed(lambda message, channel: None)
            users = UserStore(database, settings, signing_secret(settings))
            racks = RackStore(mongo, database, leases, activity, feed, settings)
            await indexes.ensure(database)
            await users.ensure_admin(datetime.now(UTC))
            await stack.enter_async_context(sealing(activity))
            app.state.stores = AllStores(
                users=users,
                racks=racks,
                sessions=SessionStore(mongo, database, leases, racks, activity, feed, settings),
                sync=SyncStore(mongo, database, feed),
                reports=ReportStore(database, clients.database(blocking, settings), Lake(settings.lake), settings),
                activity=activity,
                health=HealthStore(mongo, leases),
                mongo_breaker=_breaker("MongoDB", settings, is_outage),
            )
            yield

    return run


def _breaker(name: str, settings: Settings, is_failure: Callable[[Exception], bool]) -> Breaker:
    return Breaker(name, settings.breaker_failures, settings.breaker_timeout, is_failure)


def _is_outage_of_redis(error: Exception) -> bool:
    return isinstance(error, redis.exceptions.RedisError | OSError)


def signing_secret(settings: Settings) -> str:
    """STOCKVERIFY_SECRET, or one that is made once and kept where only the owner of the data directory can read it."""
    return settings.secret or kept_secret(settings.data_dir / "secret.key")


def provide_stores(state: State) -> AllStores:
    """The stores, for a handler's `stores` argument."""
    stores: AllStores = state.stores
    return stores


def provide_caller(request: Request) -> Caller:
    """The authenticated person, for a handler's `caller` argument."""
    caller: Caller = request.user
    return caller


class Authentication(AbstractAuthenticationMiddleware):
    """Turns the Authorization header into a Caller, except on public operations."""

    async def authenticate_request(self, connection: ASGIConnection) -> AuthenticationResult:
        """Raises BadToken (401) for a bad token only; an outage of MongoDB is 503."""
        if access.is_public(connection.scope, connection.scope["route_handler"].name):
            return AuthenticationResult(user=None, auth=None)
        stores: AllStores = connection.app.state.stores
        header = connection.headers.get("Authorization")
        device = connection.headers.get("X-Device-ID", "")[:128]
        caller = await patiently(stores.mongo_breaker, lambda: stores.users.caller(header, device))
        return AuthenticationResult(user=caller, auth=header)
