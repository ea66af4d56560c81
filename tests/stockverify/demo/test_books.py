"""The books notice what is lost, double or different."""

from typing import Any

import pytest
from pymongo import MongoClient

from stockverify.clients import database
from stockverify.demo.books import Books, Counted, close
from stockverify.settings import Settings


def stored(name: str, item: str, quantity: float) -> dict[str, Any]:
    return {"_id": name, "rack_id": "R1", "round": 1, "item_code": item, "bin": "", "verified_qty": quantity}


COUNTED = [Counted("a", "acked", 5), Counted("b", "acked", 2.5), Counted("c", "conflict", 9)]
GOOD = [stored("a", "A", 5), stored("b", "B", 2.5)]


def books(
    mongo: "MongoClient[dict[str, Any]]", settings: Settings, counted: list[Counted], records: list[dict[str, Any]]
) -> Books:
    store = database(mongo, settings)
    if records:
        store.verification_records.insert_many(records)
    store.sync_conflicts.insert_one({"_id": "cf-1", "client_record_id": "c"})
    return close(counted, store)


def test_good_books_balance(mongo: "MongoClient[dict[str, Any]]", settings: Settings) -> None:
    found = books(mongo, settings, COUNTED, GOOD)
    assert found == Books(3, 2, 2, 1, 0, 0, 7.5, 7.5, 0)
    assert found.balance()


@pytest.mark.parametrize(
    ("counted", "records", "field", "value"),
    [
        (COUNTED, GOOD[:1], "lost", 1),
        (COUNTED, [*GOOD, stored("x", "A", 5)], "duplicated", 1),
        (COUNTED, [GOOD[0], stored("b", "B", 3)], "units_stored", 8.0),
        ([*COUNTED, Counted("d", "parked", 1)], GOOD, "unfinished", 1),
        ([*COUNTED, Counted("d", "acked", 0)], GOOD, "lost", 1),
    ],
)
def test_bad_books_do_not(
    mongo: "MongoClient[dict[str, Any]]",
    settings: Settings,
    counted: list[Counted],
    records: list[dict[str, Any]],
    field: str,
    value: float,
) -> None:
    found = books(mongo, settings, counted, records)
    assert getattr(found, field) == value
    assert not found.balance()
