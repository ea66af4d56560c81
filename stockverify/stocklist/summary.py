"""What an import did or would do: the same numbers for people (`as_text`) and for programs (the struct as JSON)."""

from collections.abc import Iterator
from typing import Any

import msgspec

from stockverify.stocklist.amounts import MARKS, Mark
from stockverify.stocklist.check import Rejection
from stockverify.stocklist.delimited import DELIMITERS
from stockverify.stocklist.load import StockList
from stockverify.stocklist.plan import KEY, Plan
from stockverify.stocklist.store import Applied
from stockverify.stocklist.table import Facts

_EXAMPLES = 20
_SHOWN = 3


class Example(msgspec.Struct, frozen=True):
    """One line that would be added or changed; `changes` holds, per column, what is stored and what would be."""

    line: int
    key: tuple[str, ...]
    changes: dict[str, tuple[Any, Any]] = {}


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """An import in numbers: `rows_read` = added + changed + unchanged + rejected; `written` is false in a dry run."""

    file: str
    read_as: Facts
    columns: dict[str, str]
    ignored: tuple[str, ...]
    decimal_marks: dict[str, Mark]
    rows_read: int
    rejected: int
    rejections: tuple[Rejection, ...]
    added: int | None = None
    changed: int | None = None
    unchanged: int | None = None
    no_longer_listed: int | None = None
    new_racks: int | None = None
    added_examples: tuple[Example, ...] = ()
    changed_examples: tuple[Example, ...] = ()
    overtaken: int = 0
    written: bool = False


def summarise(file: str, stock: StockList, planned: Plan | None, applied: Applied | None) -> Summary:
    """The numbers of an import; without a plan those of the file alone. Lists hold the first 20."""
    read = Summary(
        file=file,
        read_as=stock.facts,
        columns=stock.columns,
        ignored=stock.ignored,
        decimal_marks=stock.marks,
        rows_read=stock.rows_read,
        rejected=len(stock.rejections),
        rejections=stock.rejections[:_EXAMPLES],
    )
    if planned is None:
        return read
    return msgspec.structs.replace(
        read,
        added=len(planned.added),
        changed=len(planned.changed),
        unchanged=planned.unchanged,
        no_longer_listed=planned.no_longer_listed,
        new_racks=len(planned.new_racks),
        added_examples=tuple(_added(planned)),
        changed_examples=tuple(_changed(planned)),
        overtaken=applied.overtaken if applied else 0,
        written=applied is not None,
    )


def _added(planned: Plan) -> Iterator[Example]:
    for row in planned.added.head(_EXAMPLES).iter_rows(named=True):
        yield Example(row["line"], tuple(row[name] for name in KEY))


def _changed(planned: Plan) -> Iterator[Example]:
    compared = [name for name in planned.columns if name not in KEY]
    for row in planned.changed.head(_EXAMPLES).iter_rows(named=True):
        pairs = {name: (row[f"stored_{name}"], row[name]) for name in compared}
        changes = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        yield Example(row["line"], tuple(row[name] for name in KEY), changes)


def as_text(summary: Summary) -> str:
    """The summary for a person."""
    return "\n".join([*_reading(summary), *_outcome(summary), *_rejected(summary)])


def _reading(summary: Summary) -> Iterator[str]:
    facts = summary.read_as
    how = f"sheet {facts.sheet!r}" if facts.kind == "xlsx" else f"{facts.encoding}, {_delimiter(facts.delimiter)}"
    yield f"{summary.file}: {summary.rows_read:,} rows ({facts.kind}, {how})"
    renamed = [f"{ours} = {theirs!r}" for ours, theirs in summary.columns.items() if ours != theirs]
    if renamed:
        yield f"  columns: {', '.join(renamed)}"
    if summary.ignored:
        yield f"  not used: {', '.join(map(repr, summary.ignored))}"
    for column, mark in summary.decimal_marks.items():
        yield f"  {column}: decimal {MARKS[mark.decimal]} ({mark.because})"


def _delimiter(mark: str | None) -> str:
    return DELIMITERS.get(mark or "", repr(mark)) + "-separated"


def _outcome(summary: Summary) -> Iterator[str]:
    if summary.added is None:
        yield f"Nothing was written: {summary.rejected:,} rows are bad."
        return
    verb = "" if summary.written else "would be "
    yield (
        f"{summary.added:,} {verb}added, {summary.changed:,} {verb}changed, {summary.unchanged:,} unchanged, "
        f"{summary.rejected:,} rejected; {summary.new_racks:,} new racks."
    )
    if not summary.written:
        for example in summary.added_examples[:_SHOWN]:
            yield f"  + line {example.line}: {' / '.join(example.key)}"
        for example in summary.changed_examples[:_SHOWN]:
            yield f"  ~ line {example.line}: {' / '.join(example.key)}: {_changes(example)}"
    if summary.no_longer_listed:
        yield f"{summary.no_longer_listed:,} lines of the book are no longer in the list; they stay in the book."
    if summary.overtaken:
        yield f"{summary.overtaken:,} lines were changed by another import meanwhile and left alone; import again."


def _changes(example: Example) -> str:
    return ", ".join(f"{name} {old!r} -> {new!r}" for name, (old, new) in example.changes.items())


def _rejected(summary: Summary) -> Iterator[str]:
    for rejection in summary.rejections:
        place = f"line {rejection.line}, {rejection.column}" if rejection.column else f"line {rejection.line}"
        yield f"  rejected: {place}: {rejection.value!r} {rejection.reason}"
    if summary.rejected > len(summary.rejections):
        yield f"  and {summary.rejected - len(summary.rejections):,} more; --rejects FILE writes them all."
