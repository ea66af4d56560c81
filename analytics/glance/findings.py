"""What a snapshot holds that the figures alone do not tell: the biggest variances, and what is in doubt."""

from collections.abc import Sequence

import msgspec
import polars as pl

from analytics.glance import kept
from analytics.glance.attention import NOT_IN_BOOK, PARTIAL, UNKNOWN_ITEMS, WITHOUT_COST, Doubts
from analytics.glance.kept import Biggest, Findings
from analytics.lake import Lake
from analytics.query import Query, QueryResult, checked, run, run_all
from analytics.watching import Watch
from stockverify.datasets import POSITIONS, find
from stockverify.wire.reports import QuerySpec

BIGGEST = 20
_VARIED = {"variance_value": {"exists": True, "ne": 0}}


def doubts(lake: Lake, snapshot_id: str) -> Doubts:
    """How many lines and records somebody should look at. Raises what the lake raises."""
    found = kept.read(lake, snapshot_id)
    return found.doubts if found else _doubts(lake, snapshot_id)


def biggest(lake: Lake, snapshot_id: str, most: int = BIGGEST) -> Biggest:
    """The lines with the largest variance in value. Raises what the lake raises."""
    found = kept.read(lake, snapshot_id) if most == BIGGEST else None
    return found.biggest if found else _biggest(lake, snapshot_id, most)


def keep(lake: Lake, snapshot_id: str) -> None:
    """Find both, and keep them for whoever asks. Raises what the lake raises, or OSError."""
    kept.write(lake, snapshot_id, Findings(_doubts(lake, snapshot_id), _biggest(lake, snapshot_id, BIGGEST)))


def _doubts(lake: Lake, snapshot_id: str) -> Doubts:
    return Doubts(*_counts(lake, snapshot_id, [NOT_IN_BOOK, WITHOUT_COST, UNKNOWN_ITEMS, PARTIAL]))


def _biggest(lake: Lake, snapshot_id: str, most: int) -> Biggest:
    """The most negative and the most positive variances hold the largest ones of both together."""
    spec = QuerySpec(collection=POSITIONS.name, filters=_VARIED, limit=most)
    ends = [checked(msgspec.structs.replace(spec, sort={"variance_value": way})) for way in (1, -1)]
    *found, total = run_all(lake, snapshot_id, [*ends, _counting(spec)])
    size = pl.col("variance_value").abs()
    both = pl.concat([each.frame for each in found]).unique(POSITIONS.key, maintain_order=True)
    rows = both.sort([size, *POSITIONS.key], descending=[True, False, False, False]).head(most)
    return Biggest(rows, _rows(spec, total))


def count(lake: Lake, snapshot_id: str, spec: QuerySpec, watch: Watch | None = None) -> int:
    """Rows without the limit: those of a plain query are counted, the groups of a grouped one are made and counted.
    Raises as `run` does."""
    return _rows(spec, run(lake, snapshot_id, _counting(spec), watch=watch))


def _counts(lake: Lake, snapshot_id: str, specs: Sequence[QuerySpec]) -> list[int]:
    results = run_all(lake, snapshot_id, [_counting(spec) for spec in specs])
    return [_rows(spec, result) for spec, result in zip(specs, results, strict=True)]


def _counting(spec: QuerySpec) -> Query:
    whole = msgspec.structs.replace(spec, limit=None, skip=0, sort={})
    return checked(whole if _grouped(spec) else msgspec.structs.replace(whole, aggregations={_key(spec): "count"}))


def _rows(spec: QuerySpec, counted: QueryResult) -> int:
    return counted.row_count if _grouped(spec) else int(counted.frame[f"{_key(spec)}_count"].sum())


def _grouped(spec: QuerySpec) -> bool:
    return bool(spec.group_by or spec.aggregations)


def _key(spec: QuerySpec) -> str:
    dataset = find(spec.collection)
    assert dataset is not None, spec.collection  # noqa: S101 - only names of the table of datasets come here
    return dataset.key[-1]
