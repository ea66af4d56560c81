"""Takes incremental snapshots of a real MongoDB in processes that are killed on the way.

Arguments: URI, database, a folder with a lake in `base`, and n. For every n-th step: a copy of that lake, and a process
that is killed at this operation on it. Prints how many steps were tried; the lakes stay for the test to look at.
"""

import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

from analytics.extract import materialise
from analytics.lake import Lake
from stockverify.clients import open_mongo
from tests.analytics.extract.changing import at_utc
from tests.analytics.stock import NOW

_ON_DISK = ("open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "shutil.rmtree")


def _killed_at(step: int, root: Path, uri: str, name: str) -> int:
    """Fork a writer that is killed at its operation number `step`; its exit status. Clients begin after the fork."""
    if (child := os.fork()) == 0:
        left = step

        def watch(event: str, details: tuple[Any, ...]) -> None:
            nonlocal left
            if event in _ON_DISK and str(root) in str(details[0]):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        with open_mongo(uri, "tests") as client:
            materialise(Lake(root), at_utc(client, name), NOW)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def main() -> None:
    """Try every step until a writer outlives its own."""
    uri, name, folder, stride = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
    for tried in count(1):
        root = folder / str(tried)
        shutil.copytree(folder / "base", root)
        if not os.WIFSIGNALED(_killed_at(tried * stride, root, uri, name)):
            break
    print(tried)


if __name__ == "__main__":
    main()
