"""Publishes small snapshots without MongoDB, also as a process that others kill."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa

from analytics.compare import Kind, compare
from analytics.engine import engine_of
from analytics.extract import positions as derived
from analytics.extract.task import files_of
from analytics.lake import Lake
from analytics.lake.manifest import Manifest, Part
from analytics.lake.parts import Kept
from analytics.lake.publish import Head, Published, publish
from analytics.lake.removing import remove
from analytics.lake.reports import ReportManifest, Reports
from analytics.schema import arrow_schema
from stockverify.datasets import BOOK, COLLECTED, ITEMS, POSITIONS, Dataset

AS_OF = datetime(2026, 1, 31, 18, 0, tzinfo=UTC)
ONE, TWO = "20260131T180000000Z-00000001", "20260131T190000000Z-00000002"
LINE = {"rack_id": "R1", "bin": "", "item_code": "00123", "book_qty": 3.0, "unit_cost": 2.0}


def rows(dataset: Dataset, *found: dict[str, Any]) -> pa.Table:
    """Rows with null for what is left out."""
    return pa.Table.from_pylist(list(found), schema=arrow_schema(dataset))


def freeze(root: Path, snapshot_id: str, *lines: dict[str, Any]) -> Published:
    """A whole snapshot of these book lines."""
    head = Head(snapshot_id=snapshot_id, name="", as_of=AS_OF, created_at=AS_OF)
    book = [line | {"line_id": str(number), "version": 1} for number, line in enumerate(lines or (LINE,))]
    found = {ITEMS.name: lines or (LINE,), BOOK.name: book}
    done = {
        dataset.name: publish(root, dataset, head, [rows(dataset, *found.get(dataset.name, ()))], {"test": True}, {})
        for dataset in COLLECTED
    }
    files, sources = files_of(done), {name: published.sha256 for name, published in done.items()}
    with engine_of(root) as engine:
        batches = derived.batches(engine, files, derived.all_racks(engine, files))
        return publish(root, POSITIONS, head, batches, {"test": True}, sources)


def positions(lake: Lake, snapshot_id: str) -> list[dict[str, Any]]:
    """The rows that a reader gets."""
    return pl.read_parquet(lake.files("positions", snapshot_id), glob=False).to_dicts()


def follow(root: Path, snapshot_id: str, before: Published) -> Published:
    """A snapshot that takes over the files of another one and adds a line."""
    head = Head(snapshot_id=snapshot_id, name="", as_of=AS_OF, created_at=AS_OF)
    done = {}
    for dataset in COLLECTED:
        folder = root / dataset.name / before.manifest.snapshot_id
        kept = tuple(Kept(folder / part.name, part) for part in _parts(folder))
        more = [rows(dataset, LINE | {"item_code": "new"})] if dataset is ITEMS else []
        done[dataset.name] = publish(root, dataset, head, more, {"test": True}, {}, kept=kept)
    sources = {name: published.sha256 for name, published in done.items()}
    kept = tuple(map(Kept, before.paths, before.manifest.files))
    more = [rows(POSITIONS, LINE | {"item_code": "new"})]
    return publish(root, POSITIONS, head, more, {"test": True}, sources, kept=kept)


def _parts(folder: Path) -> tuple[Part, ...]:
    return msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest).files


REPORT = ReportManifest(
    report_id="rs-" + "0" * 16,
    freeze_id=ONE,
    as_of=AS_OF,
    created_at=AS_OF,
    query={"collection": "items"},
    columns=tuple((column.name, column.type) for column in ITEMS.columns),
    rows=0,
    files=(),
)


def report(root: Path) -> ReportManifest:
    """A report snapshot of two rows."""
    batches = [rows(ITEMS, LINE | {"item_code": code}) for code in "ab"]
    return Reports(root).write(REPORT, arrow_schema(ITEMS), batches)


def two_and_half_an_answer(root: Path) -> None:
    """Two snapshots, and what differs between them, of which a file is cut."""
    freeze(root, ONE)
    freeze(root, TWO, LINE | {"book_qty": 4.0}, LINE | {"item_code": "new"})
    path = compare(Lake(root), ONE, TWO).folder / Kind.CHANGED.file
    os.truncate(path, path.stat().st_size // 2)


BEFORE: dict[str, Callable[[Path], Any]] = {"compare": two_and_half_an_answer}
"""What there is before a deed, if it is not one snapshot."""
DEEDS: dict[str, Callable[[Path], Any]] = {
    "report": report,
    "compare": lambda root: compare(Lake(root), ONE, TWO),
    "freeze": lambda root: freeze(root, TWO),
    "follow": lambda root: follow(root, TWO, published(root, ONE)),
    "remove": lambda root: remove(root, ONE),
}


def published(root: Path, snapshot_id: str) -> Published:
    """The positions of a published snapshot, as their writer had them."""
    folder = root / POSITIONS.name / snapshot_id
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    return Published(manifest, "", tuple(folder / part.name for part in manifest.files))


def _killed_at(step: int, root: Path, deed: str) -> int:
    """Fork a writer that is killed at its n-th operation on the lake; its exit status."""
    if (child := os.fork()) == 0:
        left = step

        def watch(event: str, details: tuple[Any, ...]) -> None:
            nonlocal left
            if event in ("open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "shutil.rmtree") and str(
                root
            ) in str(details[0]):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        DEEDS[deed](root)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def main() -> None:
    """For each step: a copy of a lake with what there is before, and a process that is killed there amid one of DEEDS.

    Prints the first step that a writer outlived; the lakes stay for the test to look at.
    """
    base, deed = Path(sys.argv[1]), sys.argv[2]
    in_child(lambda: BEFORE.get(deed, lambda root: freeze(root, ONE))(base / "before"))
    for step in count():
        root = base / str(step)
        shutil.copytree(base / "before", root)
        status = _killed_at(step, root, deed)
        if not os.WIFSIGNALED(status):
            print(step)
            sys.exit(os.waitstatus_to_exitcode(status))


def in_child(deed: Callable[[], Any]) -> None:
    """The parent must not start the threads of DuckDB, which would not survive the fork."""
    if (child := os.fork()) == 0:
        deed()
        os._exit(0)
    if status := os.waitpid(child, 0)[1]:
        sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
