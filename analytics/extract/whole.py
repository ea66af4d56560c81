"""A snapshot that reads everything: the first one, and whenever the next cannot build on the one before."""

from collections.abc import Mapping
from pathlib import Path

from analytics.extract import gate, lookup, moment, positions
from analytics.extract.task import Task, files_of, rows_of
from analytics.lake.manifest import Manifest
from analytics.lake.publish import Check, Published
from stockverify.datasets import COLLECTED, POSITIONS, Dataset


def whole(task: Task, because: str, before: Mapping[str, int]) -> Published:
    """Publish everything. `before` are the rows of the snapshot before. Raises SnapshotRefused, and nothing is visible.

    Positions come last and name the others by checksum: without them a snapshot does not exist for readers, so one
    that is interrupted anywhere stays invisible and is swept away later. Memory holds one batch at a time.
    """
    done = {dataset.name: _read(task, dataset, because) for dataset in COLLECTED}
    gate.in_band(before, rows_of(done), task.terms)
    files = files_of(done)
    racks = positions.all_racks(task.engine, files)
    origin = task.origin(POSITIONS, None, because)
    batches = positions.batches(task.engine, files, racks)
    return task.complete(done, batches, origin, checked_positions(task, files))


def checked_positions(task: Task, files: positions.Files) -> Check:
    """The check that all positions agree with all records, and name each line once."""

    def check(manifest: Manifest, paths: tuple[Path, ...]) -> None:
        key, found = lookup.twice_and_totals(task.engine, POSITIONS, paths, manifest.rows)
        gate.unrepeated(POSITIONS, key)
        counted = positions.counted(task.engine, files, positions.all_racks(task.engine, files))
        gate.reconciled(POSITIONS.name, counted._replace(rows=manifest.rows), found)

    return check


def _read(task: Task, dataset: Dataset, because: str) -> Published:
    batches = moment.batches(task.database, dataset, task.at)
    done = task.publish(dataset, batches, task.origin(dataset, None, because))
    checked(task, dataset, done)
    return done


def checked(task: Task, dataset: Dataset, done: Published) -> None:
    """Compare a published dataset, file by file, with the whole collection at the same moment."""
    key, found = lookup.twice_and_totals(task.engine, dataset, done.paths, done.manifest.rows)
    gate.unrepeated(dataset, key)
    gate.reconciled(dataset.name, moment.totals(task.database, dataset, task.at), found)
