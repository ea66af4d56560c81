"""A snapshot that builds on the one before: what has not changed is taken over as it is, file by file."""

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import timedelta
from itertools import chain
from pathlib import Path

import pyarrow as pa

from analytics.extract import changes, gate, lookup, moment, positions
from analytics.extract.base import Base
from analytics.extract.delta import Delta, deltas, expected, racks
from analytics.extract.moment import Totals
from analytics.extract.task import Task, files_of, rows_of
from analytics.extract.whole import checked, checked_positions
from analytics.lake.manifest import Manifest
from analytics.lake.publish import Check, Published
from analytics.lake.rewriting import Rewriting, rewriting
from stockverify.datasets import COLLECTED, POSITIONS, Dataset

_MOST_CHANGES = 500_000
"""So many changed documents are held in memory (about 300 MB); when there are more, everything is read, batch by
batch."""
_MOST_SHARE = 0.2
"""From a fifth on, reading what has changed one by one costs as much as reading everything."""
_FEW = 10_000


def incremental(task: Task, base: Base) -> Published:
    """Publish what `base` has with what has changed since. Raises WholeNeeded, or SnapshotRefused if the outcome does
    not agree with MongoDB.

    Which documents have changed is read after the moment was fixed and up to a mark that was set after it; they are
    then read as they were at the moment, so it does not matter which change they were named for.
    """
    found = deltas(task, base, _changed(task, base))
    done = {dataset.name: _publish(task, base, dataset, found[dataset.name]) for dataset in COLLECTED}
    gate.in_band({name: base.manifests[name].rows for name in done}, rows_of(done), task.terms)
    return _positions(task, base, done, racks(task.engine, base, found))


def _changed(task: Task, base: Base) -> changes.Ids:
    names = sorted({str(dataset.collection) for dataset in COLLECTED})
    rows = sum(base.manifests[dataset.name].rows for dataset in COLLECTED)
    most = min(_MOST_CHANGES, max(_FEW, int(rows * _MOST_SHARE)))
    return changes.changed(task.database, base.cluster_time, task.head.snapshot_id, names, most)


def _whole_check_due(task: Task, base: Base, dataset: Dataset) -> bool:
    """Whether it is time to compare with the whole collection again, instead of with what has changed. A last time
    that is still to come is that of a clock which was set back since."""
    since = task.head.created_at - base.origin(dataset.name).whole_at
    return not timedelta() <= since < task.terms.whole_every


def _publish(task: Task, base: Base, dataset: Dataset, delta: Delta) -> Published:
    plan = _rewriting(task, base, dataset, set(delta.old["filename"].unique().to_pylist()), len(delta.new))
    due = _whole_check_due(task, base, dataset)
    whole_at = None if due else base.origin(dataset.name).whole_at
    origin = task.origin(dataset, base.snapshot_id, "", whole_at)
    done = task.publish(dataset, _rows(task, plan, delta.keys, iter([delta.new])), origin, plan.kept)
    if due:
        checked(task, dataset, done)
        return done
    key = lookup.twice_among(task.engine, dataset, done.paths, delta.new.select(list(dataset.key)))
    gate.unrepeated(dataset, key)
    wanted = expected(_totals(base.manifests[dataset.name]), delta.gone, delta.totals)
    gate.reconciled(dataset.name, wanted, _totals(done.manifest))
    return done


def _positions(task: Task, base: Base, done: Mapping[str, Published], names: pa.Table) -> Published:
    files = files_of(done)
    some = positions.these_racks(task.engine, files, names)
    touched, gone = lookup.gone(task.engine, base.files[POSITIONS.name], moment.sums(POSITIONS), names)
    plan = _rewriting(task, base, POSITIONS, touched, gone.rows)
    due = _whole_check_due(task, base, POSITIONS)
    whole_at = None if due else base.origin(POSITIONS.name).whole_at
    origin = task.origin(POSITIONS, base.snapshot_id, "", whole_at)
    check = checked_positions(task, files) if due else _agreeing(task, files, base, gone, some)
    batches = positions.batches(task.engine, files, some)
    return task.complete(done, _rows(task, plan, names, batches), origin, check, plan.kept)


def _agreeing(task: Task, files: positions.Files, base: Base, gone: Totals, racks: Sequence[pa.Table]) -> Check:
    """The check that what changed in the positions is what changed in the records of these racks."""

    def check(manifest: Manifest, paths: tuple[Path, ...]) -> None:
        now = positions.counted(task.engine, files, racks)
        wanted = expected(_totals(base.manifests[POSITIONS.name]), gone, now)
        gate.reconciled(POSITIONS.name, wanted._replace(rows=manifest.rows), _totals(manifest))

    return check


def _rewriting(task: Task, base: Base, dataset: Dataset, touched: Set[str], incoming: int) -> Rewriting:
    parts = [part._replace(path=part.path.absolute()) for part in base.parts(dataset.name)]
    return rewriting(parts, {Path(name) for name in touched}, incoming, task.rows_per_part)


def _rows(task: Task, plan: Rewriting, keys: pa.Table, new: Iterator[pa.Table]) -> Iterator[pa.Table]:
    return chain(lookup.left(task.engine, [part.path for part in plan.again], keys), new)


def _totals(manifest: Manifest) -> Totals:
    return Totals(manifest.rows, manifest.sums)
