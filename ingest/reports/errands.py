"""What the service asks of its reports process: plain shapes, so that neither side needs the libraries of the other.
What comes back is in `answers`.

Errands travel as JSON, which carries whatever a client wrote, integers of any size included.
"""

import struct
from datetime import datetime
from io import BufferedIOBase
from typing import ClassVar

from msgspec import Struct

from stockverify.wire.comparisons import Limits, RowKind
from stockverify.wire.imports import ImportOptions
from stockverify.wire.reports import QuerySpec

LENGTH = struct.Struct("!Q")


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


class Question(Struct, frozen=True):
    """An errand, with what log lines about it say besides: which request it is for. It is done within some floors, or
    within all when there are none."""

    errand: AnyErrand
    context: dict[str, str]
    floors: tuple[str, ...]


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
