"""Real servers for the whole suite: one mongod and one Redis, started as the product itself starts them."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from pymongo import MongoClient

from stockverify.clients import Document, open_mongo
from stockverify.services.embedded import Backends, backends
from stockverify.settings import Settings


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
def settings(embedded: Backends, mongo: "MongoClient[Document]", tmp_path: Path) -> Iterator[Settings]:
    """Settings with a database and a data directory of their own; the database is dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield msgspec.structs.replace(embedded.settings, mongodb_database=name, data_dir=tmp_path, secret="s" * 32)
    mongo.drop_database(name)
