"""A database of stock documents and a lake for each test."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from analytics.extract import materialise
from analytics.lake import Freeze, Lake
from stockverify.clients import Document, database
from stockverify.settings import Settings
from tests.analytics.stock import NOW

Store = Database[Document]
Take = Callable[..., Freeze]


@pytest.fixture
def db(settings: Settings, mongo: "MongoClient[Document]") -> Store:
    """The test's own database."""
    return database(mongo, settings)


@pytest.fixture
def lake(settings: Settings) -> Lake:
    """An empty lake."""
    return Lake(settings.lake)


@pytest.fixture
def take(lake: Lake, db: Store) -> Take:
    """Takes a snapshot of the database; ids tell their order, so each is taken a moment after the one before."""
    moments = count()

    def now(name: str = "", **documents: Any) -> Freeze:
        for collection, found in documents.items():
            db[collection].insert_many(found)
        return materialise(lake, db, NOW + timedelta(milliseconds=next(moments)), name)

    return now
