"""Report snapshots: the rows of a query on a freeze, computed once and kept in the lake."""

from datetime import datetime
from typing import Any

import pyarrow as pa

from analytics.engine import engine, frame, one, texts
from analytics.lake.reports import ReportManifest, ReportNotStored, Reports
from analytics.lake.store import Lake
from analytics.millionths import summed_sql
from analytics.query import Query, QueryResult, stream
from analytics.schema import ARROW

KEEP_SECONDS = 600
"""What the query itself may take, however long its rows take to write."""


def keep(
    lake: Lake, report_id: str, freeze_id: str, query: Query, asked: dict[str, Any], now: datetime
) -> ReportManifest:
    """Run a query on a freeze and write its rows; memory holds one batch, whatever their number. `asked` is the query
    as the manifest shows it. What is there already is left as it is. Raises what the lake raises for the freeze, and
    QueryTooLong or QueryTooBig."""
    reports, source = Reports(lake.root), lake.manifest(query.dataset.name, freeze_id)
    manifest = ReportManifest(
        report_id=report_id,
        freeze_id=freeze_id,
        as_of=source.as_of,
        created_at=now,
        query=asked,
        columns=tuple(query.results()),
        rows=0,
        files=(),
    )
    schema = pa.schema([(name, ARROW[kind]) for name, kind in query.results()])
    rows = stream.batches(lake, freeze_id, query, KEEP_SECONDS)
    return reports.write(manifest, schema, (batch.to_arrow() for batch in rows))


def kept(
    lake: Lake, report_id: str, freeze_id: str, query: Query, asked: dict[str, Any], now: datetime
) -> ReportManifest:
    """A report snapshot; one from before they had rows of their own is computed from its freeze and written, once.
    Raises ReportDamaged, or what the lake raises when that freeze is gone."""
    try:
        return Reports(lake.root).manifest(report_id)
    except ReportNotStored:
        return keep(lake, report_id, freeze_id, query, asked, now)


def rows(lake: Lake, manifest: ReportManifest, query: Query, skip: int = 0, limit: int | None = None) -> QueryResult:
    """Rows of a report snapshot in their order, all or some of them."""
    files = Reports(lake.root).files(manifest.report_id)
    sql = "SELECT * FROM read_parquet($files, hive_partitioning = false) LIMIT $limit OFFSET $skip"
    most = manifest.rows if limit is None else limit
    with engine(files) as connection:
        found = frame(connection, sql, {"files": texts(files), "limit": most, "skip": skip})
    return QueryResult(query=query, frame=found, snapshot_id=manifest.freeze_id, as_of=manifest.as_of)


def totals(lake: Lake, manifest: ReportManifest, query: Query) -> dict[str, int | float]:
    """How many rows there are, and the sums of what adds up in them, to a millionth."""
    kept = dict(manifest.columns)
    numbers = [name for name in query.adding if name in kept]
    files = Reports(lake.root).files(manifest.report_id)
    added = ", ".join(["count(*)", *(f"coalesce({summed_sql(_quoted(name))}, 0.0::DOUBLE)" for name in numbers)])
    sql = f"SELECT {added} FROM read_parquet($files, hive_partitioning = false)"  # noqa: S608
    with engine(files) as connection:
        count, *sums = one(connection, sql, {"files": texts(files)})
    return {"rows": count, **{f"{name}_sum": value for name, value in zip(numbers, sums, strict=True)}}


def _quoted(name: str) -> str:
    """A column of a manifest as an identifier: names of measures come from clients, by way of the checked query."""
    return '"' + name.replace('"', '""') + '"'
