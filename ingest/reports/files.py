"""Files of snapshots: where the reports process may write one, and how it is given out, once."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from litestar.background_tasks import BackgroundTask
from litestar.response import File

from ingest.reports.errands import Made
from stockverify.media_types import MEDIA_TYPES


@contextmanager
def folder_for_one(exports: Path) -> Iterator[Path]:
    """A new name for a folder. If the block fails, whatever was begun there is removed, whoever died of it."""
    folder = exports / uuid.uuid4().hex
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def download(made: Made) -> File:
    """The file as a reply; it is removed once it was sent."""
    path = Path(made.path)
    headers = {"X-Rows": str(made.rows), "X-Content-SHA256": made.sha256}
    task, kind = BackgroundTask(discard, path), MEDIA_TYPES[path.suffix[1:]]
    return File(path, filename=path.name, media_type=kind, headers=headers, background=task)


def discard(path: Path) -> None:
    """Remove a file that was given out, with its folder."""
    shutil.rmtree(path.parent, ignore_errors=True)
