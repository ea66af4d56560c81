"""The demo starts from nothing each time, and never in a folder that holds anything else."""

import shutil
from pathlib import Path

from stockverify.errors import SetupError
from stockverify.services.running import LOCK_FILE

MARK = "this-is-a-demo"
SAMPLE, EXAMPLE = "sample_stock.csv", "stock_update_with_mistakes.csv"


class NotADemoFolder(SetupError):
    """{folder} holds data that is not from a demo; the demo would delete it. Choose another folder with --data-dir."""


class SampleMissing(SetupError):
    """The sample stock list is not installed. Name a stock list of your own with --input FILE."""


def start_afresh(folder: Path) -> None:
    """Empty a folder of an earlier demo, or mark an empty one. Raises NotADemoFolder."""
    content = [path for path in folder.iterdir() if path.name != LOCK_FILE]
    if content and not (folder / MARK).exists():
        raise NotADemoFolder(folder=folder)
    for path in content:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MARK:
            path.unlink()
    (folder / MARK).touch()


def sample() -> Path:
    """The stock list that ships."""
    return _shipped(SAMPLE)


def example() -> Path:
    """A later list for some of its racks, with bad rows, to try the import."""
    return _shipped(EXAMPLE)


def _shipped(name: str) -> Path:
    """In data/ of a checkout, beside this module in an installed package."""
    here = Path(__file__).parent
    for path in (here.parent.parent / "data" / name, here / name):
        if path.is_file():
            return path
    raise SampleMissing()
