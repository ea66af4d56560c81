"""Opens what the service needs and hands it to the handlers: clients, stores, and the caller of each request."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import redis.exceptions
from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from ingest import access
from ingest.activity.sealing import sealing
from ingest.activity.store import ActivityStore
from ingest.anomalies.store import AnomalyStore
from ingest.auth.accounts import AccountStore
from ingest.auth.attempts import AttemptStore
from ingest.auth.hashing import Hashing
from ingest.auth.login import LoginStore
from ingest.auth.provider_keys import ProviderKeys
from ingest.auth.provider_keys import is_failure as is_failure_of_provider
from ingest.auth.rules import Caller
from ingest.auth.single_sign_on import SingleSignOn
from ingest.auth.store import UserStore
from ingest.comparisons.store import ComparisonStore
from ingest.conflicts.store import ConflictStore
from ingest.deliveries.store import DeliveryStore
from ingest.devices.rules import claimed
from ingest.devices.store import DeviceStore
from ingest.exports.running import running_exports
from ingest.exports.store import ExportStore
from ingest.flags.store import FlagStore
from ingest.health.store import HealthStore
from ingest.imports.running import running_imports
from ingest.imports.store import ImportStore
from ingest.leases.store import LeaseStore
from ingest.limits.rules import address
from ingest.limits.store import LimitStore
from ingest.live.backend import live_channels
from ingest.live.feed import Feed
from ingest.live.handshake import credentials
from ingest.live.store import LiveStore
from ingest.metrics.store import MetricsStore, watching_breakers
from ingest.outages import is_outage, patiently
from ingest.queries.store import QueryStore
from ingest.racks.store import RackStore
from ingest.reports.room import open_room
from ingest.reports.store import ReportStore
from ingest.schedules.store import ScheduleStore
from ingest.sessions.store import SessionStore
from ingest.snapshots.store import SnapshotStore
from ingest.subscriptions.store import SubscriptionStore
from ingest.sync.store import SyncStore
from stockverify import clients, indexes, oidc
from stockverify.breaker import Breaker
from stockverify.kept_secret import signing_secret
from stockverify.settings import Settings


class AllStores(NamedTuple):
    """The stores of all nouns, over one MongoDB client and one Redis client."""

    users: UserStore
    logins: LoginStore
    single_sign_on: SingleSignOn
    accounts: AccountStore
    devices: DeviceStore
    limits: LimitStore
    racks: RackStore
    sessions: SessionStore
    sync: SyncStore
    conflicts: ConflictStore
    reports: ReportStore
    snapshots: SnapshotStore
    queries: QueryStore
    exports: ExportStore
    comparisons: ComparisonStore
    schedules: ScheduleStore
    deliveries: DeliveryStore
    subscriptions: SubscriptionStore
    imports: ImportStore
    activity: ActivityStore
    anomalies: AnomalyStore
    flags: FlagStore
    health: HealthStore
    metrics: MetricsStore
    live: LiveStore
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
            listener = await stack.enter_async_context(clients.open_redis_listener(settings.redis_address() or ""))
            room = await stack.enter_async_context(open_room(settings))
            database = clients.async_database(mongo, settings)
            mongo_breaker = _breaker("MongoDB", settings, is_outage)
            redis_breaker = _breaker("Redis", settings, _is_outage_of_redis)
            provider = oidc.provider(settings)
            keys = ProviderKeys(provider, _provider_breaker(provider, settings)) if provider else None
            leases = LeaseStore(redis_client, redis_breaker)
            activity = ActivityStore(database)
            deliveries = DeliveryStore(mongo, database, activity, settings.mails)
            metrics = MetricsStore(leases, deliveries, (mongo_breaker, redis_breaker))
            await stack.enter_async_context(watching_breakers(metrics))
            channels = await stack.enter_async_context(live_channels(redis_client, listener))
            feed = Feed(channels.publish)
            attempts, hashing, secret = AttemptStore(database, activity, settings), Hashing(), signing_secret(settings)
            devices = DeviceStore(mongo, database, attempts, activity, secret)
            users = UserStore(mongo, database, devices, activity, settings, secret)
            accounts = AccountStore(mongo, database, attempts, activity, hashing, mongo_breaker, settings)
            exports = ExportStore(database, room, activity, settings, secret)
            imports = ImportStore(database, room, activity, settings)
            racks = RackStore(mongo, database, leases, activity, feed, settings)
            reports = ReportStore(database, room, settings)
            await indexes.ensure(database)
            await accounts.ensure_admin(datetime.now(UTC))
            await stack.enter_async_context(sealing(activity))
            await stack.enter_async_context(running_exports(exports, room))
            await stack.enter_async_context(running_imports(imports, room))
            app.state.stores = AllStores(
                users=users,
                logins=LoginStore(database, users, devices, attempts, hashing, mongo_breaker),
                single_sign_on=SingleSignOn(database, users, accounts, attempts, keys, provider, mongo_breaker),
                accounts=accounts,
                devices=devices,
                limits=LimitStore(redis_client, redis_breaker, settings),
                racks=racks,
                sessions=SessionStore(mongo, database, leases, racks, activity, feed, settings),
                sync=SyncStore(mongo, database, feed),
                conflicts=ConflictStore(mongo, database, activity, feed, mongo_breaker),
                reports=reports,
                snapshots=SnapshotStore(database, room, reports, activity),
                queries=QueryStore(database, room),
                exports=exports,
                comparisons=ComparisonStore(database, room, settings),
                schedules=ScheduleStore(mongo, database, room, activity, settings),
                deliveries=deliveries,
                subscriptions=SubscriptionStore(mongo, database, activity, secret),
                imports=imports,
                activity=activity,
                anomalies=AnomalyStore(room),
                flags=FlagStore(mongo, database, racks, activity, mongo_breaker),
                health=HealthStore(mongo, leases, mongo_breaker),
                metrics=metrics,
                live=LiveStore(channels),
                mongo_breaker=mongo_breaker,
            )
            stack.enter_context(_long_lived())
            yield

    return run


@contextmanager
def _long_lived() -> Iterator[None]:
    """What is there at the start stays until the end. While the collector of garbage looked through it too, every
    full collection stopped all requests for 80 ms; begun every 700 objects, two collections a batch took 3 % to 5 % of
    a process and found next to nothing."""
    gc.collect()
    gc.freeze()
    usual = gc.get_threshold()
    gc.set_threshold(10_000, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def _breaker(name: str, settings: Settings, is_failure: Callable[[Exception], bool]) -> Breaker:
    return Breaker(name, settings.breaker_failures, settings.breaker_timeout, is_failure)


def _provider_breaker(provider: oidc.Provider, settings: Settings) -> Breaker:
    return _breaker(provider.name, settings, is_failure_of_provider)


def _is_outage_of_redis(error: Exception) -> bool:
    return isinstance(error, redis.exceptions.RedisError | OSError)


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
        """Raises BadToken (401) for a bad token only; an outage of MongoDB is 503, and too many requests are 429."""
        stores: AllStores = connection.app.state.stores
        operation = connection.scope["route_handler"].name
        if access.is_public(connection.scope, operation):
            if operation in access.LIMITED:
                await stores.limits.stranger(address(connection.client))
            return AuthenticationResult(user=None, auth=None)
        header, device_id = credentials(connection), claimed(connection.headers).device_id
        claims = stores.users.claims(header)
        caller, _ = await asyncio.gather(  # at the same time: the limit must not make anything slower
            patiently(stores.mongo_breaker, lambda: stores.users.speaker(claims, device_id)),
            stores.limits.device(claims.user_id, claims.device_id),
        )
        return AuthenticationResult(user=caller, auth=header)
