"""Positions: the book lines beside what was counted in them, from the published datasets of the same moment.

Every rack is derived by itself, so that memory holds some racks at a time, and only those that changed need it again.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa

from analytics.engine import engine, one, texts
from analytics.extract.moment import Totals
from analytics.millionths import rounded_sql, summed_sql
from stockverify.datasets import COLLECTED

_BATCH = 20_000
_ROWS_AT_ONCE = 500_000

Files = Mapping[str, tuple[Path, ...]]

# The round of a rack that is shown is the latest that has records, or else the latest that was claimed. Quantities and
# values are in millionths: 0.1 + 0.2 must not differ from a book quantity of 0.3, and sums must not differ between
# snapshots because their floats were added in another order.
_ROUNDS = """
WITH records AS (
    SELECT *, coalesce(bin, '') AS place, coalesce(round, 1) AS pass,
        status = 'finalized' AND verified_qty IS NOT NULL AS is_count
    FROM read_parquet($verification_records, hive_partitioning = false) SEMI JOIN racks USING (rack_id)
    WHERE rack_id BETWEEN $first AND $last
),
latest AS (SELECT rack_id, max(pass) AS pass FROM records GROUP BY rack_id)
"""

_LINES = f""",
claims AS (
    SELECT rack_id, coalesce(round, 1) AS pass, min(started_at) AS claimed_at
    FROM read_parquet($verification_sessions, hive_partitioning = false) SEMI JOIN racks USING (rack_id)
    WHERE rack_id BETWEEN $first AND $last GROUP BY ALL
),
claimed AS (SELECT rack_id, max(pass) AS pass FROM claims GROUP BY rack_id),
shown AS (
    SELECT rack_id, coalesce(latest.pass, claimed.pass) AS pass FROM latest FULL JOIN claimed USING (rack_id)
),
versions AS (
    SELECT *, coalesce(bin, '') AS place
    FROM read_parquet($book_versions, hive_partitioning = false) SEMI JOIN racks USING (rack_id)
    WHERE rack_id BETWEEN $first AND $last
),
held AS (
    SELECT versions.*, claimed_at,
        coalesce(valid_from <= claimed_at, true) AND coalesce(valid_until > claimed_at, true) AS at_claim
    FROM versions LEFT JOIN (SELECT rack_id, claimed_at FROM shown JOIN claims USING (rack_id, pass)) USING (rack_id)
),
chosen AS (
    SELECT * FROM held QUALIFY CASE
        WHEN claimed_at IS NULL THEN valid_until IS NULL
        WHEN bool_or(at_claim) OVER (PARTITION BY rack_id) THEN at_claim
        ELSE version = 1
    END
),
book AS (
    SELECT rack_id, place, item_code, max(floor) AS floor, max(unit_cost) AS unit_cost,
        {summed_sql("coalesce(book_qty, 0)")} AS book_qty
    FROM chosen GROUP BY rack_id, place, item_code
),
counts AS (
    SELECT rack_id, place, item_code, max(floor) AS floor,
        max(category) AS category, max(subcategory) AS subcategory, max(uom) AS uom,
        bool_or(is_count) AS counted,
        {summed_sql("verified_qty", "is_count")} AS verified_qty,
        {summed_sql("coalesce(damage_qty, 0)", "is_count")} AS damage_qty,
        max(pass) FILTER (is_count) AS round,
        arg_max(coalesce(username, user_id), (received_at, client_record_id)) FILTER (is_count) AS counted_by,
        max(received_at) FILTER (is_count) AS counted_at
    FROM records JOIN latest USING (rack_id, pass) GROUP BY rack_id, place, item_code
),
lines AS (
    SELECT rack_id, place, item_code,
        coalesce(book.floor, counts.floor) AS floor, unit_cost, coalesce(book_qty, 0) AS book_qty,
        book.item_code IS NOT NULL AS in_book, coalesce(counted, false) AS counted,
        verified_qty, damage_qty, round, counted_by, counted_at,
        {rounded_sql("(verified_qty - coalesce(book_qty, 0))")} AS variance_qty,
        counts.category AS sent_category, counts.subcategory AS sent_subcategory, counts.uom AS sent_uom
    FROM book FULL JOIN counts USING (rack_id, place, item_code)
),
known AS (
    SELECT item_code, max(item_name) AS item_name, max(category) AS category,
        max(subcategory) AS subcategory, max(uom) AS uom
    FROM read_parquet($erp_items, hive_partitioning = false) SEMI JOIN lines USING (item_code) GROUP BY item_code
)
SELECT floor, rack_id, place AS bin, lines.item_code AS item_code, item_name,
    coalesce(category, sent_category) AS category, coalesce(subcategory, sent_subcategory) AS subcategory,
    coalesce(uom, sent_uom) AS uom, unit_cost, book_qty, verified_qty, damage_qty, variance_qty,
    {rounded_sql("(variance_qty * unit_cost)")} AS variance_value, counted, in_book, round, counted_by, counted_at
