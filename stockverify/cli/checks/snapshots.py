"""The lake: whether all snapshots are as their manifests say."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from stockverify.cli.checks.finding import Finding
from stockverify.environment import to_env
from stockverify.settings import Settings

_ADVICE = (
    "Bring what is missing or damaged back from a copy of the data directory; without one, remove that snapshot's "
    "folders. One of another version needs no repair: leave it."
)


def snapshots(settings: Settings) -> Iterator[Finding]:
    """All findings about the snapshots."""
    command = [sys.executable, "-m", "analytics", "verify", "--json"]
    outcome = subprocess.run(command, env=os.environ | to_env(settings), capture_output=True, text=True, check=False)
    if outcome.returncode not in (0, 1) or not outcome.stdout:
        yield Finding("lake", False, "The lake cannot be read.", outcome.stderr.strip()[-300:])
        return
    problems = json.loads(outcome.stdout)
    for problem in problems["problems"]:
        yield Finding("lake", False, problem["message"], _ADVICE)
    if not problems["problems"]:
        yield Finding("lake", True, f"{problems['checked']} snapshots: manifests and checksums agree")
