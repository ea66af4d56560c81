"""What the service asks of its reports process and what comes back: plain shapes, so that neither side needs the
libraries of the other.

Errands travel as JSON, which carries whatever a client wrote, integers of any size included. Results travel as
MessagePack, which keeps instants apart from texts.
"""

import struct
from datetime import datetime
from io import BufferedIOBase
from typing import Any, ClassVar

from msgspec import Struct

from stockverify.errors import BadInput, Forbidden, NotFound, Refused, SetupError, StockVerifyError, TooLarge
from stockverify.wire.comparisons import Limits, RowKind
from stockverify.wire.imports import Checked, ImportOptions
from stockverify.wire.reports import QuerySpec, Snapshot

LENGTH = struct.Struct("!Q")
KINDS: dict[str, type[StockVerifyError]] = {
    kind.__name__: kind for kind in (BadInput, Forbidden, NotFound, Refused, TooLarge, SetupError)
}
"""The errors that cross, each as its kind and its sentence."""


class Report(Struct, frozen=True):
    """A query on a freeze. The rows of a report snapshot are kept in the lake under its `report_id`."""

    freeze_id: str
    spec: QuerySpec
    report_id: str | None = None


Place = Report | str
"""Where rows come from: a report, or all positions of the freeze with that id (or `latest`, `previous`)."""


class Errand(Struct, frozen=True, kw_only=True, tag=True):
    """One thing to do. All only read, or write into a folder of their own, or write what is the same when it is written
    again, so that any may be done twice."""

    takes_long: ClassVar[bool] = False
    in_background: ClassVar[bool] = False
    of_a_list: ClassVar[bool] = False


class Describe(Errand, frozen=True, kw_only=True):
    """Say what can be asked. Gives CollectionsReply."""


class Templates(Errand, frozen=True, kw_only=True):
    """Say which queries there are for a start. Gives list[ReportTemplate]."""


class Figures(Errand, frozen=True, kw_only=True):
    """Say which figures there are. Gives list[str]."""


class Check(Errand, frozen=True, kw_only=True):
    """Refuse a query that is wrong. Gives None."""

    spec: QuerySpec


class Preview(Errand, frozen=True, kw_only=True):
    """Run a query on a freeze; without one on live data, or on the latest freeze if only snapshots have it. Gives
    Previewed."""

    spec: QuerySpec
    freeze_id: str | None = None
    now: datetime


class Keep(Errand, frozen=True, kw_only=True):
    """Run a query on a freeze, keep its rows in the lake, and add up their numbers. Gives Totals."""

    takes_long: ClassVar[bool] = True
    report: Report
    now: datetime


class Forget(Errand, frozen=True, kw_only=True):
    """Remove the rows of a report snapshot from the lake. Gives None."""

    report_id: str


class List(Errand, frozen=True, kw_only=True):
    """List all freezes. Gives list[Snapshot]."""


class Find(Errand, frozen=True, kw_only=True):
    """Look a freeze up. Gives Snapshot."""

    snapshot_id: str


class Page(Errand, frozen=True, kw_only=True):
    """Read some rows. Gives Rows."""

    place: Place
    skip: int
    limit: int


class CompareBoth(Errand, frozen=True, kw_only=True):
    """Compare two snapshots, and publish the outcome in the lake. `dataset` counts for freezes only. Gives Compared."""

    takes_long: ClassVar[bool] = True
    first: Place
    second: Place
    dataset: str | None = None
    tolerances: dict[str, Limits] = {}
    ignore: list[str] | None = None


class ReadCompared(Errand, frozen=True, kw_only=True):
    """Read some rows of a published comparison. Gives ComparedPage."""

    comparison_id: str
    kind: RowKind
    skip: int
    limit: int


class Explain(Errand, frozen=True, kw_only=True):
    """Divide the change of a total among the values of a column; None leaves the choice here. Gives a dict with the
    fields of ComparisonContributions."""

    compared: CompareBoth
    total: str | None
    by: str | None
    limit: int


class WriteFile(Errand, frozen=True, kw_only=True):
    """Write a file of a kind into `folder`; `bom` counts for CSV. Gives Made."""

    takes_long: ClassVar[bool] = True
    kind: str
    name: str | None
    folder: str
    requested_by: str
    now: datetime
    bom: bool = True


class Export(WriteFile, frozen=True, kw_only=True):
    """The rows of a place. `dataset` counts for a freeze only, which holds several."""

    place: Place
    dataset: str | None


