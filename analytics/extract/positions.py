"""Positions: the book lines beside what was counted in them, from the three published datasets of the same moment."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from analytics.engine import engine, texts
from stockverify.datasets import ITEMS, RECORDS

_BATCH = 50_000

# Quantities and values are rounded to a millionth: 0.1 + 0.2 must not differ from a book quantity of 0.3, and sums
# must not differ between snapshots because their floats were added in another order.
SQL = """
WITH
items AS (SELECT *, coalesce(bin, '') AS place FROM read_parquet($erp_items)),
records AS (
    SELECT *, coalesce(bin, '') AS place, coalesce(round, 1) AS pass,
        status = 'finalized' AND verified_qty IS NOT NULL AS is_count
    FROM read_parquet($verification_records) WHERE rack_id IS NOT NULL
),
book AS (
    SELECT rack_id, place, item_code, max(floor) AS floor, max(unit_cost) AS unit_cost,
        round(fsum(coalesce(book_qty, 0)), 6) AS book_qty
    FROM items WHERE rack_id IS NOT NULL GROUP BY rack_id, place, item_code
),
known AS (
    SELECT item_code, max(item_name) AS item_name, max(category) AS category,
        max(subcategory) AS subcategory, max(uom) AS uom
    FROM items GROUP BY item_code
),
latest AS (SELECT rack_id, max(pass) AS pass FROM records GROUP BY rack_id),
counts AS (
    SELECT rack_id, place, item_code, max(floor) AS floor,
        max(category) AS category, max(subcategory) AS subcategory, max(uom) AS uom,
        bool_or(is_count) AS counted,
        round(fsum(verified_qty) FILTER (is_count), 6) AS verified_qty,
        round(fsum(coalesce(damage_qty, 0)) FILTER (is_count), 6) AS damage_qty,
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
        round(verified_qty - coalesce(book_qty, 0), 6) AS variance_qty,
        counts.category AS sent_category, counts.subcategory AS sent_subcategory, counts.uom AS sent_uom
    FROM book FULL JOIN counts USING (rack_id, place, item_code)
)
SELECT floor, rack_id, place AS bin, lines.item_code AS item_code, item_name,
    coalesce(category, sent_category) AS category, coalesce(subcategory, sent_subcategory) AS subcategory,
    coalesce(uom, sent_uom) AS uom, unit_cost, book_qty, verified_qty, damage_qty, variance_qty,
    round(variance_qty * unit_cost, 6) AS variance_value, counted, in_book, round, counted_by, counted_at
FROM lines LEFT JOIN known ON known.item_code = lines.item_code
ORDER BY rack_id, bin, item_code
"""


def batches(records: tuple[Path, ...], items: tuple[Path, ...]) -> Iterator[pa.Table]:
    """The positions in order of their key.

    A line is one item in one bin of one rack. Of each rack only the records of its latest round count. Several
    finalized records of a line add up; a line without one is not counted, even if a partial record saw it. What
    was seen and is not in the book appears with a book quantity of 0. Records without a rack are no positions.
    """
    parameters = {RECORDS.name: texts(records), ITEMS.name: texts(items)}
    with engine([*records, *items]) as connection:
        for batch in connection.sql(SQL, params=parameters).to_arrow_reader(_BATCH):
            yield pa.Table.from_batches([batch])
