"""Commands tell what went wrong in one line: also what the operating system refuses."""

import errno
import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pymongo.errors import AutoReconnect

from stockverify.cli import main
from stockverify.errors import BadInput
from stockverify.told import TellingGroup


def refused(number: int) -> OSError:
    return OSError(number, os.strerror(number), "/srv/x")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (BadInput(reason="No such line."), "No such line."),
        (AutoReconnect("gone"), "MongoDB does not answer at the moment. Try again in 5 seconds."),
        (
            refused(errno.EACCES),
            "/srv/x cannot be used: Permission denied. "
            "Run this as the user who runs StockVerify, or name another place.",
        ),
        (refused(errno.EROFS), "/srv/x cannot be used: Read-only file system. Name another place."),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "The disk cannot be used: No space left on device. Make room there.",
        ),
    ],
)
def test_a_line_and_code_2(error: Exception, line: str) -> None:
    @click.group(cls=TellingGroup)
    def group() -> None:
        """Nothing."""

    @group.command("fail")
    def fail() -> None:
        raise error

    outcome = CliRunner().invoke(group, ["fail"])
    assert (outcome.exit_code, outcome.stderr) == (2, f"stockverify: {line}\n")


def test_what_is_no_matter_of_places_is_not_hidden() -> None:
    @click.group(cls=TellingGroup)
    def group() -> None:
        """Nothing."""

    @group.command("fail")
    def fail() -> None:
        raise OSError(errno.ECHILD, "a fault of ours")

    assert isinstance(CliRunner().invoke(group, ["fail"]).exception, OSError)


def test_the_command_line_itself_does_the_same(tmp_path: Path) -> None:
    stock, file = tmp_path / "stock.csv", tmp_path / "file"
    stock.write_text("rack_id,item_code,book_qty\nR1,A,many\n")
    file.touch()
    outcome = CliRunner().invoke(main, ["import", str(stock), "--dry-run", "--rejects", f"{file}/rejects.csv"])
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(f"stockverify: {file}/")
    assert outcome.stderr.endswith("cannot be used: Not a directory. Name another place.\n")
