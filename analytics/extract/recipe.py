"""How positions are derived, in DuckDB's words.

Whose claim decides about a line is in docs/decisions/0023; what an item costs where the book does not have it, in 0046.
"""

from analytics.millionths import rounded_sql, summed_sql

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

# A rack that is given back is claimed anew in the same round: each line goes by the claim of who counted it.
_COUNTS = f""",
claims AS (
    SELECT session_id, rack_id, coalesce(round, 1) AS pass, started_at
    FROM read_parquet($verification_sessions, hive_partitioning = false) SEMI JOIN racks USING (rack_id)
    WHERE rack_id BETWEEN $first AND $last
),
counts AS (
    SELECT rack_id, place, item_code, max(floor) AS floor,
        max(category) AS category, max(subcategory) AS subcategory, max(uom) AS uom,
        bool_or(is_count) AS counted,
        {summed_sql("verified_qty", "is_count")} AS verified_qty,
        {summed_sql("coalesce(damage_qty, 0)", "is_count")} AS damage_qty,
        max(pass) FILTER (is_count) AS round,
        arg_max(coalesce(username, user_id), (received_at, client_record_id)) FILTER (is_count) AS counted_by,
        max(received_at) FILTER (is_count) AS counted_at,
        arg_max(started_at, (received_at, client_record_id)) FILTER (is_count) AS claimed_at,
        max(started_at) AS last_claimed_at
    FROM records JOIN latest USING (rack_id, pass) LEFT JOIN claims USING (rack_id, pass, session_id)
    GROUP BY rack_id, place, item_code
),
claimed AS (SELECT rack_id, max(pass) AS pass FROM claims GROUP BY rack_id),
shown AS (
    SELECT rack_id, coalesce(latest.pass, claimed.pass) AS pass FROM latest FULL JOIN claimed USING (rack_id)
),
last AS (SELECT rack_id, max(started_at) AS claimed_at FROM claims JOIN shown USING (rack_id, pass) GROUP BY rack_id),
working AS (SELECT rack_id, max(last_claimed_at) AS claimed_at FROM counts GROUP BY rack_id),
of_rack AS (
    SELECT rack_id, coalesce(working.claimed_at, last.claimed_at) AS claimed_at
    FROM last LEFT JOIN working USING (rack_id)
)
"""  # noqa: S608 - made of constants

_BOOK = f""",
versions AS (
    SELECT *, coalesce(bin, '') AS place
    FROM read_parquet($book_versions, hive_partitioning = false) SEMI JOIN racks USING (rack_id)
    WHERE rack_id BETWEEN $first AND $last
),
held AS (
    SELECT versions.*, coalesce(counts.claimed_at, of_rack.claimed_at) AS claimed_at,
        min(coalesce(valid_from, TIMESTAMPTZ '-infinity')) OVER (PARTITION BY rack_id) AS known_from
    FROM versions LEFT JOIN counts USING (rack_id, place, item_code) LEFT JOIN of_rack USING (rack_id)
),
chosen AS (
    SELECT * FROM held WHERE CASE
        WHEN claimed_at IS NULL THEN valid_until IS NULL
        WHEN claimed_at < known_from THEN version = 1
        ELSE coalesce(valid_from <= claimed_at, true) AND coalesce(valid_until > claimed_at, true)
    END
),
book AS (
    SELECT rack_id, place, item_code, max(floor) AS floor, max(unit_cost) AS unit_cost,
        {summed_sql("coalesce(book_qty, 0)")} AS book_qty
    FROM chosen GROUP BY rack_id, place, item_code
),
lines AS (
    SELECT rack_id, place, item_code,
        coalesce(book.floor, counts.floor) AS floor, unit_cost, coalesce(book_qty, 0) AS book_qty,
        book.item_code IS NOT NULL AS in_book, coalesce(counted, false) AS counted,
        verified_qty, damage_qty, round, counted_by, counted_at,
        {rounded_sql("(verified_qty - coalesce(book_qty, 0))")} AS variance_qty,
        counts.category AS sent_category, counts.subcategory AS sent_subcategory, counts.uom AS sent_uom,
        coalesce(counts.claimed_at, of_rack.claimed_at) AS claimed_at
    FROM book FULL JOIN counts USING (rack_id, place, item_code) LEFT JOIN of_rack USING (rack_id)
)
"""  # noqa: S608 - made of constants

