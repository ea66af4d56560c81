"""Reads uploaded stock lists for the service, in a process of its own: a list may be large, or made to do harm."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from pymongo.database import Database

from ingest.reports import errands, telling
from ingest.reports.answers import ListApplied, Made
from stockverify.clients import Document
from stockverify.errors import BadInput, TooLarge
from stockverify.stocklist import amounts, columns, delimited, workbook
from stockverify.stocklist.load import StockList, checked_list, load
from stockverify.stocklist.plan import KEY, Plan, fingerprint, plan
from stockverify.stocklist.read import read
from stockverify.stocklist.rejects import write_rejects
from stockverify.stocklist.store import apply, read_book
from stockverify.stocklist.table import Options, Table
from stockverify.wire.imports import (
    BadRow,
    Checked,
    DecimalMark,
    ImportOptions,
    ImportOutcome,
    LineChange,
    ListHeading,
    Recognised,
)

MOST_SHOWN = 500
MOST_UNPACKED = 256 * 2**20
"""300,000 lines of a workbook. Short texts take six times as much in memory: 1 GiB of them ended the process."""
_SAMPLES, _LONG = 3, 60
_BEGUN = "begun"

_WORDS: dict[type[BadInput], str] = {
    amounts.UnclearNumbers: "Numbers such as {example!r} in column {column} can be read in two ways, and nothing in "
    "the list tells which. Say what separates the decimals, a point or a comma.",
    amounts.MixedNumbers: "Column {column} has {points:,} numbers with a decimal point and {commas:,} with a decimal "
    "comma. Say which is right; the others are then rejected one by one.",
    delimited.NotText: "The file is neither an .xlsx workbook nor text in {tried}. Export it as CSV in UTF-8, or say "
    "which encoding it has, for example cp1250.",
    delimited.WrongEncoding: "The file is not text in the encoding {encoding!r}: {problem}. Choose another, or none.",
    columns.ColumnsMissing: "The list has no column for {missing}. Choose which one it is; if the headings look wrong, "
    "choose the delimiter or the encoding.",
    columns.TwoHeadings: "The headings {first!r} (column {first_at}) and {second!r} (column {second_at}) both mean "
    "{ours}. Choose which one to take, or rename one of them.",
    columns.NoSuchHeading: "{ours} is to be read from {theirs!r}, but no heading of the list is called so. It has: "
    "{headings}.",
}
"""What the command line says with its flags, for who has none."""


class ListGone(BadInput):
    """The uploaded file is not there any more, or is another one. Upload it again."""


class ListTooHeavy(TooLarge):
    """Reading the list takes more memory than an upload may take. Split it, or delete what lies outside the list; a
    workbook is lighter as CSV."""


def check(database: Database[Document], asked: errands.CheckList) -> Checked:
    """How a list is read and what importing it would do; what is wrong with it is a `problem`. Raises TooLarge."""
    options, recognised = _options(asked.options), None
    try:
        table = read(_bytes(asked.path), options)
        recognised = _recognised(table, asked.options)
        stock = checked_list(table, options)
        return Checked(recognised=recognised, outcome=_outcome(stock, plan(stock, read_book(database))))
    except BadInput as error:
        return Checked(recognised=recognised, problem=_in_words(error))
    except MemoryError:
        raise ListTooHeavy() from None


def apply_list(database: Database[Document], asked: errands.ApplyList) -> ListApplied:
    """Write a list as it was agreed to. Before the first write the book is compared with the dry run; if that would be
    another one now, nothing is written, and it is the answer. Raises ListGone."""
    data, begun = _bytes(asked.path), Path(asked.folder) / _BEGUN
    if hashlib.sha256(data).hexdigest() != asked.sha256:
        raise ListGone()
    options = _options(asked.options)
    table = read(data, options)
    stock = checked_list(table, options)
    planned = plan(stock, read_book(database))
    # An attempt that broke off has changed the book itself; what it has left to do is agreed to already.
    if not begun.exists() and _agreed(stock, planned) != asked.plan:
        checked = Checked(recognised=_recognised(table, asked.options), outcome=_outcome(stock, planned))
        return ListApplied(writes=0, overtaken=0, checked=checked)
    begun.touch()

    def progress(done: int) -> None:
        telling.tell(Path(asked.folder), telling.Progress(done, planned.writes))

    progress(0)
    applied = apply(database, planned, datetime.now(UTC), progress)
    return ListApplied(writes=planned.writes, overtaken=applied.overtaken, checked=None)


def rejects(asked: errands.WriteRejects) -> Made:
    """All bad rows as CSV."""
    stock = load(_bytes(asked.path), _options(asked.options))
    folder = Path(asked.folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_stem(asked.name)}-bad-rows.csv"
    write_rejects(stock, path)
    return Made(str(path), len(stock.rejections), hashlib.sha256(path.read_bytes()).hexdigest())


def _bytes(path: str) -> bytes:
    """The file. Raises ListGone, or WorkbookTooLarge before anything of it is unpacked."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise ListGone() from None
    if data.startswith(workbook.ZIP_MARK):
        workbook.refuse_bombs(data, MOST_UNPACKED)
    return data


