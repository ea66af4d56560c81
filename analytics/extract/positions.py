"""Positions: the book lines beside what was counted in them, from the published datasets of the same moment.

Every rack is derived by itself, so that memory holds some racks at a time, and only those that changed need it again.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from analytics.engine import one, texts
from analytics.extract.moment import Totals
from analytics.extract.recipe import COUNTED, NAMES, PRICES, SQL, each_name, each_price
from stockverify.datasets import COLLECTED

_BATCH = 20_000
_ROWS_AT_ONCE = 500_000

Files = Mapping[str, tuple[Path, ...]]

_RACKS = """
SELECT rack_id, count(*) AS lines FROM (
    SELECT rack_id FROM read_parquet($verification_records, hive_partitioning = false)
    UNION ALL SELECT rack_id FROM read_parquet($book_versions, hive_partitioning = false)
) WHERE rack_id IS NOT NULL GROUP BY rack_id ORDER BY rack_id
"""

_THESE = f"SELECT rack_id, coalesce(lines, 0) AS lines FROM names LEFT JOIN ({_RACKS}) USING (rack_id) ORDER BY rack_id"  # noqa: S608

QUERY: dict[str, Any] = {
    "derived": "book lines as of each rack's claim beside the counts of its latest round",
    "recipe": hashlib.sha256((NAMES + PRICES + SQL).encode()).hexdigest(),
}
"""How positions are made; those of another recipe are not built on."""


def all_racks(engine: DuckDBPyConnection, files: Files) -> list[pa.Table]:
    """The names of all racks in order (column `rack_id`), so many at a time as memory holds with their lines."""
    with engine.cursor() as connection:
        return _cut(connection.sql(_RACKS, params=_named(files, _RACKS)).to_arrow_table())


def these_racks(engine: DuckDBPyConnection, files: Files, names: pa.Table) -> list[pa.Table]:
    """The same of some racks (column `rack_id`), those without any line included: they have no positions any more."""
    if not len(names):
        return []
    with engine.cursor() as connection:
        connection.register("names", names)
        found = connection.sql(_THESE, params=_named(files, _THESE)).to_arrow_table()
    return _cut(found)


def _cut(racks: pa.Table) -> list[pa.Table]:
    before = [0, *accumulate(racks["lines"].to_pylist())][:-1]
    cuts = [n for n, rows in enumerate(before) if n == 0 or rows // _ROWS_AT_ONCE > before[n - 1] // _ROWS_AT_ONCE]
    names = racks.select(["rack_id"])
    return [names.slice(start, end - start) for start, end in zip(cuts, [*cuts, len(names)][1:], strict=True)]


def batches(engine: DuckDBPyConnection, files: Files, racks: Sequence[pa.Table]) -> Iterator[pa.Table]:
    """The positions of these racks, each table of racks in order of its keys.

    A line is one item in one bin of one rack. Of each rack only the records of its latest round count. Several
    finalized records of a line add up; a line without one is not counted, even if a partial record saw it. What
    was seen and is not in the book appears with a book quantity of 0. Records without a rack are no positions.

    The book of a line is that of the moment at which whoever counted it had claimed the rack; that of a line nobody
    counted goes by the last claim under which something was (docs/decisions/0023). It is the current one where nobody
    claimed the rack; and where it was empty at that moment, the first that was known. What the book has elsewhere only
    takes the item's cost, if it has but one (0046).
    """
    if not racks:
        return
    with engine.cursor() as connection:
        _prepare(connection, files, several=len(racks) > 1)
        for some in racks:
            connection.register("racks", some)
            for batch in connection.sql(SQL, params=_parameters(files, some, SQL)).to_arrow_reader(_BATCH):
                yield pa.Table.from_batches([batch])


def _prepare(connection: DuckDBPyConnection, files: Files, *, several: bool) -> None:
    """Give the portions what they ask of all items. For several it is read once, and kept with each item once: each
    would read the whole book otherwise, which grows with the square of the size."""
    for name, rows, once in (("item_names", NAMES, each_name), ("item_prices", PRICES, each_price)):
        if several:
            connection.execute(f"CREATE TEMP TABLE {name} AS {once(f'({rows})')}", _named(files, rows))
        else:  # a view with parameters cannot be temporary: it is the engine's, and the next one takes its place
            connection.sql(rows, params=_named(files, rows)).create_view(name)


def counted(engine: DuckDBPyConnection, files: Files, racks: Sequence[pa.Table]) -> Totals:
    """What the records of these racks say was counted, without any book. `rows` is 0: lines are not told apart here."""
    verified = damage = 0.0
    for some in racks:
        with engine.cursor() as connection:
            connection.register("racks", some)
            more = one(connection, COUNTED, _parameters(files, some, COUNTED))
        verified, damage = verified + more[0], damage + more[1]
    return Totals(0, {"verified_qty": verified, "damage_qty": damage})


def _parameters(files: Files, racks: pa.Table, sql: str) -> dict[str, Any]:
    names = racks["rack_id"].to_pylist()
    ends = {"first": min(names, key=str.encode), "last": max(names, key=str.encode)}
    return _named(files, sql) | ends


def _named(files: Files, sql: str) -> dict[str, Any]:
    """The files that a statement reads, by the parameters that it has."""
    return {dataset.name: texts(files[dataset.name]) for dataset in COLLECTED if f"${dataset.name}" in sql}
