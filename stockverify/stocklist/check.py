"""Checks the rows of a list, column by column: each row is either good or rejected with one reason. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
import polars as pl

from stockverify.datasets import ITEMS, Type
from stockverify.stocklist.amounts import MARKS, Mark, evidence, parse, settle
from stockverify.stocklist.columns import REQUIRED
from stockverify.stocklist.table import Table

MOST = 1e12

_KEY = ITEMS.key
_BLANK_IS_EMPTY = ("floor", "bin")
_CODES = ("item_code", "barcode")
_LENGTHS = {"item_name": 256, "floor": 256, "category": 256, "subcategory": 256}
_LENGTH = 128
_SHOWN = 100
_ROUNDED = r"^\d[.,]\d+[eE]\+\d+$"


class Rejection(msgspec.Struct, frozen=True):
    """Why a row was left out: its line in the file, the column at fault, what stood there, and what to do about it."""

    line: int
    column: str
    value: str
    reason: str


class Checked(NamedTuple):
    """Good rows (`line` and our columns, typed, in file order), bad rows in line order, and the decimal marks."""

    rows: pl.DataFrame
    rejections: tuple[Rejection, ...]
    marks: dict[str, Mark]


class _Fault(NamedTuple):
    """A column, what makes a row bad in it, and how that is said; `{}` in the reason stands for the text of `note`."""

    column: str
    when: pl.Expr
    reason: str
    note: pl.Expr | None = None


def check(table: Table, places: Mapping[str, int], decimal: str | None) -> Checked:
    """Good and rejected rows; together they are the rows of the table. `places` is the position of each column.

    Raises UnclearNumbers or MixedNumbers when the file does not tell how its numbers are to be read.
    """
    numbers = [column for column in places if _is_number(column)]
    marks = settle({column: evidence(_texts_only(table, places[column])) for column in numbers}, decimal)
    rows = _typed(table, places, marks)
    rejections: list[Rejection] = []
    for faults in _stages(places, marks, len(table.heading)):
        rows, found = _split(rows, faults)
        rejections += found
    in_order = sorted(rejections, key=lambda rejection: rejection.line)
    return Checked(rows.select("line", *places), tuple(in_order), marks)


def _stages(places: Mapping[str, int], marks: Mapping[str, Mark], width: int) -> list[list[_Fault]]:
    """What is looked for, in order: only rows that are good so far can be in the way of later ones."""
    floors = [[_one_floor()]] if "floor" in places else []
    return [[_wrong_width(width), *_cell_faults(places, marks)], *floors, [_repetition()]]


def _is_number(column: str) -> bool:
    declared = ITEMS.column(column)
    return declared is not None and declared.type is Type.FLOAT


def _texts_only(table: Table, place: int) -> pl.Series:
    """The cells of a column that say something about how numbers are written: texts in rows that are not shifted."""
    rows = table.frame.filter(pl.col("width") == len(table.heading))
    if f"number{place}" in rows.columns:
        rows = rows.filter(pl.col(f"number{place}").is_null())
    return rows[f"text{place}"]


def _typed(table: Table, places: Mapping[str, int], marks: Mapping[str, Mark]) -> pl.DataFrame:
    """Our columns beside `raw_*`, the texts they were made of."""
    frame = table.frame
    columns = [frame["line"], frame["width"]]
    for column, place in places.items():
        raw = frame[f"text{place}"].alias(f"raw_{column}")
        typed = _numbers(frame, place, marks[column].decimal) if column in marks else _texts(raw, column)
        columns += [raw, typed.alias(column)]
    rows = pl.DataFrame(columns)
    return rows if "bin" in places else rows.with_columns(bin=pl.lit(""))


def _numbers(frame: pl.DataFrame, place: int, mark: str) -> pl.Series:
    parsed = parse(frame[f"text{place}"], mark)
    if f"number{place}" not in frame.columns:
        return parsed
    return frame.select(pl.coalesce(f"number{place}", parsed)).to_series()


def _texts(raw: pl.Series, column: str) -> pl.Series:
    """Without space around; a name on several lines becomes one line, a key stays as it is."""
    text = raw.str.strip_chars()
    if column in _LENGTHS:
        text = text.str.replace_all(r"\s+", " ")
    if column in _BLANK_IS_EMPTY:
        return text.fill_null("")
    return text.set(text == "", None)


def _split(rows: pl.DataFrame, faults: list[_Fault]) -> tuple[pl.DataFrame, list[Rejection]]:
    """The rows without a fault, and a rejection for the first fault of each other row."""
    cases = [pl.when(fault.when).then(pl.lit(at, pl.Int32)) for at, fault in enumerate(faults)]
    notes = [fault.note.cast(pl.String) for fault in faults if fault.note is not None]
    judged = rows.with_columns(fault=pl.coalesce(cases), note=pl.coalesce(*notes, pl.lit("")))
    rejections = [
        rejection
        for at, fault in enumerate(faults)
        for rejection in _rejections(judged.filter(pl.col("fault") == at), fault)
    ]
    return judged.filter(pl.col("fault").is_null()).drop("fault", "note"), rejections


def _rejections(bad: pl.DataFrame, fault: _Fault) -> Iterable[Rejection]:
    values = bad[f"raw_{fault.column}" if fault.column else "width"]
    for line, value, note in zip(bad["line"], values, bad["note"], strict=True):
        yield Rejection(line, fault.column, str(value or "")[:_SHOWN], fault.reason.format(note))


def _wrong_width(width: int) -> _Fault:
    reason = f"columns in this row, but {width} in the heading; quote the cells that hold the delimiter"
    return _Fault("", pl.col("width") != width, reason)


def _cell_faults(places: Mapping[str, int], marks: Mapping[str, Mark]) -> Iterable[_Fault]:
    for column in places:
        yield from _number_faults(column, marks[column]) if column in marks else _text_faults(column)


def _text_faults(column: str) -> Iterable[_Fault]:
    text, length = pl.col(column), _LENGTHS.get(column, _LENGTH)
    unseen = r"\p{Cc}" if column in _LENGTHS else r"\p{C}|\x{FFFD}"
    if column in REQUIRED:
        yield _Fault(column, text.is_null(), "is missing")
    yield _Fault(column, text.str.len_chars() > length, f"is longer than {length} characters")
    yield _Fault(column, text.str.contains(unseen), "holds characters that cannot be seen; remove them")
    if column in _CODES:
        reason = "was rounded by a spreadsheet; format the column as text there and export the list again"
        yield _Fault(column, text.str.contains(_ROUNDED), reason)


def _number_faults(column: str, mark: Mark) -> Iterable[_Fault]:
    raw, number = pl.col(f"raw_{column}").str.strip_chars().fill_null(""), pl.col(column)
    if column in REQUIRED:
        yield _Fault(column, raw == "", "is missing")
    yield _Fault(column, (raw != "") & number.is_null(), f"is not a number with a decimal {MARKS[mark.decimal]}")
    yield _Fault(column, number < 0, "is negative")
    yield _Fault(column, ~number.is_between(0, MOST), f"is more than {MOST:,.0f}")


def _one_floor() -> _Fault:
    """A rack stands on one floor: that of its first row."""
    first = pl.col("floor").first().over("rack_id")
    return _Fault("floor", pl.col("floor") != first, "its rack stands on floor {!r} in an earlier row", first)


def _repetition() -> _Fault:
    """A line of the book is one item in one bin of one rack."""
    first = pl.col("line").first().over(_KEY)
    return _Fault("item_code", pl.col("line") != first, "the same rack, bin and item stand on line {}", first)
