"""Where figures lie that were worked out when a snapshot was taken: in `lake/figures/`, and they go with it."""

from pathlib import Path

from analytics.lake.ids import checked_id

FOLDER = "figures"


def figures_of(root: Path, snapshot_id: str) -> Path:
    """The file with the figures of a snapshot, which need not be there."""
    return root / FOLDER / f"{checked_id(snapshot_id)}.figures"


def forget_figures(root: Path, snapshot_id: str) -> None:
    """Remove them."""
    figures_of(root, snapshot_id).unlink(missing_ok=True)
