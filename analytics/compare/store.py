"""Comparisons in the lake, in `lake/comparisons/{comparison_id}/`: written beside their place and renamed into it.

A comparison can be made again from its snapshots at any time, so what is old or damaged is thrown away, not repaired.
"""

import shutil
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from analytics.compare import manifest as manifests
from analytics.compare.comparison import Comparison
from analytics.compare.diff import Difference, difference
from analytics.compare.kinds import Kind
from analytics.compare.manifest import FILE_NAME, VERSION, Asked, Manifest
from analytics.compare.narrower import narrowed
from analytics.compare.summary import Change
from analytics.lake import Freeze, Lake, Part, durable
from analytics.lake.publish import DRAFT_PREFIX
from analytics.watching import Watch
from stockverify.age import changed_before

FOLDER = "comparisons"
KEPT = timedelta(days=30)
"""What nobody has looked at for so long is removed when another one is made."""
_LEFTOVER = timedelta(days=1)


def find(lake: Lake, comparison_id: str) -> Comparison | None:
    """A comparison that was made and is still whole; None when it has to be made (again)."""
    folder = lake.root / FOLDER / comparison_id
    if not manifests.is_id(comparison_id) or (manifest := manifests.believed(folder, comparison_id)) is None:
        return None
    with suppress(OSError):  # a reader that may not write here reads all the same
        (folder / FILE_NAME).touch()
    return Comparison(folder, manifest)


class Sides(NamedTuple):
    """What was compared: two freezes, and the files that hold the rows of each. `same` rows of both are the same, in
    files that are not among these."""

    baseline: Freeze
    before: Sequence[Path]
    comparison: Freeze
    after: Sequence[Path]
    same: int = 0


def answer(
    lake: Lake, asked: Asked, given: Callable[[], tuple[Sides, dict[str, Change]]], watch: Watch | None = None
) -> Comparison:
    """The comparison where it was made before, or a new one of the sides and totals that are `given`. One with
    tolerances is made of the one without, which is kept as well. Raises as `difference` does."""
    if found := find(lake, asked.comparison_id):
        return found
    if not asked.tolerances:
        return make(lake, asked, *given(), watch=watch)
    exact = answer(lake, structs.replace(asked, tolerances={}), given, watch)
    sides = Sides(exact.baseline, (), exact.comparison, ())
    return _made(lake, asked, sides, exact.summary, lambda folder: narrowed(exact, asked.tolerances, folder, watch))


def make(
    lake: Lake,
    asked: Asked,
    sides: Sides,
    summary: dict[str, Change],
    now: datetime | None = None,
    watch: Watch | None = None,
) -> Comparison:
    """Compare the rows of both sides, which are what `asked` says, and publish the outcome. Raises as `difference`
    does."""

    def write(folder: Path) -> Difference:
        return difference(sides.before, sides.after, asked.key, folder, asked.ignored, asked.tolerances, watch)

    return _made(lake, asked, sides, summary, write, now)


def _made(
    lake: Lake,
    asked: Asked,
    sides: Sides,
    summary: dict[str, Change],
    write: Callable[[Path], Difference],
    now: datetime | None = None,
) -> Comparison:
    moment = now or datetime.now(UTC)
    with _draft(lake) as folder:
        told = _told(asked, sides, write(folder), summary, folder, moment)
        durable.write_file(folder / FILE_NAME, manifests.encoded(told))
        _publish(folder, lake.root / FOLDER / asked.comparison_id)
    sweep(lake, moment)
    return Comparison(lake.root / FOLDER / asked.comparison_id, told)


@contextmanager
def _draft(lake: Lake) -> Iterator[Path]:
    """A folder that no reader sees, for the time of the block."""
    durable.make_folder(lake.root / FOLDER)
    folder = lake.root / FOLDER / f"{DRAFT_PREFIX}{uuid.uuid4().hex}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(lake: Lake, now: datetime) -> list[Path]:
    """Remove comparisons that nobody has looked at for long, and what interrupted writers left behind."""
    removed = [path for path in sorted((lake.root / FOLDER).iterdir()) if _is_old(path, now)]
    for path in removed:
        shutil.rmtree(path, ignore_errors=True)
    return removed


def forget(root: Path, snapshot_ids: Collection[str]) -> None:
    """Remove what compares datasets of snapshots that are gone. Rows of reports outlive their snapshots."""
    for folder in (root / FOLDER).glob("cmp-*"):
        told = manifests.told(folder)
        if told and not told.asked.query and {told.asked.baseline, told.asked.comparison} & set(snapshot_ids):
            shutil.rmtree(folder, ignore_errors=True)


def _told(
    asked: Asked, sides: Sides, found: Difference, summary: dict[str, Change], folder: Path, now: datetime
) -> Manifest:
    rows = {
        Kind.ADDED: found.added,
        Kind.REMOVED: found.removed,
        Kind.CHANGED: found.changed,
        Kind.KEY_DUPLICATE: found.key_duplicates,
    }
    return Manifest(
        version=VERSION,
        comparison_id=asked.comparison_id,
        asked=asked,
        baseline=sides.baseline,
        comparison=sides.comparison,
        created_at=now,
        columns=tuple(value.name for value in found.plan.values),
        type_changed=found.plan.type_changed,
        unchanged=found.unchanged + sides.same,
        within=found.within,
        column_changes=found.column_changes,
        column_within=found.column_within,
        summary=summary,
        files={kind: _part(folder / kind.file, number) for kind, number in rows.items()},
    )


def _part(path: Path, rows: int) -> Part:
    durable.sync(path)
    return Part(path.name, rows, path.stat().st_size, durable.sha256(path))


def _publish(folder: Path, final: Path) -> None:
    """What is left beside the answer goes first. Somebody else may have published the same answer meanwhile: it is as
    good as ours, unless it is damaged, and then it makes way."""
    for path in folder.iterdir():
        if path.name not in {FILE_NAME, *(kind.file for kind in Kind)}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    durable.sync(folder)
    if manifests.believed(final, final.name) is None:
        with suppress(FileNotFoundError):
            final.rename(folder.with_name(f"{folder.name}-damaged"))
        with suppress(OSError):  # the name is taken again, or the disk says so at the next line
            folder.rename(final)
    durable.sync(final.parent)


def _is_old(path: Path, now: datetime) -> bool:
    age = _LEFTOVER if path.name.startswith(DRAFT_PREFIX) else KEPT
    return changed_before(path / FILE_NAME if (path / FILE_NAME).exists() else path, now - age)
