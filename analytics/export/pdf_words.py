"""What the PDF says, as plain texts for the template: facts, tiles, and the cells of the table."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import polars as pl

from analytics.export.cells import longest_text
from analytics.export.insight import Insight, Tile
from analytics.export.tables import Table
from analytics.export.tallies import Tally
from analytics.glance.numbers import percent
from stockverify.datasets import Type, find

MOST_COLUMNS = 12
MOST_CHARACTERS = 160
_LONG_WORD = re.compile(r"\S{22,}")
"""Longer than an 18-digit serial number, which stays in one piece for whoever searches or copies it."""
_NUMBERS = (Type.FLOAT, Type.INTEGER)
_BREAK, _PART = "\u200b", 12
_CONTROLS = {chr(code): chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}


def document(
    table: Table, manifest: dict[str, Any], tally: Tally, insight: Insight, first: pl.DataFrame, charts: int
) -> dict[str, Any]:
    """All that the template asks for."""
    columns = shown_columns(table, first)
    names = [name for name, _ in columns]
    left_out = [name for name, _ in table.columns if name not in names]
    return {
        "title": title(table, manifest),
        "subtitle": f"As of {manifest.get('as_of', 'unknown')} ({manifest['zone']})",
        "requested_by": manifest["requested_by"],
        "description": msgspec.json.encode(manifest).decode(),
        "keywords": [str(manifest.get("snapshot_id") or "live data"), table.name],
        "footer": f"{table.name} · snapshot {manifest.get('snapshot_id')} · as of {manifest.get('as_of')}",
        "facts": list(facts(manifest, tally)),
        "tiles": [(tile.title, worded(tile, manifest.get("currency", ""))) for tile in insight.tiles],
        "charts": charts,
        "table_title": table_title(table, first.height, tally.rows),
        "notes": list(notes(manifest.get("shown", ""), left_out)),
        "columns": [soft(name) for name in names],
        "widths": [width(first[name], kind) for name, kind in columns],
        "right": [kind in _NUMBERS for _, kind in columns],
        "rows": [[cell(value) for value in row] for row in first.select(names).iter_rows()],
        "sums": sums(columns, tally),
    }


def title(table: Table, manifest: dict[str, Any]) -> str:
    """The name of the snapshot, or else what the rows are."""
    return str(manifest.get("snapshot_name") or table.name.replace("_", " ").capitalize())


def facts(manifest: dict[str, Any], tally: Tally) -> list[tuple[str, str]]:
    """Where the numbers come from and who asked for them."""
    told = (
        ("Snapshot", str(manifest.get("snapshot_id") or "none: live data")),
        ("Rows", f"{tally.rows:,} of {manifest.get('dataset', 'rows')}"),
        *_asked(manifest),
        ("Times", f"in the zone {manifest['zone']}"),
        *([("Amounts", f"in {manifest['currency']}")] if manifest.get("currency") else []),
        ("Requested by", f"{manifest['requested_by']}, {manifest['requested_at']}"),
    )
    return [(name, visible(text)) for name, text in told]


def _asked(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What the rows are: those of a query, or what differs between two snapshots."""
    query = manifest.get("query", {})
    if "compare" not in query:
        yield "Query", _short(msgspec.json.encode(query).decode())
        return
    how = query["compare"]
    yield "Compared with", f"{manifest.get('compared_with')}, as of {manifest.get('compared_with_as_of')}"
    yield "Rows paired by", _short(", ".join(how["key"]))
    if how["ignored"]:
        yield "Not looking at", _short(", ".join(how["ignored"]))
    if how["tolerances"]:
        yield "Tolerances", _short(msgspec.json.encode(how["tolerances"]).decode())


def _short(text: str) -> str:
    return text if len(text) <= 600 else f"{text[:600]} … (all of it is in the attached manifest)"


def worded(tile: Tile, currency: str = "") -> str:
    """A figure for people; n/a is a share of nothing."""
    if tile.value is None:
        return "n/a"
    match tile.unit:
        case "share":
            return percent(tile.value)
        case "value":
            return f"{tile.value:,.2f} {currency}".rstrip()
    return number(tile.value)


