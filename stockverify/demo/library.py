"""What the office of the demo keeps: reports with tags, a pinned one, a conflict that is settled, and a stock list that
waits to be imported."""

from typing import Any

from stockverify.demo import folder
from stockverify.demo.office import Office
from stockverify.vocabulary import ConflictType

SHORT: dict[str, Any] = {
    "collection": "positions",
    "filters": {"counted": True, "variance_value": {"lt": 0}},
    "sort": {"variance_value": 1},
}
BY_RACK: dict[str, Any] = {
    "collection": "positions",
    "group_by": ["floor", "rack_id"],
    "aggregations": {"book_qty": "sum", "verified_qty": "sum", "variance_value": "sum"},
}
SETTLED = "One was sold while the rack changed hands; the first count stands."
MISTAKES = {
    "floor": "Lagerort",
    "rack_id": "Regal",
    "bin": "Fach",
    "item_code": "Artikelnummer",
    "item_name": "Bezeichnung",
    "barcode": "EAN",
    "category": "Warengruppe",
    "uom": "Einheit",
    "unit_cost": "EK-Preis",
    "book_qty": "Bestand",
}


def furnish(office: Office) -> None:
    """Each report takes a snapshot of the data, so this comes before the last one, which pages show first."""
    office.report("Lines that are short after round 1", SHORT, ("round 1", "shrinkage"))
    kept = office.report("Racks after round 1", BY_RACK, ("round 1", "racks"))
    office.pin(kept)
    office.settle_one(ConflictType.CONCURRENT_EDIT, SETTLED)
    office.try_list(folder.example(), MISTAKES)
