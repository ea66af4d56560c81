"""One declaration per dataset: column names, logical types and what they mean.

Polars, Parquet, DuckDB, pymongoarrow and the query builder take their types from here, and identifiers in
SQL come only from here. Quantities and money are 64-bit floats: an integer type would cut 2.5 to 2.
"""

from enum import StrEnum
from typing import NamedTuple

from stockverify.vocabulary import Collection

SCHEMA_VERSION = 3
"""Rises whenever a column or a derivation changes: no snapshot builds on one of another version."""


class Type(StrEnum):
    """The logical types of columns."""

    STRING = "string"
    FLOAT = "float"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    INSTANT = "instant"
    STRINGS = "strings"


class Column(NamedTuple):
    """One column; `source` is the field of the MongoDB document when it is named differently. `summed` False is for a
    number of each unit or each round: what all rows have of it together means nothing."""

    name: str
    type: Type
    meaning: str
    source: str = ""
    summed: bool = True

    @property
    def field(self) -> str:
        """The field of the MongoDB document that this column comes from."""
        return self.source or self.name

    @property
    def is_number(self) -> bool:
        """Whether one can calculate with it."""
        return self.type in (Type.FLOAT, Type.INTEGER)

    @property
    def adds_up(self) -> bool:
        """Whether the sum of it over rows means something."""
        return self.is_number and self.summed


