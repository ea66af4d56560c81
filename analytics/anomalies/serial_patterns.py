"""Serial numbers that were typed in rather than read: repeated, made up, in a row, or too many and too few."""

import polars as pl

from analytics.anomalies.flags import Findings, counted, findings, number, percent
from analytics.anomalies.frames import Frames
from analytics.anomalies.options import Options
from stockverify.datasets import RECORDS

_RISING = "0123456789" * 3
_FALLING = _RISING[::-1]
_SEEN = """
seen AS (
    SELECT client_record_id, coalesce(rack_id, '') AS rack_id, coalesce(bin, '') AS bin, item_code,
        coalesce(round, 1) AS pass, coalesce(username, user_id, 'somebody') AS counter, verified_qty, serial_numbers
    FROM records WHERE status = 'finalized' AND len(serial_numbers) > 0
)"""
_OTHERS = """others AS (
    SELECT counter, coalesce(
        (sum(odd_of_one) OVER () - odd_of_one) / nullif(sum(all_of_one) OVER () - all_of_one, 0), 0
    ) AS usual
    FROM counters
)"""

# 64 bits stand for a serial number while all are looked at; only the few that may be repeated are looked at as texts.
_REPEATED = f"""{_SEEN},
one_by_one AS (
    SELECT *, len(serial) BETWEEN $serial_length AND {len(_RISING)} AND (
        replace(serial, left(serial, 1), '') = '' OR contains('{_RISING}', serial) OR contains('{_FALLING}', serial)
    ) AS made_up
    FROM (SELECT * EXCLUDE (serial_numbers), upper(trim(unnest(serial_numbers))) AS serial FROM seen)
    WHERE serial <> ''
),
often AS (SELECT hash(serial) AS hashed FROM one_by_one GROUP BY hashed HAVING count(*) > 1),
uses AS (
    SELECT serial, bool_or(made_up) AS made_up, count(*) AS uses,
        count(DISTINCT (rack_id, bin, item_code)) AS places, count(DISTINCT (rack_id, bin, item_code, pass)) AS counts,
        count(DISTINCT client_record_id) AS proof_rows,
        list_sort(list_distinct(list([client_record_id])))[:$proof_rows] AS proof
    FROM one_by_one WHERE made_up OR hash(serial) IN (SELECT hashed FROM often) GROUP BY serial
)
SELECT *, greatest(uses - counts, places - 1) + made_up::BIGINT + 1 AS strength, count(*) OVER () AS total
FROM uses WHERE made_up OR places > 1 OR uses > counts ORDER BY strength DESC, serial LIMIT $shown
"""  # noqa: S608 - made of constants

_RUNS = f"""{_SEEN},
long AS (SELECT * FROM seen WHERE len(serial_numbers) >= $run_length),
split AS (
    SELECT client_record_id, serial, regexp_extract(serial, '([0-9]{{1,18}})$', 1) AS digits
    FROM (SELECT client_record_id, trim(unnest(serial_numbers)) AS serial FROM long)
),
placed AS (
    SELECT DISTINCT client_record_id, serial, left(serial, len(serial) - len(digits)) AS head, digits::BIGINT AS number
    FROM split WHERE digits <> ''
),
islands AS (
    SELECT *, number - row_number() OVER (PARTITION BY client_record_id, head ORDER BY number) AS island FROM placed
),
runs AS (
    SELECT client_record_id, max(size) AS size,
        arg_max(first, size) AS first, arg_max(last, size) AS last
    FROM (
        SELECT client_record_id, head, count(*) AS size,
            arg_min(serial, number) AS first, arg_max(serial, number) AS last
        FROM islands GROUP BY client_record_id, head, island HAVING count(*) >= $run_length
    ) GROUP BY client_record_id
),
counters AS (
    SELECT counter, count(*) AS all_of_one, count(size) AS odd_of_one FROM long LEFT JOIN runs USING (client_record_id)
    GROUP BY counter
),
{_OTHERS}
SELECT client_record_id, rack_id, item_code, counter, size, first, last, usual, size / $run_length AS strength,
    [client_record_id] AS key, [key] AS proof, 1 AS proof_rows, count(*) OVER () AS total
FROM long JOIN runs USING (client_record_id) JOIN others USING (counter)
WHERE usual < $serial_usual ORDER BY strength DESC, client_record_id LIMIT $shown
"""  # noqa: S608 - made of constants

_NUMBERS = f"""{_SEEN},
judged AS (
    SELECT *, len(serial_numbers) AS size, len(serial_numbers) <> verified_qty AS odd FROM seen
    WHERE isfinite(verified_qty)
),
counters AS (SELECT counter, count(*) AS all_of_one, count(*) FILTER (odd) AS odd_of_one FROM judged GROUP BY counter),
{_OTHERS}
SELECT client_record_id, rack_id, item_code, counter, size, verified_qty, usual,
    1 + abs(size - verified_qty) / greatest(size, verified_qty) AS strength,
    [client_record_id] AS key, [key] AS proof, 1 AS proof_rows, count(*) OVER () AS total
FROM judged JOIN others USING (counter)
WHERE odd AND usual < $serial_usual ORDER BY strength DESC, client_record_id LIMIT $shown
"""  # noqa: S608 - made of constants


def find(frames: Frames, options: Options) -> Findings:
    """Serial numbers used twice or made up, runs of them in one record, and records with another number of them than
    of units."""
    parts = [findings(said) for said in (_repeated(frames), _runs(frames), _numbers(frames))]
    rows = pl.concat([part.rows for part in parts]).sort("strength", "subject", descending=[True, False])
    return Findings(rows.head(options.shown), sum(part.total for part in parts))


def _repeated(frames: Frames) -> pl.DataFrame:
    made_up = pl.when(pl.col("made_up")).then(pl.lit(" It looks made up.")).otherwise(pl.lit(""))
    return frames.ask(_REPEATED).with_columns(
        key=pl.concat_list(pl.lit("repeated"), "serial"),
        subject_type=pl.lit("serial"),
        subject="serial",
        why=pl.format(
            "Serial number {} is on {} at {}, {} in all.{}",
            "serial",
            counted("proof_rows", "record"),
            counted("places", "place"),
            counted("uses", "time"),
            made_up,
        ),
        baseline=pl.lit("A serial number is on one unit: at one place, and once in each round"),
        dataset=pl.lit(RECORDS.name),
    )


def _runs(frames: Frames) -> pl.DataFrame:
    return frames.ask(_RUNS).with_columns(
        key=pl.concat_list(pl.lit("run"), "client_record_id"),
        subject_type=pl.lit("record"),
        subject=pl.format("{} in {}", "item_code", "rack_id"),
        why=pl.format(
            "{} entered {} serial numbers in a row, from {} to {}, in one record of {}.",
            *("counter", "size", "first", "last", "item_code"),
        ),
        baseline=pl.format("{} of such records of other counters have a run", percent("usual")),
        dataset=pl.lit(RECORDS.name),
    )


def _numbers(frames: Frames) -> pl.DataFrame:
    return frames.ask(_NUMBERS).with_columns(
        key=pl.concat_list(pl.lit("number"), "client_record_id"),
        subject_type=pl.lit("record"),
        subject=pl.format("{} in {}", "item_code", "rack_id"),
        why=pl.format(
            "{} entered {} for {} units of {}.",
            "counter",
            counted("size", "serial number"),
            number("verified_qty"),
            "item_code",
        ),
        baseline=pl.format("On {} of records with serial numbers of other counters the two differ", percent("usual")),
        dataset=pl.lit(RECORDS.name),
    )
