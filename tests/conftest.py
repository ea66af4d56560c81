"""Real servers for the whole suite: one mongod and one Redis, started as the product itself starts them."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from stockverify.clients import Document, database, open_mongo
from stockverify.services.embedded import Backends, backends
from stockverify.settings import Settings
from tests.service import Service, running_service


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    """The servers; their data lies in a folder of the test run."""
    with backends(Settings(data_dir=tmp_path_factory.mktemp("servers"))) as started:
        yield started


@pytest.fixture(scope="session")
def mongo(embedded: Backends) -> Iterator["MongoClient[Document]"]:
    """A blocking client with the product's durability."""
    assert embedded.settings.mongodb_uri
    with open_mongo(embedded.settings.mongodb_uri) as client:
        yield client


@pytest.fixture
def settings(embedded: Backends, tmp_path: Path) -> Settings:
    """Settings with a database and a data directory of their own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    return msgspec.structs.replace(embedded.settings, mongodb_database=name, data_dir=tmp_path, secret="s" * 32)


@pytest.fixture(scope="session")
def service(embedded: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service process for all tests that leave it running; each makes users and racks of its own."""
    name = f"service_{uuid.uuid4().hex[:12]}"
    folder = tmp_path_factory.mktemp("service")
    with running_service(msgspec.structs.replace(embedded.settings, mongodb_database=name, data_dir=folder)) as started:
        yield started


@pytest.fixture
def stored(service: Service, mongo: "MongoClient[Document]") -> "Database[Document]":
    """The database behind `service`."""
    return database(mongo, service.settings)
