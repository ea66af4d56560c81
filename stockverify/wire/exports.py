"""Export jobs: what is asked for, how far it is, and the link to the file."""

from msgspec import field

from stockverify.wire.common import Id, Name, Reply, Request
from stockverify.wire.reports import QuerySpec


class ExportOptions(Request, frozen=True, kw_only=True):
    """How the file is written. `bom` marks a CSV file as UTF-8, which Excel needs."""

    bom: bool = True


class CreateExport(Request, frozen=True, kw_only=True):
    """POST /api/reports/exports: rows of a snapshot, or of a query on it, or all that differs in a comparison, as a
    file. Name either a snapshot or the job of a comparison. `dataset` counts for a snapshot of type `stock` without a
    query: positions if left out."""

    format: Name
    snapshot_id: Id | None = None
    comparison_job_id: Id | None = None
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