FROM lines LEFT JOIN known ON known.item_code = lines.item_code
ORDER BY rack_id, bin, item_code
"""  # noqa: S608 - made of constants
SQL = _ROUNDS + _LINES

COUNTED = (
    _ROUNDS
    + """
SELECT coalesce(fsum(verified_qty), 0), coalesce(fsum(damage_qty), 0)
FROM records JOIN latest USING (rack_id, pass) WHERE is_count
"""
)

_RACKS = """
SELECT rack_id, count(*) AS lines FROM (
    SELECT rack_id FROM read_parquet($verification_records, hive_partitioning = false)
    UNION ALL SELECT rack_id FROM read_parquet($book_versions, hive_partitioning = false)
) WHERE rack_id IS NOT NULL GROUP BY rack_id ORDER BY rack_id
"""

_THESE = f"SELECT rack_id, coalesce(lines, 0) AS lines FROM names LEFT JOIN ({_RACKS}) USING (rack_id) ORDER BY rack_id"  # noqa: S608

QUERY: dict[str, Any] = {
    "derived": "book lines as of each rack's claim beside the counts of its latest round",
    "recipe": hashlib.sha256(SQL.encode()).hexdigest(),
}
"""How positions are made; those of another recipe are not built on."""


def all_racks(files: Files) -> list[pa.Table]:
    """The names of all racks in order (column `rack_id`), so many at a time as memory holds with their lines."""
    with _over(files) as connection:
        return _cut(connection.sql(_RACKS, params=_named(files, _RACKS)).to_arrow_table())


def these_racks(files: Files, names: pa.Table) -> list[pa.Table]:
    """The same of some racks (column `rack_id`), those without any line included: they have no positions any more."""
    if not len(names):
        return []
    with _over(files) as connection:
        connection.register("names", names)
        found = connection.sql(_THESE, params=_named(files, _THESE)).to_arrow_table()
    return _cut(found)


def _cut(racks: pa.Table) -> list[pa.Table]:
    before = [0, *accumulate(racks["lines"].to_pylist())][:-1]
    cuts = [n for n, rows in enumerate(before) if n == 0 or rows // _ROWS_AT_ONCE > before[n - 1] // _ROWS_AT_ONCE]
    names = racks.select(["rack_id"])
    return [names.slice(start, end - start) for start, end in zip(cuts, [*cuts, len(names)][1:], strict=True)]


def batches(files: Files, racks: Sequence[pa.Table]) -> Iterator[pa.Table]:
    """The positions of these racks, each table of racks in order of its keys.

    A line is one item in one bin of one rack. Of each rack only the records of its latest round count. Several
    finalized records of a line add up; a line without one is not counted, even if a partial record saw it. What
    was seen and is not in the book appears with a book quantity of 0. Records without a rack are no positions.

    The book is that of the moment at which the rack was first claimed in that round; the current one where nobody
    claimed it; and where it was empty at that moment, the first that was known (docs/decisions/0023).
    """
    for some in racks:
        with _over(files) as connection:
            connection.register("racks", some)
            for batch in connection.sql(SQL, params=_parameters(files, some, SQL)).to_arrow_reader(_BATCH):
                yield pa.Table.from_batches([batch])


def counted(files: Files, racks: Sequence[pa.Table]) -> Totals:
    """What the records of these racks say was counted, without any book. `rows` is 0: lines are not told apart here."""
    verified = damage = 0.0
    for some in racks:
        with _over(files) as connection:
            connection.register("racks", some)
            more = one(connection, COUNTED, _parameters(files, some, COUNTED))
        verified, damage = verified + more[0], damage + more[1]
    return Totals(0, {"verified_qty": verified, "damage_qty": damage})


def _over(files: Files) -> Any:
    return engine([path for dataset in COLLECTED for path in files[dataset.name]])


def _parameters(files: Files, racks: pa.Table, sql: str) -> dict[str, Any]:
    names = racks["rack_id"].to_pylist()
    ends = {"first": min(names, key=str.encode), "last": max(names, key=str.encode)}
    return _named(files, sql) | ends


def _named(files: Files, sql: str) -> dict[str, Any]:
    """The files that a statement reads, by the parameters that it has."""
    return {dataset.name: texts(files[dataset.name]) for dataset in COLLECTED if f"${dataset.name}" in sql}
