"""What has changed in a dataset since an earlier snapshot: the rows that go, and the rows that come."""

from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from analytics.extract import lookup, moment
from analytics.extract.base import Base
from analytics.extract.changes import Ids
from analytics.extract.moment import Totals
from analytics.extract.task import Task
from stockverify.datasets import BOOK, ITEMS, POSITIONS, RECORDS, SESSIONS, Dataset

# What positions take from each dataset beside the quantities: a change of anything else leaves them as they are.
_DECISIVE = {
    RECORDS.name: ("client_record_id", "rack_id"),
    SESSIONS.name: ("session_id", "rack_id", "round", "started_at"),
    ITEMS.name: (*ITEMS.key, "item_name", "category", "subcategory", "uom"),
    BOOK.name: BOOK.names,
}
_NAMES = ["item_code", "item_name", "category", "subcategory", "uom"]


class Delta(NamedTuple):
    """`keys` are those of the rows that go, `old` these rows with the `filename` of each, `new` the rows that come.
    `totals` is what MongoDB counts and adds up in the documents that were read for it."""

    keys: pa.Table
    old: pa.Table
    new: pa.Table
    totals: Totals

    @property
    def gone(self) -> Totals:
        """What the rows that go come to."""
        return Totals(len(self.old), {name: pc.sum(self.old[name]).as_py() or 0.0 for name in self.totals.sums})


def deltas(task: Task, base: Base, ids: Ids) -> dict[str, Delta]:
    """The changes of every dataset that is read from MongoDB. The book comes first: it knows which lines the ids of
    stored items are."""
    found = {BOOK.name: _delta(task, base, BOOK, ids, _lines(ids))}
    for dataset in (RECORDS, SESSIONS):
        keys = pa.table({dataset.key[0]: pa.array(ids[str(dataset.collection)], pa.string())})
        found[dataset.name] = _delta(task, base, dataset, ids, keys)
    before = found[BOOK.name].old
    lines = before.filter(pc.is_null(before["valid_until"])).select(list(ITEMS.key))
    return found | {ITEMS.name: _delta(task, base, ITEMS, ids, lines)}


def _lines(ids: Ids) -> pa.Table:
    return pa.table({"line_id": pa.array(map(str, ids[str(BOOK.collection)]), pa.string())})


def _delta(task: Task, base: Base, dataset: Dataset, ids: Ids, keys: pa.Table) -> Delta:
    chosen = ids[str(dataset.collection)]
    columns = tuple(dict.fromkeys((*_DECISIVE[dataset.name], *moment.sums(dataset))))
    return Delta(
        keys,
        lookup.found(task.engine, base.files[dataset.name], columns, keys),
        moment.some(task.database, dataset, task.at, chosen),
        moment.totals_of_some(task.database, dataset, task.at, chosen),
    )


def racks(engine: DuckDBPyConnection, base: Base, found: Mapping[str, Delta]) -> pa.Table:
    """The racks whose positions may be others now (column `rack_id`). An item that is named or classed differently may
    lie in any rack, and one that the book does not have there takes its cost from where the book has it."""
    items, lines = found[ITEMS.name], _differing(found[BOOK.name])
    renamed = lookup.differing(items.old.select(_NAMES), items.new.select(_NAMES)).select(["item_code"])
    strays = pa.table({"item_code": pc.unique(lines["item_code"])})
    strays = strays.append_column("in_book", pa.repeat(pa.scalar(value=False), len(strays)))
    touched = [found[RECORDS.name].old["rack_id"], found[RECORDS.name].new["rack_id"]]
    known = base.files[POSITIONS.name]
    touched += [lookup.found(engine, known, ("rack_id",), keys)["rack_id"] for keys in (renamed, strays)]
    touched += [_differing(found[SESSIONS.name])["rack_id"], lines["rack_id"]]
    names = pc.unique(pa.chunked_array([chunk for each in touched for chunk in each.chunks], pa.string()))
    return pa.table({"rack_id": names.drop_null()})


def _differing(delta: Delta) -> pa.Table:
    columns = delta.old.drop_columns("filename")
    return lookup.differing(columns, delta.new.select(columns.column_names))


def expected(base: Totals, gone: Totals, come: Totals) -> Totals:
    """What a dataset must hold now: what it held, without the rows that went, with those that came."""
    sums = {name: base.sums.get(name, 0.0) - gone.sums[name] + more for name, more in come.sums.items()}
    return Totals(base.rows - gone.rows + come.rows, sums)
