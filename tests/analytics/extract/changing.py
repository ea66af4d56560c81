"""A stock that changes as it does in real life, and in ways that nothing does but somebody might."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import polars as pl
from bson.codec_options import CodecOptions
from pymongo import MongoClient
from pymongo.database import Database

from analytics.lake import Lake
from stockverify.clients import Document
from stockverify.datasets import HELD
from tests.analytics.stock import NOW, item, record, session

Stock = Database[Document]
RACKS = [f"R{number}" for number in range(6)]
CODES = ["a", "b", "00123", "é"]


class Changing:
    """Writes to a database what `draw` says; names never repeat, times go on."""

    def __init__(self, db: Stock, seed: int) -> None:
        self.db, self.draw, self.step = db, Random(seed), 0

    def write(self, many: int) -> None:
        """So many changes of any kind."""
        for _ in range(many):
            self.step += 1
            self.draw.choice(self.kinds)(self)

    @property
    def now(self) -> datetime:
        return NOW + timedelta(minutes=self.step)

    def _one_of(self, collection: str) -> Any:
        found = [each["_id"] for each in self.db[collection].find({}, {"_id": 1})]
        return self.draw.choice(found) if found else None

    def _rack(self) -> str | None:
        return self.draw.choice([*RACKS, None])

    def count(self) -> None:
        fields = {
            "round": self.draw.choice([1, 1, 2, None]),
            "received_at": self.now,
            "bin": self.draw.choice(["", "7"]),
            "session_id": self._one_of("verification_sessions"),
        }
        made = record(f"c-{self.step}", self._rack(), self.draw.choice(CODES), self.draw.choice([None, 0.1, 7, 2.5]))
        self.db["verification_records"].insert_one(made | fields)

    def correct(self) -> None:
        change = {"verified_qty": self.draw.random() * 9, "status": self.draw.choice(["partial", "finalized"])}
        self.db["verification_records"].update_one({"_id": self._one_of("verification_records")}, {"$set": change})

    def move(self) -> None:
        which = {"_id": self._one_of("verification_records")}
        self.db["verification_records"].update_one(which, {"$set": {"rack_id": self._rack()}})

    def remove(self) -> None:
        collection = self.draw.choice(["verification_records", "erp_items", "verification_sessions"])
        self.db[collection].delete_one({"_id": self._one_of(collection)})

    def recreate(self) -> None:
        found = self.db["verification_records"].find_one_and_delete({"_id": self._one_of("verification_records")})
        if found:
            self.db["verification_records"].insert_one(found | {"verified_qty": 1.5})

    def claim(self) -> None:
        fields = {"started_at": self.now, "round": self.draw.choice([1, 2])}
        self.db["verification_sessions"].insert_one(session(f"s-{self.step}", self._rack()) | fields)

    def heartbeat(self) -> None:
        which = {"_id": self._one_of("verification_sessions")}
        self.db["verification_sessions"].update_one(which, {"$set": {"last_heartbeat": self.now}})

    def list_line(self) -> None:
        fields = {"valid_from": self.now, "bin": f"b-{self.step}", "unit_cost": self.draw.choice([None, 2.5])}
        made = item(self.draw.choice(RACKS), self.draw.choice(CODES), self.draw.randrange(9))
        self.db["erp_items"].insert_one(made | fields)

    def revalue(self) -> None:
        """As the import of a stock list does."""
        if line := self.db["erp_items"].find_one({"_id": self._one_of("erp_items")}):
            before = {name: line[name] for name in ("book_qty", "unit_cost", "valid_from")} | {"valid_until": self.now}
            cost = self.draw.choice([None, 2.5, 2.5, 4.0])
            change = {"book_qty": self.draw.random(), "unit_cost": cost, "valid_from": self.now}
            self.db["erp_items"].update_one({"_id": line["_id"]}, {"$set": change, "$push": {"versions": before}})

    def rename(self) -> None:
        which = {"_id": self._one_of("erp_items")}
        self.db["erp_items"].update_one(which, {"$set": {"item_name": f"name {self.step}", "category": None}})

    def relocate(self) -> None:
        """Nothing does this, but it is only a key that changes."""
        change = {"rack_id": self.draw.choice(RACKS), "bin": f"m-{self.step}"}
        self.db["erp_items"].update_one({"_id": self._one_of("erp_items")}, {"$set": change})

    kinds: tuple[Callable[["Changing"], None], ...] = (
        *(count,) * 6,
        *(claim, list_line) * 2,
        *(correct, move, remove, recreate, heartbeat, revalue, rename, relocate),
    )


def at_utc(client: "MongoClient[Document]", name: str) -> Stock:
    """A database whose instants are aware, as everywhere."""
    return client.get_database(name, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC))


def everything(lake: Lake, snapshot_id: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of all datasets, each in order of its key."""
    return {
        name: pl.read_parquet(lake.files(name, snapshot_id), glob=False).sort(dataset.key).to_dicts()
        for name, dataset in HELD.items()
    }
