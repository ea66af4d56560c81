"""Do the books balance? Everything that devices counted must be in the database, once, with the same quantity."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from pymongo.database import Database

from stockverify.clients import Document
from stockverify.vocabulary import Collection


class Counted(NamedTuple):
    """One record as its device knows it at the end."""

    client_record_id: str
    state: str
    verified: float | None


class Books(NamedTuple):
    """The figures of the last line of `stockverify demo --once --json`."""

    records_counted: int
    records_acked: int
    records_stored: int
    conflicts: int
    lost: int
    duplicated: int
    units_counted: float
    units_stored: float
    unfinished: int

    def balance(self) -> bool:
        """Nothing lost, nothing double, nothing left behind, and the same units on both sides."""
        return (
            self.lost == 0
            and self.duplicated == 0
            and self.unfinished == 0
            and self.records_acked == self.records_stored
            and self.records_counted == self.records_acked + self.conflicts
            and self.units_counted == self.units_stored
        )


def close(counted: Iterable[Counted], database: Database[Document]) -> Books:
    """Hold what the devices counted against what MongoDB has."""
    mine = list(counted)
    ids = {each.client_record_id for each in mine}
    stored = {row["_id"]: row for row in database[Collection.RECORDS].find({"_id": {"$in": sorted(ids)}})}
    kept_aside = set(
        database[Collection.CONFLICTS].distinct("client_record_id", {"client_record_id": {"$in": sorted(ids)}})
    )
    acked = [each for each in mine if each.state == "acked"]
    return Books(
        records_counted=len(ids),
        records_acked=len(acked),
        records_stored=len(stored),
        conflicts=sum(each.state == "conflict" for each in mine),
        lost=len(ids - set(stored) - kept_aside),
        duplicated=len(mine) - len(ids) + _counted_twice(database),
        units_counted=round(sum(each.verified or 0 for each in acked), 6),
        units_stored=round(sum(row["verified_qty"] or 0 for row in stored.values()), 6),
        unfinished=sum(each.state not in ("acked", "conflict") for each in mine),
    )


def _counted_twice(database: Database[Document]) -> int:
    """Lines that more than one accepted record counts in the same round of a rack."""
    fields = ("rack_id", "round", "item_code", "bin")
    rows: Iterable[dict[str, Any]] = database[Collection.RECORDS].find(
        {"rack_id": {"$ne": None}}, dict.fromkeys(fields, 1)
    )
    lines = Counter(tuple(row[field] for field in fields) for row in rows)
    return sum(times - 1 for times in lines.values() if times > 1)
