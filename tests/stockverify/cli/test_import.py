import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from stockverify.clients import Document, database
from stockverify.environment import to_env
from stockverify.settings import Settings
from stockverify.vocabulary import Collection

LIST = "Rack;SKU;On hand;Cost\nR1;00123;1.234;1,50\nR1;B;2,5;\n"
BAD = LIST + "R1;C;x;\n"


class Shell:
    """Runs the command as a person would."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._env, self._folder = os.environ | to_env(settings), folder

    def __call__(self, content: str, *arguments: str) -> tuple[int, str, str]:
        (self._folder / "list.csv").write_text(content)
        command = [sys.executable, "-m", "stockverify", "import", "list.csv", *arguments]
        done = subprocess.run(command, cwd=self._folder, env=self._env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def shell(settings: Settings, tmp_path: Path) -> Shell:
    return Shell(settings, tmp_path)


@pytest.fixture
def book(mongo: "MongoClient[Document]", settings: Settings) -> Any:
    return database(mongo, settings)[Collection.ERP_ITEMS]


def quantities(book: Any) -> dict[str, float]:
    return {line["item_code"]: line["book_qty"] for line in book.find()}


def test_a_good_list_is_brought_in_and_explained(shell: Shell, book: Any) -> None:
    assert shell(LIST) == (
        0,
        "list.csv: 2 rows (csv, utf-8, semicolon-separated)\n"
        "  columns: rack_id = 'Rack', item_code = 'SKU', unit_cost = 'Cost', book_qty = 'On hand'\n"
        "  unit_cost: decimal comma (1 of its own numbers)\n"
        "  book_qty: decimal comma (1 of its own numbers)\n"
        "2 added, 0 changed, 0 unchanged, 0 rejected; 1 new racks.\n",
        "",
    )
    assert quantities(book) == {"00123": 1234.0, "B": 2.5}


def test_a_dry_run_shows_and_writes_nothing(shell: Shell, book: Any) -> None:
    shell(LIST)
    code, said, _ = shell(LIST.replace("2,5", "3,5") + "R2;C;1;\n", "--dry-run")
    assert (code, said.splitlines()[4:]) == (
        0,
        [
            "1 would be added, 1 would be changed, 1 unchanged, 0 rejected; 1 new racks.",
            "  + line 4: R2 /  / C",
            "  ~ line 3: R1 /  / B: book_qty 2.5 -> 3.5",
        ],
    )
    assert quantities(book) == {"00123": 1234.0, "B": 2.5}


def test_a_bad_row_costs_only_itself_and_is_told(shell: Shell, book: Any, tmp_path: Path) -> None:
    code, said, _ = shell(BAD, "--rejects", "bad.csv")
    assert (code, said.splitlines()[-1]) == (
        1,
        "  rejected: line 4, book_qty: 'x' is not a number with a decimal comma",
    )
    assert len(quantities(book)) == 2
    assert (tmp_path / "bad.csv").exists()


def test_too_many_bad_rows_and_nothing_is_written(shell: Shell, book: Any) -> None:
    code, said, _ = shell(BAD, "--max-errors", "0")
    assert (code, "Nothing was written: 1 rows are bad." in said) == (2, True)
    assert quantities(book) == {}


def test_the_summary_as_json(shell: Shell) -> None:
    code, said, _ = shell(BAD, "--json")
    summary = json.loads(said)
    assert code == 1
    assert summary["rows_read"] == summary["added"] + summary["changed"] + summary["unchanged"] + summary["rejected"]
    expected = {"line": 4, "column": "book_qty", "value": "x", "reason": "is not a number with a decimal comma"}
    assert (summary["rejections"], summary["written"]) == ([expected], True)


@pytest.mark.parametrize(
    ("content", "arguments", "complaint"),
    [
        ("a;b\n1;2\n", (), "no column for rack_id, item_code, book_qty"),
        (LIST, ("--map", "book_qty=Menge"), "no column 'Menge'"),
        (LIST, ("--map", "book_qty"), "is not OURS=THEIRS"),
        (LIST, ("--encoding", "utf-9"), "no text encoding 'utf-9'"),
        ("rack;sku;qty\nR1;A;1.234\n", (), "--decimal . or --decimal ,"),
        ("rack;sku;qty\nR1;A;x\n", (), ""),
    ],
)
def test_what_cannot_be_done_is_one_clear_complaint(
    shell: Shell, content: str, arguments: tuple[str, ...], complaint: str
) -> None:
    code, _, said = shell(content, *arguments)
    assert (code, complaint in said, "Traceback" in said) == (2, True, False)


def test_without_a_server_it_says_how_to_start_one(settings: Settings, tmp_path: Path) -> None:
    code, _, said = Shell(Settings(data_dir=tmp_path), tmp_path)(LIST)
    assert (code, said) == (
        2,
        f"stockverify: StockVerify is not running on {tmp_path}. Start it with `stockverify up --data-dir {tmp_path}`, "
        "or set MONGODB_URI and REDIS_URL to servers of your own.\n",
    )
