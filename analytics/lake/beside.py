"""What was worked out of a snapshot when it was taken, and is kept beside it: in `lake/figures/`, and it goes with it.

Each file begins with its own checksum: what is not as it was written is no file at all, and readers compute.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from analytics.lake import durable
from analytics.lake.ids import checked_id

FOLDER = "figures"
_DIGEST = 32


def figures_of(root: Path, snapshot_id: str) -> Path:
    """The file with the figures of a snapshot, which need not be there."""
    return root / FOLDER / f"{checked_id(snapshot_id)}.figures"


def findings_of(root: Path, snapshot_id: str) -> Path:
    """The file with what somebody should look at in a snapshot, which need not be there."""
    return root / FOLDER / f"{checked_id(snapshot_id)}.findings"


def forget(root: Path, snapshot_id: str) -> None:
    """Remove them."""
    for path in (figures_of(root, snapshot_id), findings_of(root, snapshot_id)):
        path.unlink(missing_ok=True)


def read(path: Path) -> bytes | None:
    """What was written there, if it is whole."""
    with suppress(OSError):
        data = path.read_bytes()
        if hashlib.sha256(data[_DIGEST:]).digest() == data[:_DIGEST]:
            return data[_DIGEST:]
    return None


def write(path: Path, data: bytes) -> None:
    """Keep it, in place of what was kept before. Raises OSError."""
    with durable.replacing(path) as draft:
        durable.write_file(draft, hashlib.sha256(data).digest() + data)
