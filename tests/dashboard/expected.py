"""The figures that the pages must show, computed from MongoDB in plain Python, without the code under test."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from math import floor
from typing import NamedTuple

from pymongo.database import Database

from stockverify.clients import Document
from stockverify.vocabulary import Collection

Key = tuple[str, str, str]


class Figures(NamedTuple):
    """Tiles of the overview by their labels, rows of each dataset, and racks that nobody counted."""

    tiles: dict[str, str]
    rows: dict[str, int]
    untouched_racks: int


def figures(database: Database[Document], until: datetime | None = None) -> Figures:
    """The figures of what the database holds now, or held then, when nothing has been corrected or settled since."""
    items = list(database[Collection.ERP_ITEMS].find())
    told: Document = {"received_at": {"$lte": until}} if until else {}
    records = list(database[Collection.RECORDS].find({"rack_id": {"$ne": None}} | told))
    counted, seen = _counts(_latest(records))
    book = _book(items)
    lines = set(book) | seen
    costs = _costs(items, lines)
    variance = {key: found - book.get(key, 0.0) for key, (found, _) in counted.items()}
    verified, damaged = (sum(pair[side] for pair in counted.values()) for side in (0, 1))
    value = sum(step * costs[key] for key, step in variance.items() if costs.get(key) is not None)
    right = sum(1 for step in variance.values() if step == 0)
    rounds = {record["rack_id"]: record.get("round") or 1 for record in _latest(records)}
    again = sum(1 for key in counted if rounds[key[0]] > 1)
    priced = {key: costs[key] for key in counted if costs.get(key) is not None}
    gross = sum(abs(variance[key]) * cost for key, cost in priced.items())
    size = sum(abs(book.get(key, 0.0)) * cost for key, cost in priced.items())
    done = {key[0] for key in counted}
    uncosted = [abs(step) for key, step in variance.items() if costs.get(key) is None]
    left_out = {"Lines without a cost": f"{len(uncosted):,} (off by {_units(sum(uncosted))})"} if uncosted else {}
    return Figures(
        tiles=left_out
        | {
            "Progress": _percent(len(counted), len(lines)),
            "Lines counted": f"{len(counted):,} / {len(lines):,}",
            "Verified units": _units(verified),
            "Book units, same lines": _units(sum(book.get(key, 0.0) for key in counted)),
            "Net variance, units": _units(sum(variance.values())),
            "Net variance, value": f"{value + 0.0:,.2f}",
            "Gross variance, value": f"{gross:,.2f}",
            "Shrinkage, value": f"{-value + 0.0:,.2f}" + (f" ({_percent(-value, size)})" if size else ""),
            "Accuracy": _percent(right, len(counted)),
            "Accuracy by value": _percent(max(size - gross, 0.0), size),
            "Recount rate": _percent(again, len(counted)),
            "Damaged units": _units(damaged) + (f" ({_percent(damaged, verified)})" if verified else ""),
        },
        rows={
            "Positions": len(lines),
            "Records": database[Collection.RECORDS].count_documents(told),
            "Sessions": database[Collection.SESSIONS].count_documents({}),
            "Stock list": len(items),
        },
        untouched_racks=len({key[0] for key in lines} - done),
    )


def _key(document: Document) -> Key:
    return document["rack_id"], document.get("bin") or "", document["item_code"]


def _costs(items: list[Document], lines: set[Key]) -> dict[Key, float | None]:
    """What the book says a line costs; where it has none, the cost that all other lines of the item have."""
    elsewhere: dict[str, set[float]] = defaultdict(set)
    for item in items:
        if item["unit_cost"] is not None:
            elsewhere[item["item_code"]].add(item["unit_cost"])
    astray = {key: next(iter(elsewhere[key[2]])) for key in lines if len(elsewhere[key[2]]) == 1}
    return astray | {_key(item): item["unit_cost"] for item in items}


def _book(items: Iterable[Document]) -> dict[Key, float]:
    book: dict[Key, float] = defaultdict(float)
    for item in items:
        book[_key(item)] += item["book_qty"] or 0.0
    return dict(book)


def _latest(records: list[Document]) -> list[Document]:
    rounds: dict[str, int] = defaultdict(int)
    for record in records:
        rounds[record["rack_id"]] = max(rounds[record["rack_id"]], record.get("round") or 1)
    return [record for record in records if (record.get("round") or 1) == rounds[record["rack_id"]]]


def _counts(records: list[Document]) -> tuple[dict[Key, tuple[float, float]], set[Key]]:
    counted: dict[Key, tuple[float, float]] = {}
    for record in records:
        if record["status"] == "finalized" and record["verified_qty"] is not None:
            found, damaged = counted.get(_key(record), (0.0, 0.0))
            counted[_key(record)] = found + record["verified_qty"], damaged + (record["damage_qty"] or 0.0)
    return counted, {_key(record) for record in records}


def _units(number: float) -> str:
    text = f"{round(number, 3) + 0.0:,.3f}"
    return text.rstrip("0").rstrip(".")


def _percent(part: float, whole: float) -> str:
    if not whole:
        return "–"
    tenths = floor(round(1000 * part / whole, 6))
    return "<0.1%" if part and tenths == 0 else f"{tenths / 10:.1f}%"
