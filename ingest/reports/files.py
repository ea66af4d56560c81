"""A snapshot as a file, written beside others of its kind and given out once."""

import re
import shutil
import uuid
from pathlib import Path
from typing import NamedTuple

from litestar.background_tasks import BackgroundTask
from litestar.response import File

from analytics.export import Exported, Format, Order, export, of_result, of_snapshot
from analytics.lake import Lake
from analytics.query import checked, run
from ingest.reports.rules import Source
from stockverify.datasets import POSITIONS

MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSON: "application/json",
    Format.PARQUET: "application/vnd.apache.parquet",
}


class Wanted(NamedTuple):
    """Which file of a snapshot somebody asked for. `dataset` counts for a freeze only, which holds several."""

    kind: Format
    dataset: str | None
    folder: Path
    order: Order


def write(lake: Lake, source: Source, name: str, wanted: Wanted) -> Exported:
    """Write the file into a folder of its own. Raises what the lake and the query raise."""
    if source.document is None:
        table = of_snapshot(lake, source.freeze_id, wanted.dataset or POSITIONS.name)
    else:
        table = of_result(run(lake, source.freeze_id, checked(source.spec)))
    folder = wanted.folder / uuid.uuid4().hex
    folder.mkdir(parents=True)
    try:
        return export(table, wanted.kind, folder / f"{file_stem(name)}.{wanted.kind}", wanted.order)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def file_stem(name: str) -> str:
    """A name that every system takes as a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:80] or "snapshot"


def download(made: Exported) -> File:
    """The file as a reply; it is removed once it was sent."""
    kind = Format(made.path.suffix[1:])
    headers = {"X-Rows": str(made.rows), "X-Content-SHA256": made.sha256}
    task = BackgroundTask(discard, made.path)
    return File(made.path, filename=made.path.name, media_type=MEDIA_TYPES[kind], headers=headers, background=task)


def discard(path: Path) -> None:
    """Remove a file that was given out, with its folder."""
    shutil.rmtree(path.parent, ignore_errors=True)
