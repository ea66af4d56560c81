"""The first rows of a report, as a mail shows them."""

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from analytics.export import Table
from analytics.export.pdf_words import shown_columns
from analytics.glance.money import headed, is_money
from analytics.glance.numbers import NOTHING, amount
from analytics.glance.words import heading
from jobs.reports.content import Cell, Excerpt
from stockverify.datasets import Type

MOST_ROWS, MOST_COLUMNS = 10, 5
_LONGEST = 60
_NUMBERS = (Type.FLOAT, Type.INTEGER)
Columns = Sequence[tuple[str, Type]]


def excerpt(
    title: str, rows: pl.DataFrame, columns: Columns, total: int, zone: ZoneInfo, noun: str, currency: str = ""
) -> Excerpt:
    """Of rows that are sorted already, so many as fit."""
    shown = _timed(rows.head(MOST_ROWS), columns, zone).rows() if rows.height else []
    cells = (tuple(_cell(name, kind, value) for (name, kind), value in zip(columns, row, strict=True)) for row in shown)
    headings = (headed(heading(name), currency if _is_amount(name, kind) else "") for name, kind in columns)
    return Excerpt(title, tuple(headings), tuple(cells), part(len(shown), total, noun))


def part(shown: int, total: int, noun: str) -> str:
    """How much of the whole is shown; never cut in silence."""
    if not total:
        return f"No {noun}."
    known = amount(total, "lines")
    return f"All {known} {noun}." if shown == total else f"{amount(shown, 'lines')} of {known} {noun}."


def fitting(table: Table, first: pl.DataFrame, about: Sequence[str] = ()) -> list[tuple[str, Type]]:
    """The columns for which a mail has room, in their order: what the report is about has three places at most, the
    others are for keys, then numbers, then texts."""
    told = [name for name in dict.fromkeys(about) if name in dict(table.columns)][: MOST_COLUMNS - 2]
    others = table._replace(columns=tuple(column for column in table.columns if column[0] not in told))
    kept = {*told, *(name for name, _ in shown_columns(others, first, MOST_COLUMNS - len(told)))}
    return [column for column in table.columns if column[0] in kept]


def largest(batches: Iterable[pl.DataFrame], weight: pl.Expr, keys: Sequence[str], most: int) -> pl.DataFrame:
    """The rows of the largest weight, largest first, equal ones by key; memory holds one batch. Without any, a frame
    without columns."""
    found = pl.DataFrame()
    for batch in batches:
        weighed = batch.with_columns(weight=weight)
        both = weighed if found.is_empty() else pl.concat([found, weighed])
        found = both.sort(["weight", *keys], descending=[True, *[False] * len(keys)], nulls_last=True).head(most)
    return found


def _timed(rows: pl.DataFrame, columns: Columns, zone: ZoneInfo) -> pl.DataFrame:
    """Instants as texts in the zone; not as Python's datetime, which fails at the ends of its range."""
    return rows.select(
        pl.col(name).dt.convert_time_zone(zone.key).dt.strftime("%Y-%m-%d %H:%M") if kind is Type.INSTANT else name
        for name, kind in columns
    )


def _cell(name: str, kind: Type, value: Any) -> Cell:
    return Cell(_text(name, kind, value), kind in _NUMBERS)


def _text(name: str, kind: Type, value: Any) -> str:
    match value:
        case None:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return amount(value, "value" if _is_amount(name, kind) else "units")
        case list():
            return _cut(", ".join(map(str, value)))
    return _cut(str(value))


def _is_amount(name: str, kind: Type) -> bool:
    return kind is Type.FLOAT and is_money(name)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
