"""Which files of two snapshots have to be compared: one that both have holds the same rows, all of them unchanged.

A snapshot takes over the files in which nothing has changed, so that this is most of them. The gate lets each key into
a snapshot once: a row of a file that both have is in no other file of either (docs/decisions/0055).
"""

from pathlib import Path
from typing import NamedTuple

from analytics.lake import Lake, Part


class Unlike(NamedTuple):
    """The files of each side that the other one has not, and how many rows lie in those that both have."""

    before: list[Path]
    after: list[Path]
    same: int


def unlike(lake: Lake, dataset: str, baseline: str, comparison: str) -> Unlike:
    """The files of a dataset of two snapshots. Neither side is without any, because they also tell the types of the
    columns: then a file that both have is among them. Raises what the lake raises for an unknown or damaged snapshot.
    """
    first, second = (_parts(lake, dataset, snapshot_id) for snapshot_id in (baseline, comparison))
    both = first.keys() & second.keys()
    if both and (first.keys() == both or second.keys() == both):
        both = both - {min(both, key=lambda name: first[name][1].rows)}
    before, after = ([path for name, (path, _) in side.items() if name not in both] for side in (first, second))
    return Unlike(before, after, sum(first[name][1].rows for name in both))


def _parts(lake: Lake, dataset: str, snapshot_id: str) -> dict[str, tuple[Path, Part]]:
    """The files of a side by their checksums."""
    parts = lake.manifest(dataset, snapshot_id).files
    return {part.sha256: (path, part) for path, part in zip(lake.files(dataset, snapshot_id), parts, strict=True)}
