"""Export jobs: what is asked for, how far it is, and the link to the file."""

from typing import Any

from msgspec import field

from stockverify.wire.common import Id, Name, Reply, Request
from stockverify.wire.comparisons import Compare
from stockverify.wire.reports import QuerySpec


class ExportOptions(Request, frozen=True, kw_only=True):
    """How the file is written. `bom` marks a CSV file as UTF-8, which Excel needs."""

    bom: bool = True


class CreateExport(Request, frozen=True, kw_only=True):
    """POST /api/reports/exports: rows of a snapshot, or of a query on it, or all that differs in a comparison, as a
    file. Name a snapshot, or the job of a comparison, or say what to compare; just one of these. `dataset` counts for a
    snapshot of type `stock` without a query: positions if left out."""

    format: Name
    snapshot_id: Id | None = None
    comparison_job_id: Id | None = None
    compare: Compare | None = None
    dataset: Name | None = None
    query_spec: QuerySpec | None = None
    options: ExportOptions = field(default_factory=ExportOptions)


class ExportJob(Reply, frozen=True, kw_only=True):
    """A file that is wanted, being made, or there. `download_url` works without a token until `expires_at`. The
    `snapshot_id` of a comparison is that of its later side."""

    job_id: str
    status: str
    format: str
    snapshot_id: str
    dataset: str | None
    created_by: str
    created_at: float
    started_at: float | None
    finished_at: float | None
    rows_done: int
    rows_total: int | None
    file: str | None
    bytes: int | None
    sha256: str | None
    error: str | None
    download_url: str | None
    expires_at: float | None
    comparison_job_id: str | None = None


class ExportManifest(Reply, frozen=True, kw_only=True):
    """What a file holds and where its numbers come from, as it stands in the manifest beside the file. Times are texts
    in `zone`; `columns` gives each its type."""

    file: str
    format: str
    rows: int
    bytes: int
    sha256: str
    dataset: str
    snapshot_id: str | None
    as_of: str
    query: dict[str, Any]
    requested_by: str
    requested_at: str
    zone: str
    columns: dict[str, str]
    note: str | None = None
    currency: str | None = None
    snapshot_name: str | None = None
    report_id: str | None = None
    compared_with: str | None = None
    compared_with_as_of: str | None = None
    summary: dict[str, Any] | None = None