class ExportCompared(WriteFile, frozen=True, kw_only=True):
    """Every row that differs in a comparison that was published under that id, or is made (again) if need be."""

    compared: CompareBoth
    comparison_id: str


class FindAnomalies(Errand, frozen=True, kw_only=True):
    """Look for anomalies of some kinds, or of all, in a freeze. Gives AnomaliesReply."""

    takes_long: ClassVar[bool] = True
    snapshot_id: str
    kinds: list[str]
    against: str | None
    limit: int


class ExportJob(Export, frozen=True, kw_only=True):
    """The same, in the background: tells in `folder` how far it is, and stops when it is told so there."""

    in_background: ClassVar[bool] = True


class ExportComparedJob(ExportCompared, frozen=True, kw_only=True):
    """The same of a comparison."""

    in_background: ClassVar[bool] = True


class OfList(Errand, frozen=True, kw_only=True):
    """Something about an uploaded stock list."""

    of_a_list: ClassVar[bool] = True
    path: str
    options: ImportOptions


class CheckList(OfList, frozen=True, kw_only=True):
    """Read a list and say what importing it would do. Gives Checked."""


class WriteRejects(OfList, frozen=True, kw_only=True):
    """Write the bad rows of a list into `folder`. Gives Made."""

    name: str
    folder: str


class ApplyList(OfList, frozen=True, kw_only=True):
    """Write a list into the book, as the dry run `plan` says; tells in `folder` how far it is. Gives ListApplied."""

    sha256: str
    plan: str
    folder: str


AnyExportJob = ExportJob | ExportComparedJob


AnyErrand = (
    Describe
    | Templates
    | Figures
    | Check
    | Preview
    | Keep
    | Forget
    | List
    | Find
    | Page
    | CompareBoth
    | ReadCompared
    | Explain
    | ExportCompared
    | Export
    | ExportJob
    | ExportComparedJob
    | FindAnomalies
    | CheckList
    | WriteRejects
    | ApplyList
)


class Previewed(Struct, frozen=True):
    """A preview; `rows` and `pipeline` are JSON."""

    rows: bytes
    pipeline: bytes
    row_count: int
    snapshot_id: str | None
    as_of: float


class Totals(Struct, frozen=True):
    """What the rows of a report add up to."""

    as_of: datetime
    row_count: int
    totals: dict[str, int | float]


class Rows(Struct, frozen=True):
    """Some rows, as JSON; and the freeze, if they are its own: a report may have outlived the one it was made of."""

    rows: bytes
    as_of: float
    freeze: Snapshot | None


class Compared(Struct, frozen=True):
    """A published comparison: its id in the lake, and the `comparison_result` of the contract."""

    comparison_id: str
    result: dict[str, Any]


class ComparedPage(Struct, frozen=True):
    """Some rows of a comparison, as JSON, and how many of their kind there are. None if it is not there (any more)."""

    rows: bytes
    total: int | None


class Made(Struct, frozen=True):
    """A finished file."""

    path: str
    rows: int
    sha256: str


class ListApplied(Struct, frozen=True):
    """A list that is in the book; or, when the book has changed since the dry run, the new one, and nothing written."""

    writes: int
    overtaken: int
    checked: Checked | None


class Question(Struct, frozen=True):
    """An errand, with what log lines about it say besides: which request it is for. It is done within some floors, or
    within all when there are none."""

    errand: AnyErrand
    context: dict[str, str]
    floors: tuple[str, ...]


class Done(Struct, frozen=True, tag=True):
    """The errand is done."""

    result: bytes


class Declined(Struct, frozen=True, tag=True):
    """An error of the house says why not."""

    kind: str
    message: str


class DatabaseAway(Struct, frozen=True, tag=True):
    """MongoDB did not answer."""


class Broken(Struct, frozen=True, tag=True):
    """Something unexpected; the log of the reports process has it whole."""

    error: str


AnyAnswer = Done | Declined | DatabaseAway | Broken


def read_message(stream: BufferedIOBase) -> bytes | None:
    """The next message; None when the other side has gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None


def framed(body: bytes) -> bytes:
    """A message as it is written: its length, then itself."""
    return LENGTH.pack(len(body)) + body


def kind_of(error: StockVerifyError) -> str:
    """The name of the error's kind; what is none of these is a 500 with its own sentence, as SetupError is."""
    return next((name for name, kind in KINDS.items() if isinstance(error, kind)), SetupError.__name__)


def raised(declined: Declined) -> StockVerifyError:
    """The same error on the other side: its kind and its sentence, without its class."""
    return KINDS[declined.kind](reason=declined.message)
