"""Uploaded stock lists as tables and in words."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import polars as pl

from analytics.glance.numbers import NOTHING, amount
from analytics.glance.words import heading
from stockverify.stocklist.columns import COLUMNS, REQUIRED
from stockverify.vocabulary import ImportStatus
from stockverify.wire.imports import BadRow, ImportListed, ImportOutcome, LineChange, ListHeading, Recognised

STATES = {
    ImportStatus.OPEN: "Checked, not imported",
    ImportStatus.QUEUED: "Waits for its turn",
    ImportStatus.WRITING: "Being imported",
    ImportStatus.DONE: "Imported",
    ImportStatus.FAILED: "Failed",
    ImportStatus.EXPIRED: "Let go after a day",
}
ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "cp1252",
    "iso-8859-15",
    "cp1250",
    "cp1251",
    "cp437",
    "mac_roman",
    "shift_jis",
    "gb18030",
    "big5",
    "euc_kr",
)
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
DECIMALS = {".": "point", ",": "comma"}
_WORDS = {"book_qty": "Book quantity"}
_WHOLE_ROW = "whole row"
_INSTANT = pl.Datetime("ms", "UTC")
_LISTED: dict[str, Any] = {
    "import_id": pl.String,
    "file": pl.String,
    "state": pl.String,
    "created_by": pl.String,
    "created_at": _INSTANT,
    "rows_read": pl.Int64,
    "added": pl.Int64,
    "changed": pl.Int64,
    "rejected": pl.Int64,
}
_BAD: dict[str, Any] = {"line": pl.Int64, "column": pl.String, "value": pl.String, "reason": pl.String}
_LINES: dict[str, Any] = {
    "line": pl.Int64,
    "rack_id": pl.String,
    "bin": pl.String,
    "item_code": pl.String,
    "changes": pl.String,
}


class Count(NamedTuple):
    """How many rows would do what, and what that means."""

    label: str
    number: int
    help: str


def counts(outcome: ImportOutcome) -> list[Count]:
    """What importing would do."""
    return [
        Count("New", outcome.added, "Lines that the book does not have yet."),
        Count("Changed", outcome.changed, "Lines of the book that the list gives other values."),
        Count("Unchanged", outcome.unchanged, "Lines that the book has just like this."),
        Count("Bad rows", outcome.rejected, "Rows that cannot be used; they are left out, each for the reason below."),
        Count("Gone", outcome.gone, "Lines of the book that are not in the list. They stay in the book."),
    ]


def listed(found: Iterable[ImportListed]) -> pl.DataFrame:
    """A row for each uploaded list."""
    rows = [
        {name: getattr(each, name, None) for name in _LISTED}
        | {
            "state": STATES[ImportStatus(each.status)],
            "created_at": datetime.fromtimestamp(each.created_at, UTC),
        }
        for each in found
    ]
    return pl.DataFrame(rows, schema=_LISTED)


def bad_rows(found: Iterable[BadRow]) -> pl.DataFrame:
    """A row for each bad row, with what stood there and why it cannot be used."""
    rows = [
        {name: getattr(row, name) for name in _BAD} | {"column": word(row.column) if row.column else _WHOLE_ROW}
        for row in found
    ]
    return pl.DataFrame(rows, schema=_BAD)


def lines(found: Iterable[LineChange]) -> pl.DataFrame:
    """A row for each line of the book that would be added or changed."""
    rows = [{name: getattr(each, name, None) for name in _LINES} | {"changes": changes(each)} for each in found]
    return pl.DataFrame(rows, schema=_LINES)


def changes(line: LineChange) -> str:
    """What is stored of a line, and what would be."""
    return ", ".join(f"{word(name)}: {_value(old)} → {_value(new)}" for name, (old, new) in line.changes.items())


def choices(headings: Iterable[ListHeading]) -> dict[str, str]:
    """The headings of a list, as they are offered; those without a name cannot be chosen, and of two alike neither."""
    names = [each.name for each in headings]
    return {
        each.name: f"{each.name} · {', '.join(each.samples)}" if each.samples else each.name
        for each in headings
        if each.name and names.count(each.name) == 1
    }


def asked_for() -> list[tuple[str, str]]:
    """Our columns with what they are called on the form; a star marks those that a list must have."""
    return [(name, f"{word(name)}{' *' if name in REQUIRED else ''}") for name in COLUMNS]


def word(name: str) -> str:
    """One of our columns, as the page calls it."""
    return _WORDS.get(name, heading(name))


def problem(found: Recognised | None, told: str) -> str:
    """What is in the way, in the words of the page if it is columns that were not chosen."""
    missing = [word(name) for name in REQUIRED if name not in found.columns] if found else []
    if not missing:
        return told
    which = " and ".join(filter(None, [", ".join(missing[:-1]), missing[-1]]))
    return f"Choose which column holds {which} above. If the headings look wrong, say how the list is to be read."


def read_as(found: Recognised) -> str:
    """How a file was read, in a few words."""
    how = (
        f"sheet {found.sheet}" if found.kind == "xlsx" else f"{found.encoding}, {_named(found.delimiter)} between cells"
    )
    return f"{found.kind.upper()}, {how}, {amount(found.rows, 'lines')} rows below the heading"


def numbers_read(outcome: ImportOutcome) -> str:
    """How many rows were read, and with which mark before the decimals."""
    marks = (f"{word(name)}: decimal {DECIMALS[mark.decimal]}" for name, mark in outcome.decimal_marks.items())
    return "; ".join([f"{amount(outcome.rows_read, 'lines')} rows read", *marks]) + "."


def what_is_done(outcome: ImportOutcome) -> str:
    """What the button does."""
    return f"Import {amount(outcome.added, 'lines')} new and {amount(outcome.changed, 'lines')} changed lines"


def _named(delimiter: str | None) -> str:
    return DELIMITERS.get(delimiter or "", repr(delimiter))


def _value(value: Any) -> str:
    if value is None or value == "":
        return NOTHING
    return amount(value, "units") if isinstance(value, int | float) else str(value)
