"""Stock lists on their way into the book: uploaded, checked without writing anything, and then imported."""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from stockverify.wire.common import Name, Reply, Request

Heading = Annotated[str, Meta(max_length=10_000)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class ImportOptions(Request, frozen=True, kw_only=True):
    """POST /api/imports/{id}/check: what a person says about the list; null is found out. `columns` maps our names to
    headings of the list, and is the whole map: a column that it lacks is not taken."""

    columns: Annotated[dict[Name, Heading], Meta(max_length=100)] | None = None
    encoding: Annotated[str, Meta(max_length=40)] | None = None
    delimiter: Annotated[str, Meta(max_length=10)] | None = None
    decimal: Literal[".", ","] | None = None
    sheet: Name | None = None


class CommitImport(Request, frozen=True, kw_only=True):
    """POST /api/imports/{id}/commit: the file, and the plan of the dry run, that somebody has seen and agrees to."""

    sha256: Sha256
    plan: Sha256


class ListHeading(Reply, frozen=True, kw_only=True):
    """A column of the list, with the first values in it."""

    name: str
    samples: list[str]


class Recognised(Reply, frozen=True, kw_only=True):
    """How a list was read. `columns` maps our names to headings, as given or guessed."""

    kind: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    sheets: list[str]
    headings: list[ListHeading]
    columns: dict[str, str]
    rows: int


class BadRow(Reply, frozen=True, kw_only=True):
    """Why a row is left out: its line in the file, the column at fault, what stands there, and what to do about it."""

    line: int
    column: str
    value: str
    reason: str


class LineChange(Reply, frozen=True, kw_only=True):
    """A line that would be added or changed; `changes` has, by column, what is stored and what would be."""

    line: int
    rack_id: str
    bin: str
    item_code: str
    changes: dict[str, list[Any]] = field(default_factory=dict)


class DecimalMark(Reply, frozen=True, kw_only=True):
    """What separates the decimals in a column, and what that was decided by."""

    decimal: str
    because: str


class ImportOutcome(Reply, frozen=True, kw_only=True):
    """What importing the list would do: `rows_read` = added + changed + unchanged + rejected. `gone` are lines of the
    book that the list lacks; they stay. Lists hold the first of their kind. `plan` names all of it for the commit."""

    rows_read: int
    rejected: int
    added: int
    changed: int
    unchanged: int
    gone: int
    new_racks: int
    bad_rows: list[BadRow]
    added_first: list[LineChange]
    changed_first: list[LineChange]
    decimal_marks: dict[str, DecimalMark]
    plan: str


class Checked(Reply, frozen=True, kw_only=True):
    """What is known of a list: how it was read, and what importing it would do, or the problem that is in the way."""

    recognised: Recognised | None = None
    problem: str | None = None
    outcome: ImportOutcome | None = None


class ImportJob(Reply, frozen=True, kw_only=True):
    """An uploaded list, from the upload to the book. `overtaken` counts lines that another import changed meanwhile,
    and which were left alone."""

    import_id: str
    file: str
    bytes: int
    sha256: str
    status: str
    created_by: str
    created_at: float
    options: ImportOptions
    checked: Checked
    committed_by: str | None = None
    committed_at: float | None = None
    finished_at: float | None = None
    writes_done: int = 0
    writes_total: int | None = None
    overtaken: int = 0
    note: str | None = None


class ImportListed(Reply, frozen=True, kw_only=True):
    """An uploaded list in the list of all, with its numbers as far as they are known."""

    import_id: str
    file: str
    bytes: int
    status: str
    created_by: str
    created_at: float
    finished_at: float | None = None
    rows_read: int | None = None
    rejected: int | None = None
    added: int | None = None
    changed: int | None = None


class ImportDiscarded(Reply, frozen=True, kw_only=True):
    """What discarding an uploaded list answers."""

    import_id: str
    success: bool = True