NAMES = """
SELECT item_code, item_name, category, subcategory, uom FROM read_parquet($erp_items, hive_partitioning = false)
"""
PRICES = """
SELECT item_code, unit_cost, valid_from, valid_until, version = 1 AS is_first
FROM read_parquet($book_versions, hive_partitioning = false) WHERE isfinite(unit_cost)
"""


def each_name(lines: str) -> str:
    """Each item once, with its names."""
    names = ", ".join(f"max({name}) AS {name}" for name in ("item_name", "category", "subcategory", "uom"))
    return f"SELECT item_code, {names} FROM {lines} GROUP BY item_code"  # noqa: S608 - made of constants


def each_price(lines: str) -> str:
    """Each price of each item once: an import gives all lines the same instants, so that few are left of an item, in
    however many racks it lies."""
    return f"SELECT DISTINCT * FROM {lines}"  # noqa: S608 - made of constants


_COSTS = f""",
strays AS (SELECT DISTINCT item_code, claimed_at FROM lines WHERE NOT in_book),
quoted AS ({each_price("item_prices SEMI JOIN strays USING (item_code)")}),
asked AS (
    SELECT strays.item_code AS item_code, claimed_at, unit_cost, is_first,
        CASE WHEN claimed_at IS NULL THEN valid_until IS NULL
        ELSE coalesce(valid_from <= claimed_at, true) AND coalesce(valid_until > claimed_at, true) END AS at_claim
    FROM strays JOIN quoted USING (item_code)
),
answers AS (
    SELECT * FROM asked
    QUALIFY CASE WHEN bool_or(at_claim) OVER (PARTITION BY item_code, claimed_at) THEN at_claim ELSE is_first END
),
costs AS (
    SELECT item_code, claimed_at, max(unit_cost) AS unit_cost
    FROM answers GROUP BY item_code, claimed_at HAVING min(unit_cost) = max(unit_cost)
),
priced AS (
    SELECT lines.* REPLACE (CASE WHEN in_book THEN lines.unit_cost ELSE costs.unit_cost END AS unit_cost)
    FROM lines LEFT JOIN costs
        ON costs.item_code = lines.item_code AND costs.claimed_at IS NOT DISTINCT FROM lines.claimed_at
)
"""  # noqa: S608 - made of constants

_NAMED = f""",
known AS ({each_name("item_names SEMI JOIN lines USING (item_code)")})
SELECT floor, rack_id, place AS bin, priced.item_code AS item_code, item_name,
    coalesce(category, sent_category) AS category, coalesce(subcategory, sent_subcategory) AS subcategory,
    coalesce(uom, sent_uom) AS uom, unit_cost, book_qty, verified_qty, damage_qty, variance_qty,
    {rounded_sql("(variance_qty * unit_cost)")} AS variance_value, counted, in_book, round, counted_by, counted_at
FROM priced LEFT JOIN known ON known.item_code = priced.item_code
ORDER BY rack_id, bin, item_code
"""  # noqa: S608 - made of constants
SQL = _ROUNDS + _COUNTS + _BOOK + _COSTS + _NAMED
"""The positions of the `racks`. What it asks of items wherever they lie is in `item_names` and `item_prices`: the rows
of NAMES and PRICES, or what `each_name` and `each_price` leave of them."""

COUNTED = (
    _ROUNDS
    + f"""
SELECT coalesce({summed_sql("verified_qty", "is_count")}, 0), coalesce({summed_sql("damage_qty", "is_count")}, 0)
FROM records JOIN latest USING (rack_id, pass)
"""  # noqa: S608 - made of constants
)
"""What was counted in all, rounded record by record as positions are: sums of both agree to the last millionth."""
