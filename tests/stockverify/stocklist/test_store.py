from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from stockverify import indexes
from stockverify.clients import Document, database, open_mongo
from stockverify.errors import Unavailable
from stockverify.settings import Settings
from stockverify.stocklist.load import load
from stockverify.stocklist.plan import plan
from stockverify.stocklist.store import Applied, ImportInterrupted, apply, read_book
from stockverify.vocabulary import Collection
from tests.stockverify.stocklist.samples import csv_bytes

MONDAY = datetime(2026, 1, 5, 8, 0, 0, 123456, tzinfo=UTC)
STORED_MONDAY = MONDAY.replace(microsecond=123000)
TUESDAY = datetime(2026, 1, 6, 8, tzinfo=UTC)


@pytest.fixture
def store(mongo: "MongoClient[Document]", settings: Settings) -> Database[Document]:
    return database(mongo, settings)


def bring(store: Database[Document], now: datetime, *rows: str, heading: str | None = None) -> Applied:
    data = csv_bytes(*rows, heading=heading or "floor,rack_id,bin,item_code,item_name,unit_cost,book_qty")
    return apply(store, plan(load(data), read_book(store)), now)


def everything(store: Database[Document]) -> tuple[list[Any], list[Any]]:
    lines = store[Collection.ERP_ITEMS].find({}, {"_id": 0}).sort([("rack_id", 1), ("item_code", 1)])
    return list(lines), list(store[Collection.RACKS].find().sort("_id", 1))


def test_new_lines_and_racks_are_stored_whole(store: Database[Document]) -> None:
    assert bring(store, MONDAY, "G,R1,B1,A,Nail,1.5,3", "G,R1,,B,,,4") == Applied(lines=2, racks=1, overtaken=0)
    lines, racks = everything(store)
    assert lines[0] == {
        "floor": "G",
        "rack_id": "R1",
        "bin": "B1",
        "item_code": "A",
        "item_name": "Nail",
        "barcode": None,
        "category": None,
        "subcategory": None,
        "uom": None,
        "unit_cost": 1.5,
        "mrp": None,
        "book_qty": 3.0,
        "updated_at": STORED_MONDAY,
        "valid_from": STORED_MONDAY,
    }
    assert (lines[1]["bin"], lines[1]["item_name"]) == ("", None)
    assert racks == [
        {
            "_id": "R1",
            "floor": "G",
            "status": "available",
            "fence": 0,
            "round": 1,
            "item_count": 2,
            "claimed_by": None,
            "session_id": None,
            "updated_at": STORED_MONDAY,
        }
    ]
    assert not [name for name in indexes.missing(store) if "erp_items" in name or "rack" in name]


def test_the_same_list_again_changes_nothing(store: Database[Document]) -> None:
    rows = ("G,R1,B1,A,Nail,1.5,3", "G,R2,,B,,,4.25")
    bring(store, MONDAY, *rows)
    before = everything(store)
    assert bring(store, TUESDAY, *rows) == Applied(0, 0, 0)
    assert everything(store) == before


def test_a_new_value_keeps_the_old_one_with_its_time(store: Database[Document]) -> None:
    bring(store, MONDAY, "G,R1,,A,Nail,1.5,3", "G,R1,,B,Bolt,2,7")
    assert bring(store, TUESDAY, "G,R1,,A,Nail,1.5,4", "G,R1,,B,Bolts,2,7").lines == 2
    (nail, bolt), _ = everything(store)
    assert (nail["book_qty"], nail["updated_at"], nail["valid_from"]) == (4.0, TUESDAY, TUESDAY)
    assert nail["versions"] == [
        {"book_qty": 3.0, "unit_cost": 1.5, "valid_from": STORED_MONDAY, "valid_until": TUESDAY}
    ]
    assert (bolt["item_name"], bolt["updated_at"], bolt["valid_from"]) == ("Bolts", TUESDAY, STORED_MONDAY)
    assert "versions" not in bolt


