"""Pure: the sentences of a mail. Names come from people and devices: they stay on one line, and within it."""

import re
import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

from jobs.reports.attachments import Packed, Way
from jobs.reports.condition import Verdict
from jobs.reports.content import Content
from jobs.reports.plan import Plan
from stockverify.vocabulary import Condition, RunPurpose, Subject
from stockverify.zones import zone_of

_LONGEST_NAME = 120
_SUBJECTS = {
    Subject.QUERY: "The rows of a query",
    Subject.TEMPLATE: "A standard report",
    Subject.SNAPSHOT: "All lines of the stock, book beside verified",
    Subject.COMPARISON: "What has changed since the delivery before",
    Subject.SUMMARY: "The stock count at a glance",
}
_CONDITIONS = {
    Condition.ALWAYS: "each time it is due",
    Condition.ROWS: "only when it has rows",
    Condition.CHANGED: "only when something has changed",
}


def clean(text: str) -> str:
    """The text on one line, without what no reader sees: control characters, and those that turn the direction of what
    follows. Links that a mail program would make of it stay the reader's business."""
    kept = "".join(" " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in text)
    return " ".join(re.sub("[\u202a-\u202e\u2066-\u2069\ufeff]", "", kept).split())


def name_of(plan: Plan) -> str:
    """The name of the report, cut when it is very long."""
    name = clean(plan.name)
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def subject(plan: Plan, content: Content, verdict: Verdict) -> str:
    """What the mail is, of which moment, and whether it is late or a test."""
    alarm = f": {verdict.alarm}" if verdict.alarm else ""
    return f"[StockVerify] {name_of(plan)}{alarm}, as of {at(content.freeze.as_of, zone_of(plan.zone))}{labels(plan)}"


def labels(plan: Plan) -> str:
    """What is unusual about it."""
    test = {RunPurpose.TEST: " (test)", RunPurpose.PREVIEW: " (preview)"}.get(plan.purpose, "")
    return f"{test}{' (late)' if plan.late else ''}"


def at(instant: datetime, zone: ZoneInfo) -> str:
    """An instant to the minute in a zone, which is named."""
    local = instant.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M %Z}"


def size(number: int) -> str:
    """Bytes in words."""
    return f"{number / 2**20:,.1f} MB" if number >= 2**20 else f"{max(number / 2**10, 0.1):,.1f} KB"


def files(packed: Packed, until: str) -> str:
    """Which of the three ways the files took, and why."""
    many, limit = len(packed.linked or packed.attached), size(packed.limit)
    whole = f"{size(packed.whole)} in all"
    match packed.way:
        case Way.NONE:
            return ""
        case Way.ATTACHED:
            return f"{'The file is' if many == 1 else f'{many} files are'} attached ({whole})."
        case Way.ZIPPED:
            return f"The files are zipped: {whole} is more than the {limit} that mails of this report may hold."
    what = "The file is" if many == 1 else "The files are"
    return (
        f"{what} not attached but linked: even zipped, {whole} is more than the {limit} that mails of this report may "
        f"hold. Whoever has a link has the file, until {until}."
    )


def late(plan: Plan, now: datetime) -> str:
    """Why it comes so late."""
    if not plan.late or plan.due_at is None:
        return ""
    zone = zone_of(plan.zone)
    return f"This report is late: it was due {at(plan.due_at, zone)}, and was made {at(now, zone)}."


def why(plan: Plan) -> str:
    """Why somebody gets this mail."""
    match plan.purpose:
        case RunPurpose.TEST:
            return "You get this test because you asked for it; nobody else got it."
        case RunPurpose.PREVIEW:
            return "This is a preview; it was sent to nobody."
    owner = clean(plan.owner)
    return f"You get this because {owner} has put you on the list of this report. It is sent {_when(plan)}."


def about(plan: Plan, content: Content) -> str:
    """What the report is about, in a line."""
    return clean(content.what) or _SUBJECTS[plan.report.subject]


def _when(plan: Plan) -> str:
    when = plan.condition
    if when.kind is Condition.FIGURE:
        return f"when {when.declared().title.lower()} goes {when.words()}, and once when it is back"
    return _CONDITIONS[when.kind]
