"""Where a flag leads: the racks of the rows that prove it, and who counted them."""

import polars as pl

from analytics.anomalies.flags import FLAG
from analytics.anomalies.frames import Frames
from stockverify.datasets import POSITIONS, RECORDS

_WANTED = "wanted AS (SELECT unnest($flags) AS flag_id, unnest($keys) AS key)"
_PLACES = """
SELECT flag_id, list_sort(list_distinct(list(rack_id))) AS racks, list_sort(list_distinct(list(counter))) AS counters
FROM proven GROUP BY flag_id
"""
_SQL = {
    POSITIONS.name: f"""{_WANTED},
keys AS (SELECT flag_id, key[1] AS rack_id, key[2] AS bin, key[3] AS item_code FROM wanted),
proven AS (
    SELECT flag_id, rack_id, counted_by AS counter FROM keys JOIN positions USING (rack_id, bin, item_code)
)
{_PLACES}""",  # noqa: S608 - made of constants
    RECORDS.name: f"""{_WANTED},
keys AS (SELECT flag_id, key[1] AS client_record_id FROM wanted),
proven AS (
    SELECT flag_id, rack_id, coalesce(username, user_id) AS counter FROM keys JOIN records USING (client_record_id)
)
{_PLACES}""",  # noqa: S608 - made of constants
}


def placed(frames: Frames, flags: pl.DataFrame) -> pl.DataFrame:
    """The flags, in their order, with the columns racks and counters."""
    found = [_of_dataset(frames, name, flags.filter(pl.col("dataset") == name)) for name in _SQL]
    whole = flags.join(pl.concat(found), on="flag_id", how="left", maintain_order="left")
    return whole.with_columns(pl.col("racks", "counters").fill_null([])).select(*FLAG).cast(FLAG)


def _of_dataset(frames: Frames, name: str, flags: pl.DataFrame) -> pl.DataFrame:
    schema = pl.Schema({column: FLAG[column] for column in ("flag_id", "racks", "counters")})
    if flags.is_empty():
        return pl.DataFrame(schema=schema)
    rows = flags.select("flag_id", "proof").explode("proof")
    return frames.ask(_SQL[name], flags=rows["flag_id"].to_list(), keys=rows["proof"].to_list()).cast(schema)