def test_a_column_that_the_list_lacks_stays_stored(store: Database[Document]) -> None:
    bring(store, MONDAY, "G,R1,,A,Nail,1.5,3")
    bring(store, TUESDAY, "R1,A,9", heading="rack,sku,qty")
    (nail,), (rack,) = everything(store)
    assert (nail["floor"], nail["item_name"], nail["unit_cost"], nail["book_qty"]) == ("G", "Nail", 1.5, 9.0)
    assert rack["floor"] == "G"


def test_a_rack_in_use_keeps_its_holder(store: Database[Document]) -> None:
    held = {"status": "active", "fence": 7, "round": 3, "claimed_by": "u1", "session_id": "s1", "updated_at": TUESDAY}
    store[Collection.RACKS].insert_one({"_id": "R1", "floor": "", "item_count": 0} | held)
    bring(store, MONDAY, "G,R1,,A,Nail,1.5,3")
    assert everything(store)[1] == [{"_id": "R1", "floor": "G", "item_count": 1} | held]


def test_lines_that_another_import_was_faster_with_are_left_alone(store: Database[Document]) -> None:
    bring(store, MONDAY, "G,R1,,A,Nail,1.5,3")
    slow = plan(load(csv_bytes("R1,A,4", "R1,B,1", heading="rack,sku,qty")), read_book(store))
    bring(store, TUESDAY, "G,R1,,A,Nail,1.5,5", "G,R1,,B,Bolt,,2")
    assert apply(store, slow, TUESDAY).overtaken == 2
    assert [line["book_qty"] for line in everything(store)[0]] == [5.0, 2.0]


def test_progress_rises_to_the_number_of_writes(store: Database[Document]) -> None:
    planned = plan(load(csv_bytes(*(f"R{i % 7},{i},1" for i in range(2500)), heading="rack,sku,qty")), read_book(store))
    seen: list[int] = []
    assert apply(store, planned, MONDAY, seen.append) == Applied(2500, 7, 0)
    assert seen == [1000, 2000, 2500, 2507]
    assert planned.writes == 2507


def test_a_server_that_is_away(settings: Settings) -> None:
    away = msgspec.structs.replace(settings, mongodb_uri="mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100")
    with open_mongo(away.mongodb_uri or "") as client:
        client_store = database(client, away)
        with pytest.raises(Unavailable, match="MongoDB"):
            read_book(client_store)


def test_an_import_that_is_cut_off_is_finished_by_the_next(store: Database[Document]) -> None:
    rows = [f"R1,{i:04},{i}" for i in range(1500)]
    planned = plan(load(csv_bytes(*rows, heading="rack,sku,qty")), read_book(store))

    def ctrl_c(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(store, planned, MONDAY, ctrl_c)
    assert (len(everything(store)[0]), everything(store)[1]) == (1000, [])
    assert bring(store, TUESDAY, *rows, heading="rack,sku,qty") == Applied(500, 1, 0)
    lines, racks = everything(store)
    assert [line["book_qty"] for line in lines] == list(range(1500))
    assert racks[0]["item_count"] == 1500


def test_a_server_that_refuses_says_how_far_it_came(store: Database[Document]) -> None:
    store.create_collection(Collection.ERP_ITEMS, validator={"book_qty": {"$lt": 1200}})
    rows = [f"R1,{i:04},{i}" for i in range(1500)]
    with pytest.raises(ImportInterrupted, match=r"after 1,000 of 1,501 writes.*Import the same file again"):
        bring(store, MONDAY, *rows, heading="rack,sku,qty")


def test_the_book_is_read_along_an_index(store: Database[Document]) -> None:
    bring(store, MONDAY, "G,R1,,A,Nail,1.5,3")
    plan_of = store[Collection.ERP_ITEMS].find({}).sort([("rack_id", 1), ("bin", 1), ("item_code", 1)]).explain()
    assert plan_of["queryPlanner"]["winningPlan"]["inputStage"]["stage"] == "IXSCAN"
