"""The files of a report: attached, zipped when they are large, and behind links when that does not help."""

import re
import zipfile
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from analytics.export import Exported, Format, Order, export
from analytics.export.write import BARE, format_of
from analytics.extract import Abandoned
from analytics.zones import zone_of
from jobs.reports.content import Content
from jobs.reports.plan import Plan
from jobs.tools import Tools
from stockverify.media_types import MEDIA_TYPES

BODY = "html"
"""The format that every mail has."""
ZIP = "application/zip"


class Way(Enum):
    """How files reach the reader."""

    NONE = "none"
    ATTACHED = "attached"
    ZIPPED = "zipped"
    LINKED = "linked"


class File(NamedTuple):
    """A file on its way into a mail."""

    path: Path
    media_type: str

    @property
    def bytes(self) -> int:
        """Its size."""
        return self.path.stat().st_size


class Packed(NamedTuple):
    """What is attached, and what lies behind links; `whole` and `limit` are bytes, and say why."""

    way: Way
    attached: tuple[File, ...]
    linked: tuple[Exported, ...]
    whole: int
    limit: int


def written(tools: Tools, plan: Plan, content: Content, folder: Path, order: Order) -> list[Exported]:
    """One file for each format. Raises what an export raises, and Abandoned when the run is to be given up."""

    def watch(_done: int, _total: int | None) -> None:
        if tools.stopping():
            raise Abandoned()

    if content.table is None:
        return []
    stem = f"{file_stem(plan.name)}-{content.freeze.as_of.astimezone(zone_of(plan.zone)):%Y-%m-%d-%H%M}"
    kinds = [format_of(name) for name in dict.fromkeys(plan.formats) if name != BODY]
    return [export(content.table(), kind, folder / f"{stem}.{kind}", order, watch) for kind in kinds]


def packed(files: Sequence[Exported], limit: int, archive: Path) -> Packed:
    """The first way that fits: as they are, with the manifests of those that have none within, then all of them in one
    zip, made at `archive`, then links."""
    attached = tuple(File(path, _media_type(path)) for each in files for path in _parts(each))
    whole = sum(each.bytes for each in attached)
    if whole <= limit:
        return Packed(Way.ATTACHED if files else Way.NONE, attached, (), whole, limit)
    _zip(files, archive)
    if archive.stat().st_size <= limit:
        return Packed(Way.ZIPPED, (File(archive, ZIP),), (), whole, limit)
    return Packed(Way.LINKED, (), tuple(files), whole, limit)


def file_stem(name: str) -> str:
    """A name that every system takes as a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:60] or "report"


def _parts(file: Exported) -> tuple[Path, ...]:
    return (file.path, file.manifest_path) if Format(file.path.suffix[1:]) in BARE else (file.path,)


def _media_type(path: Path) -> str:
    return MEDIA_TYPES[Format(path.suffix[1:])]


def _zip(files: Sequence[Exported], archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as opened:
        for each in files:
            for path in (each.path, each.manifest_path):
                opened.write(path, path.name)
