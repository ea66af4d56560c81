"""`verify`"""

import sys

import click

from analytics.commands.shared import as_json_option, settings, show, working
from analytics.lake import Lake, verify


@click.command("verify")
@as_json_option
def command(as_json: bool) -> None:
    """Read every published file and check it against its manifest. Exit code 1 when something is damaged.

    \b
    Example:
      python -m analytics verify
    """
    root = settings().lake
    checked = len(Lake(root).ids())
    with working("Reading all snapshots …"):
        problems = verify(root)
    lines = [problem.message for problem in problems] or [f"{checked} snapshots: manifests and checksums agree."]
    show({"checked": checked, "problems": problems}, as_json, "\n".join(lines))
    sys.exit(1 if problems else 0)