def _options(said: ImportOptions) -> Options:
    return Options(
        columns=said.columns or {},
        guess=said.columns is None,
        encoding=said.encoding,
        delimiter=said.delimiter,
        decimal=said.decimal,
        sheet=said.sheet,
    )


def _recognised(table: Table, said: ImportOptions) -> Recognised:
    guessed = {ours: table.heading[place] for ours, place in columns.guesses(table.heading).items()}
    facts = table.facts
    return Recognised(
        kind=facts.kind,
        encoding=facts.encoding,
        delimiter=facts.delimiter,
        sheet=facts.sheet,
        sheets=list(facts.sheets),
        headings=[ListHeading(name=name, samples=_samples(table, at)) for at, name in enumerate(table.heading)],
        columns=guessed if said.columns is None else said.columns,
        rows=table.frame.height,
    )


def _samples(table: Table, at: int) -> list[str]:
    unshifted = table.frame.filter(pl.col("width") == len(table.heading)).head(200)
    filled = unshifted[f"text{at}"].str.strip_chars().drop_nulls()
    return [text[:_LONG] for text in filled.filter(filled != "").unique(maintain_order=True).head(_SAMPLES)]


def _outcome(stock: StockList, planned: Plan) -> ImportOutcome:
    return ImportOutcome(
        rows_read=stock.rows_read,
        rejected=len(stock.rejections),
        added=len(planned.added),
        changed=len(planned.changed),
        unchanged=planned.unchanged,
        gone=planned.no_longer_listed,
        new_racks=len(planned.new_racks),
        bad_rows=[BadRow(**msgspec.structs.asdict(each)) for each in stock.rejections[:MOST_SHOWN]],
        added_first=list(_lines(planned.added, {})),
        changed_first=list(_lines(planned.changed, {name: f"stored_{name}" for name in planned.columns})),
        decimal_marks={name: DecimalMark(decimal=m.decimal, because=m.because) for name, m in stock.marks.items()},
        plan=_agreed(stock, planned),
    )


def _agreed(stock: StockList, planned: Plan) -> str:
    """What a person agrees to: what is written, and how many rows are left out."""
    return hashlib.sha256(f"{len(stock.rejections)} {fingerprint(planned)}".encode()).hexdigest()


def _lines(rows: pl.DataFrame, stored: dict[str, str]) -> Iterator[LineChange]:
    for row in rows.head(MOST_SHOWN).iter_rows(named=True):
        pairs: dict[str, list[Any]] = {name: [row[old], row[name]] for name, old in stored.items() if name not in KEY}
        changes = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        yield LineChange(line=row["line"], changes=changes, **{name: row[name] for name in KEY})


def _in_words(error: BadInput) -> str:
    words = _WORDS.get(type(error))
    return " ".join(words.format_map(error.fields).split()) if words else error.message


def _stem(name: str) -> str:
    """A name that every system takes as a file name."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in name)
    return kept.rpartition(".")[0].strip("-._")[:80] or "stock-list"
