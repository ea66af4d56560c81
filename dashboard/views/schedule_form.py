"""What the form of a schedule says, as the service wants it; and what is missing before it is asked."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

import msgspec

from analytics.figures import FIGURES, WORK
from dashboard.views.schedules import FIGURE_TITLES
from dashboard.views.timing import Every, Timing, cron_of
from stockverify.vocabulary import Condition, RunKind, Subject
from stockverify.wire.schedules import ChangeSchedule, ReportOf, SaveSchedule, Schedule, SentWhen

MIB = 2**20
FILES = {"csv": "CSV", "xlsx": "Excel", "json": "JSON", "pdf": "PDF"}
SHARES = frozenset(figure.name for figure in (*FIGURES, *WORK) if figure.unit == "share")
"""Figures that people say in percent."""
_NEED_REF = {Subject.TEMPLATE: "the report", Subject.QUERY: "the saved query", Subject.SNAPSHOT: "the snapshot"}
File = Literal["html", "csv", "xlsx", "json", "pdf"]
Operator = Literal["gt", "lt", "gte", "lte"]


class Filled(NamedTuple):
    """The fields of the form."""

    name: str
    kind: RunKind
    subject: Subject
    ref: str | None
    timing: Timing
    zone: str
    recipients: str
    files: Sequence[str]
    condition: SentWhen
    max_attachment_bytes: int
    note: str


def missing(filled: Filled, kept: ReportOf | None, draft: bool) -> str:
    """What the form lacks, as a sentence; empty when it may be sent. `kept` is the report that is changed."""
    if not filled.name.strip():
        return "Give it a name."
    if filled.timing.every is Every.WEEK and not filled.timing.days:
        return "Choose one day of the week or more."
    if filled.kind is not RunKind.REPORT:
        return ""
    if filled.subject in _NEED_REF and not filled.ref and not _own_query(filled, kept):
        return f"Choose {_NEED_REF[filled.subject]}."
    if filled.condition.kind is Condition.FIGURE and None in (filled.condition.figure, filled.condition.limit):
        return "Choose a figure and its limit."
    if not draft and not addresses(filled.recipients):
        return "Say to whom it goes, or save it as a draft."
    return ""


def addresses(text: str) -> list[str]:
    """Addresses of a text with one on each line, or with commas or semicolons between them."""
    parts = text.replace(",", "\n").replace(";", "\n").splitlines()
    return [part.strip() for part in parts if part.strip()]


def wanted(filled: Filled, kept: ReportOf | None, draft: bool) -> SaveSchedule:
    """What is sent to the service. Filters and columns that the form does not show stay as they are while the report is
    about the same."""
    made = SaveSchedule(
        name=filled.name.strip(),
        kind=filled.kind,
        cron=cron_of(filled.timing),
        zone=filled.zone,
        note=filled.note.strip(),
        draft=draft,
    )
    if filled.kind is not RunKind.REPORT:
        return made
    return msgspec.structs.replace(
        made,
        report=_report(filled, kept),
        formats=cast(list[File], ["html", *filled.files]),
        recipients=addresses(filled.recipients),
        condition=filled.condition,
        max_attachment_bytes=filled.max_attachment_bytes,
    )


def changed(schedule: Schedule, made: SaveSchedule) -> ChangeSchedule:
    """The same as a change of the schedule as it was read. One of the house keeps all but time, zone and note."""
    if schedule.builtin:
        made = msgspec.structs.replace(made, name=schedule.name, kind=schedule.kind)
    return ChangeSchedule(**msgspec.structs.asdict(made), revision=schedule.revision)


def limit_shown(figure: str, limit: float | None) -> float | None:
    """A limit as the form shows it: shares in percent."""
    return round(limit * 100, 9) if limit is not None and figure in SHARES else limit


def limit_meant(figure: str, shown: float | None) -> float | None:
    """The limit that was typed."""
    return round(shown / 100, 11) if shown is not None and figure in SHARES else shown


def sent_when(kind: Condition, figure: str | None, op: str | None, limit: float | None) -> SentWhen:
    """A condition; only that of a figure has the other three."""
    if kind is not Condition.FIGURE:
        return SentWhen(kind=kind)
    return SentWhen(kind=kind, figure=figure, op=cast(Operator | None, op), limit=limit_meant(figure or "", limit))


def figure_label(name: str) -> str:
    """A figure in the list, with its unit when that is percent."""
    return f"{FIGURE_TITLES.get(name, name)}{' (%)' if name in SHARES else ''}"


def _own_query(filled: Filled, kept: ReportOf | None) -> bool:
    return filled.subject is Subject.QUERY and kept is not None and kept.query is not None


def _report(filled: Filled, kept: ReportOf | None) -> ReportOf:
    ref = filled.ref if filled.subject in _NEED_REF else None
    if kept is not None and kept.subject is filled.subject and kept.ref == ref:
        return kept
    return ReportOf(subject=filled.subject, ref=ref)