class Dataset(NamedTuple):
    """A table of the lake. `collection` is None when it is derived from the others."""

    name: str
    collection: Collection | None
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """All column names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def adding(self) -> tuple[str, ...]:
        """The columns that add up."""
        return tuple(column.name for column in self.columns if column.adds_up)


S, F, N, B, T, L = Type.STRING, Type.FLOAT, Type.INTEGER, Type.BOOLEAN, Type.INSTANT, Type.STRINGS

RECORDS = Dataset(
    "verification_records",
    Collection.RECORDS,
    ("client_record_id",),
    (
        Column("client_record_id", S, "the device's own id of the record", "_id"),
        Column("session_id", S, "session that counted it"),
        Column("rack_id", S, "rack it was counted in; null for a session without a rack"),
        Column("floor", S, "floor of that rack"),
        Column("bin", S, "bin within the rack; empty when the rack has none"),
        Column("round", N, "counting round of the rack, from 1", summed=False),
        Column("item_code", S, "the item, exactly as sent"),
        Column("verified_qty", F, "units counted, damaged ones included; null is not counted"),
        Column("damage_qty", F, "units of these that are damaged"),
        Column("serial_numbers", L, "serial numbers seen"),
        Column("mfg_date", S, "manufacturing date as sent"),
        Column("mrp", F, "price printed on the item", summed=False),
        Column("uom", S, "unit of measure"),
        Column("category", S, "category as sent"),
        Column("subcategory", S, "subcategory as sent"),
        Column("item_condition", S, "condition as sent"),
        Column("barcode", S, "barcode as scanned"),
        Column("lot", S, "lot as sent"),
        Column("expiry_date", S, "expiry date as sent"),
        Column("status", S, "partial or finalized"),
        Column("unknown_item", B, "true when no stock list knew the item"),
        Column("user_id", S, "counter"),
        Column("username", S, "counter's name"),
        Column("device_id", S, "device that sent it"),
        Column("created_at", T, "when the device says it was counted"),
        Column("updated_at", T, "when the device says it was last changed"),
        Column("received_at", T, "when the service stored it"),
    ),
)

SESSIONS = Dataset(
    "verification_sessions",
    Collection.SESSIONS,
    ("session_id",),
    (
        Column("session_id", S, "session", "_id"),
        Column("user_id", S, "counter"),
        Column("username", S, "counter's name"),
        Column("device_id", S, "device that claimed"),
        Column("rack_id", S, "rack; null for a session without one"),
        Column("floor", S, "floor of that rack"),
        Column("round", N, "counting round of the rack", summed=False),
        Column("status", S, "open, active, paused, reconcile, completed or closed"),
        Column("started_at", T, "when it was claimed"),
        Column("last_heartbeat", T, "when its device was last heard from"),
        Column("completed_at", T, "when it was completed"),
    ),
)

ITEMS = Dataset(
    "erp_items",
    Collection.ERP_ITEMS,
    ("rack_id", "bin", "item_code"),
    (
        Column("floor", S, "location"),
        Column("rack_id", S, "rack"),
        Column("bin", S, "bin within the rack; empty when the rack has none"),
        Column("item_code", S, "item"),
        Column("item_name", S, "name of the item"),
        Column("barcode", S, "barcode"),
        Column("category", S, "category"),
        Column("subcategory", S, "subcategory"),
        Column("uom", S, "unit of measure"),
        Column("unit_cost", F, "cost of one unit", summed=False),
        Column("mrp", F, "list price", summed=False),
        Column("book_qty", F, "book quantity: units the ERP expects"),
        Column("updated_at", T, "when the stock list last changed this line"),
    ),
)

POSITIONS = Dataset(
    "positions",
    None,
    ("rack_id", "bin", "item_code"),
    (
        Column("floor", S, "floor of the rack"),
        Column("rack_id", S, "rack"),
        Column("bin", S, "bin within the rack; empty when the rack has none"),
        Column("item_code", S, "item"),
        Column("item_name", S, "name of the item; null when no stock list knows it"),
        Column("category", S, "category from the stock list, else as sent"),
        Column("subcategory", S, "subcategory from the stock list, else as sent"),
        Column("uom", S, "unit of measure"),
        Column(
            "unit_cost",
            F,
            "cost of one unit; where the book does not have the item, the one cost it has elsewhere",
            summed=False,
        ),
        Column(
            "book_qty", F, "book quantity when the rack was claimed for this count; 0 where the book did not have it"
        ),
        Column("verified_qty", F, "units counted in the rack's latest round; null is not counted"),
        Column("damage_qty", F, "units of these that are damaged"),
        Column("variance_qty", F, "verified minus book quantity; null while not counted"),
        Column("variance_value", F, "variance times unit cost; null while not counted or without a cost"),
        Column("counted", B, "true once a finalized record exists in the rack's latest round"),
        Column("in_book", B, "true when the book had this line when the rack was claimed for this count"),
        Column("round", N, "round of the count; null while not counted", summed=False),
        Column("counted_by", S, "counter of the latest finalized record; null while not counted"),
        Column("counted_at", T, "when the service stored that record; null while not counted"),
    ),
)

BOOK = Dataset(
    "book_versions",
    Collection.ERP_ITEMS,
    ("line_id", "version"),
    (
        Column("line_id", S, "the stored line, whatever its values"),
        Column("version", N, "1 for the first values that were known, rising", summed=False),
        Column("rack_id", S, "rack"),
        Column("bin", S, "bin within the rack; empty when the rack has none"),
        Column("item_code", S, "item"),
        Column("floor", S, "location"),
        Column("unit_cost", F, "cost of one unit in this version", summed=False),
        Column("book_qty", F, "book quantity in this version"),
        Column("valid_from", T, "from when these values held; null is always"),
        Column("valid_until", T, "until when they held; null for the current ones"),
    ),
)
"""What the book said when. The lake keeps it for positions; nobody queries it."""

DATASETS: dict[str, Dataset] = {dataset.name: dataset for dataset in (RECORDS, SESSIONS, ITEMS, POSITIONS)}
HELD: dict[str, Dataset] = {BOOK.name: BOOK} | DATASETS
"""All that the lake holds: what can be asked for, and what only positions are made from."""
COLLECTED = tuple(dataset for dataset in HELD.values() if dataset.collection)
"""Those that are read from MongoDB; positions are derived from them."""
ALIASES = {"sessions": SESSIONS.name, "items": ITEMS.name, "records": RECORDS.name}


def find(name: str) -> Dataset | None:
    """The dataset of that name or alias, or None."""
    return DATASETS.get(ALIASES.get(name, name))
