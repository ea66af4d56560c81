"""What a snapshot holds that the figures alone do not tell: the biggest variances, and what is in doubt."""

from typing import NamedTuple

import msgspec
import polars as pl

from analytics.glance.attention import NOT_IN_BOOK, PARTIAL, UNKNOWN_ITEMS, WITHOUT_COST, Doubts
from analytics.lake import Lake
from analytics.query import checked, run
from stockverify.datasets import POSITIONS, Dataset, find
from stockverify.wire.reports import QuerySpec

BIGGEST = 20
_VARIED = {"variance_value": {"exists": True, "ne": 0}}


class Biggest(NamedTuple):
    """The lines with the largest variance in value, largest first, and how many lines have one."""

    rows: pl.DataFrame
    total: int


def doubts(lake: Lake, snapshot_id: str) -> Doubts:
    """How many lines and records somebody should look at."""

    return Doubts(
        not_in_book=count(lake, snapshot_id, NOT_IN_BOOK),
        without_cost=count(lake, snapshot_id, WITHOUT_COST),
        unknown_items=count(lake, snapshot_id, UNKNOWN_ITEMS),
        partial_records=count(lake, snapshot_id, PARTIAL),
    )


def biggest(lake: Lake, snapshot_id: str, most: int = BIGGEST) -> Biggest:
    """The most negative and the most positive variances hold the largest ones of both together."""
    spec = QuerySpec(collection=POSITIONS.name, filters=_VARIED, limit=most)
    ends = [
        run(lake, snapshot_id, checked(msgspec.structs.replace(spec, sort={"variance_value": way}))).frame
        for way in (1, -1)
    ]
    size = pl.col("variance_value").abs()
    both = pl.concat(ends).unique(POSITIONS.key, maintain_order=True)
    rows = both.sort([size, *POSITIONS.key], descending=[True, False, False, False]).head(most)
    return Biggest(rows, count(lake, snapshot_id, spec))


def count(lake: Lake, snapshot_id: str, spec: QuerySpec) -> int:
    """Rows without the limit: those of a plain query are counted, the groups of a grouped one are made and counted."""
    whole = msgspec.structs.replace(spec, limit=None, skip=0, sort={})
    if spec.group_by or spec.aggregations:
        return run(lake, snapshot_id, checked(whole)).row_count
    key = _dataset(spec).key[-1]
    result = run(lake, snapshot_id, checked(msgspec.structs.replace(whole, aggregations={key: "count"})))
    return int(result.frame[f"{key}_count"].sum())


def _dataset(spec: QuerySpec) -> Dataset:
    dataset = find(spec.collection)
    assert dataset is not None, spec.collection  # noqa: S101 - only names of the table of datasets come here
    return dataset
