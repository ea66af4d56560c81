"""The rows that prove a flag, read from the snapshot that has it."""

from collections.abc import Sequence

import polars as pl

from analytics.engine import engine, frame, texts
from analytics.lake import Lake
from analytics.lake.store import known_dataset

_SECONDS = 30


def evidence(lake: Lake, snapshot_id: str, dataset: str, proof: Sequence[Sequence[str]]) -> pl.DataFrame:
    """The rows of these keys, in their order, with all columns of the dataset. A key that the snapshot does not have
    gives no row. Raises what the lake raises for an unknown or damaged snapshot, QueryTooLong or QueryTooBig."""
    declared = known_dataset(dataset)
    files = lake.files(dataset, snapshot_id)
    same = " AND ".join(f"rows.{name} = keys.key[{place}]" for place, name in enumerate(declared.key, 1))
    sql = f"""
    WITH keys AS (SELECT unnest($places) AS place, unnest($keys) AS key)
    SELECT rows.* FROM keys JOIN read_parquet($files, hive_partitioning = false) AS rows ON {same} ORDER BY place
    """  # noqa: S608 - names come from the declaration
    values = {"places": list(range(len(proof))), "keys": [list(key) for key in proof], "files": texts(files)}
    with engine(files, seconds=_SECONDS) as connection:
        return frame(connection, sql, values).select(declared.names)
