"""Real servers for the whole suite: one mongod and one Redis, started as the product itself starts them."""

import os
import uuid
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from stockverify.clients import Document, database, open_mongo
from stockverify.services.embedded import Backends, backends
from stockverify.settings import Settings
from tests.document import lists
from tests.profiling import all_served, keeper
from tests.service import PATIENT, Service, running_service
from tests.turns import Turns

_TURNS = pytest.StashKey[Turns]()


def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis draws the same examples in each run of the suite, so that red means that something has changed; fault
    hunts draw new ones, for all such tests. Neither has a deadline, because a busy machine is no fault."""
    hunting = config.option.markexpr.startswith("faults")
    hypothesis.settings.register_profile("stockverify", derandomize=not hunting, deadline=None, print_blob=True)
    hypothesis.settings.load_profile("stockverify")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with tests that run alone begin first, and with those tests: they wait for each other at the beginning, and
    not each for the longest of whatever else runs. Then comes what lies on top: it runs whole products and takes long,
    so that nothing waits for it in the end."""
    first = {item.path for item in items if _alone(item)}
    found = {path: number for number, path in enumerate(dict.fromkeys(item.path for item in items))}
    items.sort(key=lambda item: (item.path not in first, len(item.path.parts), found[item.path], not _alone(item)))


def _alone(item: pytest.Item | None) -> bool:
    return item is not None and item.get_closest_marker("alone") is not None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Where the suite runs in several processes, each test takes its turn, with all its fixtures."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    if _TURNS not in item.config.stash:
        item.config.stash[_TURNS] = Turns(item.config.cache.mkdir("turns"))
    turns = item.config.stash[_TURNS]
    turns.begin(_alone(item))
    try:
        return (yield)
    finally:
        turns.end(keep=_alone(item) and _alone(nextitem))


@pytest.fixture(scope="session", autouse=True)
def certificates() -> Iterator[None]:
    """Each client of httpx reads all certificates anew, 30 ms of a processor, and tests make thousands without TLS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    """The servers; their data lies in a folder of the test run. All tests log in from one address, so without limit.

    Many clocks of tests stand still in a past that MongoDB would delete as too old, once a minute.
    """
    with backends(Settings(data_dir=tmp_path_factory.mktemp("servers"), rate_limit_strangers=0)) as started:
        with keeper(started.settings) as client:
            client.admin.command("setParameter", 1, ttlMonitorEnabled=False)
        yield started


@pytest.fixture(scope="session")
def mongo(embedded: Backends) -> Iterator["MongoClient[Document]"]:
    """A blocking client with the product's durability, under a name of its own: the profiler leaves it out."""
    assert embedded.settings.mongodb_uri
    with open_mongo(embedded.settings.mongodb_uri, "tests") as client:
        yield client


@pytest.fixture
def settings(embedded: Backends, tmp_path: Path) -> Settings:
    """Settings with a database and a data directory of their own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    return msgspec.structs.replace(embedded.settings, mongodb_database=name, data_dir=tmp_path, secret="s" * 32)


@pytest.fixture(scope="session")
def profile(embedded: Backends, mongo: "MongoClient[Document]") -> Iterator["Database[Document]"]:
    """The profiler's view of the database behind `service`: every query that the service makes.

    Once all tests of this process are over, none of these queries may have been one that no index serves.
    """
    with all_served(embedded.settings, f"service_{uuid.uuid4().hex[:12]}", mongo) as started:
        yield started


@pytest.fixture(scope="session")
def service(
    embedded: Backends, profile: "Database[Document]", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """One service process for all tests that leave it running, a patient one; each makes users and racks of its own.

    In the end it must be able to show all that they have left there, because any of them may be the one that lists it.
    """
    folder = tmp_path_factory.mktemp("service")
    # Fixtures of modules log in once, and a fault hunt takes longer than a token lives.
    changes: dict[str, Any] = {"mongodb_database": profile.name, "data_dir": folder, "access_token_ttl": 86_400}
    with running_service(msgspec.structs.replace(embedded.settings, **changes), module=PATIENT) as started:
        yield started
        for path in lists():
            started.admin.get(path)  # fails by itself on a reply that is not documented


@pytest.fixture
def stored(service: Service, mongo: "MongoClient[Document]") -> "Database[Document]":
    """The database behind `service`."""
    return database(mongo, service.settings)