def number(value: float) -> str:
    """A number with thousands apart, and as many decimals as it has, up to a millionth."""
    text = f"{value:,.6f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown_columns(table: Table, first: pl.DataFrame, most: int = MOST_COLUMNS) -> list[tuple[str, Type]]:
    """As many columns as a page is wide, in their order: keys first, then numbers, then texts. What has no value in any
    row that is shown gives its place to others."""
    dataset = find(table.about.get("dataset", ""))
    keys = dataset.key if dataset else ()
    empty = {name for name, _ in table.columns[1:] if _is_empty(first[name])} if first.height else set()

    def rank(column: tuple[str, Type]) -> int:
        name, kind = column
        if name in empty:
            return 4
        return 0 if name in keys else {Type.FLOAT: 1, Type.STRING: 2}.get(kind, 3)

    kept = sorted(table.columns, key=rank)[:most]
    return [column for column in table.columns if column in kept and column[0] not in empty]


def table_title(table: Table, shown: int, rows: int) -> str:
    """Which rows the table has."""
    if table.top and shown < rows:
        return f"{shown:,} of {rows:,} rows, by {table.top.words}"
    return f"Rows 1 to {shown:,} of {rows:,}" if shown else "No rows"


def chosen(table: Table, shown: int, rows: int) -> str:
    """How the rows that are shown were chosen; empty when all are."""
    if shown == rows:
        return ""
    if table.top:
        return f"The {shown:,} of {rows:,} rows with the largest {table.top.words}, up or down, largest first"
    order = next(iter(table.about.get("query", {}).get("sort", {}).items()), None)
    downwards = "from the largest down" if order and order[1] < 0 else "from the smallest up"
    return f"The first {shown:,} of {rows:,} rows" + (f", sorted by {order[0]} {downwards}" if order else "")


def notes(shown: str, left_out: list[str]) -> list[str]:
    """What the table does not show, so that nobody takes it for the whole."""
    told = []
    if shown:
        told.append(f"{shown}; the sums below are those of all rows.")
    if left_out:
        told.append(f"Columns left out here: {', '.join(left_out)}.")
    return [visible(f"{text} Export as xlsx or csv to have all.") for text in told]


def width(column: pl.Series, kind: Type) -> float:
    """How wide a column is beside the others: by the longest of its values, within reason."""
    longest = longest_text(column.cast(pl.String, strict=False))
    return float(min(max(longest, 7 if kind in _NUMBERS else 8, len(column.name) * 0.8), 30))


def cell(value: Any) -> str:
    """A value as text; a very long one is cut, and says so."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() | int():
            return number(value)
    text = str(value)
    if len(text) > MOST_CHARACTERS:
        return soft(f"{text[:MOST_CHARACTERS]}… ({len(text):,} characters)")
    return soft(text)


def sums(columns: list[tuple[str, Type]], tally: Tally) -> list[str]:
    """The last line of the table: the sums of all rows, also of those that are not shown."""
    known = dict(tally.sums())
    if not known.keys() & {name for name, _ in columns}:
        return []
    line = [number(known[name]) if name in known else "" for name, _ in columns]
    return [line[0] or f"Sums of all {tally.rows:,} rows", *line[1:]]


def soft(text: str) -> str:
    """The text with places where a very long word may go on in the next line."""
    return _LONG_WORD.sub(lambda found: _BREAK.join(_parts(found[0])), visible(text))


def visible(text: str) -> str:
    """The text with signs for control characters, which no font has."""
    return "".join(_CONTROLS.get(character, character) for character in text)


def _parts(word: str) -> list[str]:
    return [word[start : start + _PART] for start in range(0, len(word), _PART)]


def _is_empty(column: pl.Series) -> bool:
    return column.null_count() == column.len() or (column.dtype == pl.String and (column.fill_null("") == "").all())
