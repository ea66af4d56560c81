"""A count that has moved on, and how a person finds out what moved, compares and takes it along."""

from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple

import openpyxl
from playwright.sync_api import expect
from pymongo.database import Database

from analytics.extract import materialise
from analytics.lake import Lake
from stockverify.clients import Document
from stockverify.vocabulary import Collection
from tests.analytics.stock import record
from tests.dashboard.pages import PATIENCE, Visit, downloaded

STEPS = (1.0, 1.0, 5.0)
TOLERATED = {"Verified by at most": "2", "Variance by at most": "2", "Variance value by at most": "1000000"}
_numbers = count(1)


class Moved(NamedTuple):
    """What is new in the newest snapshot: an item that the book does not have, and the item of the largest step."""

    snapshot_id: str
    found: str
    largest: str
    not_in_book: int


def move_on(lake: Lake, store: "Database[Document]") -> Moved:
    """Three counts are corrected, and something is found that the book does not have."""
    asked = {"status": "finalized", "verified_qty": {"$gt": 10}, "item_code": {"$ne": "999999"}, "moved": None}
    rows = list(store[Collection.RECORDS].find(asked).sort("_id", 1).limit(len(STEPS)))
    for row, step in zip(rows, STEPS, strict=True):
        change = {"verified_qty": row["verified_qty"] + step, "moved": True}
        store[Collection.RECORDS].update_one({"_id": row["_id"]}, {"$set": change})
    found = f"00990{next(_numbers)}"  # in no rack of the book
    extra = record(f"c-{found}", rows[0]["rack_id"], found, 2.0, floor=rows[0]["floor"])
    store[Collection.RECORDS].insert_one(extra)
    freeze = materialise(lake, store, datetime.now(UTC), f"Found {found}")
    listed = store[Collection.ERP_ITEMS].distinct("item_code")
    strangers = store[Collection.RECORDS].count_documents({"rack_id": {"$ne": None}, "item_code": {"$nin": listed}})
    return Moved(freeze.snapshot_id, found, rows[-1]["item_code"], strangers)


def see_what_is_not_in_the_book(visiting: Visit, moved: Moved) -> None:
    """From the notice on the overview to the lines that it speaks of: as many as it says."""
    page = visiting.page
    notice = page.get_by_test_id("stVerticalBlock").filter(has_text="not in the book").last
    expect(notice).to_contain_text(f"{moved.not_in_book} line")
    notice.get_by_role("link", name="Show them").click()
    number = moved.not_in_book
    expect(page.get_by_text(f"Showing rows 1 to {number} of {number}.")).to_be_visible(timeout=PATIENCE)
    visiting.settle()
    assert moved.snapshot_id in page.url


def compare_with_the_one_before(visiting: Visit) -> None:
    """What changed and what was added; then small steps count as unchanged."""
    page = visiting.page
    visiting.open("Compare")
    for name, number in {"Changed": "3", "Added": "1", "Removed": "0"}.items():
        expect(visiting.metric(name)).to_have_text(number)
    expect(page.get_by_text("Rows 1 to 3 of 3.")).to_be_visible()
    page.get_by_text("Added (1)").click()
    expect(page.get_by_text("Rows 1 to 1 of 1.")).to_be_visible(timeout=PATIENCE)
    visiting.settle()
    page.get_by_text("Tolerances: none").click()
    for label, size in TOLERATED.items():
        page.get_by_label(label, exact=True).fill(size)
    page.get_by_role("button", name="Use these tolerances").click()
    expect(visiting.metric("Changed")).to_have_text("1", timeout=PATIENCE)
    visiting.settle()


def take_it_along(visiting: Visit, folder: Path) -> set[tuple[object, ...]]:
    """What differs by the exported workbook: how, which item, and by how much."""
    with closing(openpyxl.load_workbook(downloaded(visiting, "xlsx", folder))) as workbook:
        names, *rows = workbook["comparison"].iter_rows(values_only=True)
    places = [names.index(name) for name in ("change", "item_code", "verified_qty_delta")]
    return {tuple(row[place] for place in places) for row in rows}
