"""Puts a letter together: its files and pictures on the disk, and its words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from analytics.export import Order
from jobs.mail.letter import Enclosure, Letter, enclosure
from jobs.reports import attachments, links, wording
from jobs.reports.attachments import Packed, Way
from jobs.reports.condition import Verdict
from jobs.reports.content import Content
from jobs.reports.look import Listed, Picture, Words, html, plain
from jobs.reports.pictures import drawn
from jobs.reports.plan import Plan
from jobs.tools import Tools
from stockverify.letters import UNSUBSCRIBE
from stockverify.zones import zone_of

PNG = "image/png"


class Written(NamedTuple):
    """A letter, and where its files lie until it is kept."""

    letter: Letter
    files: Mapping[str, Path]


def written(tools: Tools, plan: Plan, content: Content, verdict: Verdict, folder: Path, now: datetime) -> Written:
    """The letter of a report. Raises what an export raises, and Abandoned."""
    order = Order(plan.owner, plan.zone, now, currency=tools.settings.currency)
    files = attachments.written(tools, plan, content, folder, order)
    archive = folder / f"{attachments.file_stem(plan.name)}.zip"
    packed = attachments.packed(files, _limit(tools, plan), archive)
    linked = [(each, links.given_out(tools, plan, content, each, now)) for each in packed.linked]
    pictures = {each.name: (each, drawn(each, folder)) for each in content.drawings()}
    shown = [Picture(path.name, each.title) for each, path in pictures.values()]
    listed = [Listed(each.path.name, address, wording.size(each.bytes)) for each, address in linked]
    listed += [Listed(each.path.name, "", wording.size(each.bytes)) for each in packed.attached]
    words = _words(tools, plan, content, verdict, packed, shown, listed, now)
    images = [enclosure(path, path.name, PNG) for _, path in pictures.values()]
    enclosed = [enclosure(each.path, each.path.name, each.media_type) for each in packed.attached]
    paths = [*(path for _, path in pictures.values()), *(each.path for each in packed.attached)]
    return Written(_letter(plan, content, words, images, enclosed), {path.name: path for path in paths})


def _limit(tools: Tools, plan: Plan) -> int:
    """What the schedule allows, and what the mail server takes."""
    return min(plan.max_attachment_bytes, tools.settings.mail_max_attachment_bytes)


def _letter(
    plan: Plan, content: Content, words: Words, images: Sequence[Enclosure], enclosed: Sequence[Enclosure]
) -> Letter:
    return Letter(
        subject=words.subject,
        text=plain(words),
        html=html(words),
        images=tuple(images),
        attachments=tuple(enclosed),
        snapshot_id=content.freeze.snapshot_id,
        as_of=content.freeze.as_of,
        late=plan.late,
    )


def _words(
    tools: Tools,
    plan: Plan,
    content: Content,
    verdict: Verdict,
    packed: Packed,
    pictures: Sequence[Picture],
    listed: Sequence[Listed],
    now: datetime,
) -> Words:
    zone = zone_of(plan.zone)
    as_of = wording.at(content.freeze.as_of, zone)
    since = f"Changes are since the delivery before, as of {wording.at(content.since, zone)}." if content.since else ""
    said = (wording.late(plan, now), verdict.reason, *content.notes)
    return Words(
        subject=wording.subject(plan, content, verdict),
        name=wording.name_of(plan),
        labels=wording.labels(plan).strip(),
        about=wording.about(plan, content),
        as_of=as_of if as_of.endswith(f" {zone.key}") else f"{as_of} ({zone.key})",
        said=tuple(wording.clean(each) for each in said if each),
        is_alarm=bool(verdict.alarm and verdict.over_limit),
        tiles=content.tiles,
        since=since,
        pictures=tuple(pictures),
        excerpt=content.excerpt,
        whole=_whole(packed, content),
        files=wording.files(packed, wording.at(links.until(tools, now), zone)),
        listed=tuple(listed),
        attention=content.attention,
        page=tools.settings.dashboard_link() + content.path,
        why=wording.why(plan),
        facts=_facts(plan, content),
        unsubscribe=UNSUBSCRIBE,
    )


def _whole(packed: Packed, content: Content) -> str:
    """Where the rest of the rows is."""
    where = {
        Way.NONE: "The page on the dashboard has all.",
        Way.ATTACHED: "All are in the attachment.",
        Way.ZIPPED: "All are in the attachment.",
        Way.LINKED: "All are in the linked files.",
    }
    return where[packed.way] if content.rows else ""


def _facts(plan: Plan, content: Content) -> tuple[tuple[str, str], ...]:
    return (
        ("Snapshot", content.freeze.snapshot_id),
        ("Report", wording.name_of(plan)),
        ("Owner", wording.clean(plan.owner)),
        ("Run", plan.run_id),
    )
