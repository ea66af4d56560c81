"""Reads everything that is published and says what is wrong with it; `stockverify doctor` shows the result."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from analytics.lake.store import Lake
from stockverify.datasets import HELD
from stockverify.errors import StockVerifyError


class Problem(Struct, frozen=True):
    """One dataset of one snapshot that is not as its manifest says."""

    snapshot_id: str
    dataset: str
    message: str


def verify(root: Path) -> list[Problem]:
    """The problems of all snapshots under `root`, newest first. Reads every file anew, whatever was checked before."""
    return verify_some(root, Lake(root).ids())


def verify_some(root: Path, snapshot_ids: Sequence[str]) -> list[Problem]:
    """The same for these snapshots. One that is removed meanwhile has no problem."""
    lake = Lake(root)
    pairs = [(snapshot_id, dataset) for snapshot_id in snapshot_ids for dataset in HELD]
    found = (_problem(lake, snapshot_id, dataset) for snapshot_id, dataset in pairs)
    return [problem for problem in found if problem and problem.snapshot_id in Lake(root).ids()]


def _problem(lake: Lake, snapshot_id: str, dataset: str) -> Problem | None:
    try:
        lake.files(dataset, snapshot_id)
    except StockVerifyError as error:
        return Problem(snapshot_id, dataset, error.message)
    return None
