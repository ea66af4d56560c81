"""The commands: the first as a process, as `stockverify` starts it, the others in this one."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pymongo.database import Database

from analytics.__main__ import main
from analytics.lake import Lake
from stockverify.clients import Document
from stockverify.environment import to_env
from stockverify.settings import Settings
from tests.analytics.stock import NOW, item, record


class Shell:
    """Runs commands with the settings of the test."""

    def __init__(self, settings: Settings) -> None:
        self.env = {**to_env(settings), "USER": "ann"}

    def __call__(self, *arguments: str, **env: str) -> Result:
        return CliRunner().invoke(main, arguments, env=self.env | env, catch_exceptions=False)

    def process(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "analytics", *arguments]
        return subprocess.run(command, env=os.environ | self.env, capture_output=True, text=True, check=False)

    def json(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert (done.exit_code, done.stderr) == (0, ""), done
        return json.loads(done.stdout)


@pytest.fixture
def shell(settings: Settings) -> Shell:
    return Shell(settings)


def test_from_snapshot_to_file(shell: Shell, db: Database[Document], settings: Settings) -> None:
    db["erp_items"].insert_one(item("R1", "00123", 3))
    first = shell.json("snapshot", "--name", "before")
    assert (first["name"], first["rows"]) == ("before", 1)
    db["verification_records"].insert_one(record("c-1", "R1", "00123", 2))
    said = shell.process("snapshot")
    assert (said.returncode, said.stderr) == (0, "")
    assert "1 positions" in said.stdout
    second, listed = shell.json("list")
    assert listed == first
    compared = shell.json("compare")
    assert compared["row_diff"]["changed_count"] == 1
    assert compared["metadata"]["comparison"]["snapshot_id"] == second["snapshot_id"]
    told = shell("compare", first["snapshot_id"], "latest")
    assert "changed verified_qty" in told.stdout
    assert "Shrinkage (value)" in told.stdout
    done = shell.json("export", "previous", "--format", "csv")
    assert done["path"] == str(settings.exports / f"positions-{first['snapshot_id']}.csv")
    out = settings.data_dir / "counts.json"
    assert shell.json("export", "--format", "json", "--dataset", "records", "--out", str(out))["rows"] == 1
    assert json.loads(out.read_text())["rows"][0]["client_record_id"] == "c-1"
    assert json.loads(out.with_name("counts.json.manifest.json").read_text())["requested_by"] == "ann"
    pdf = shell.json("export", "--format", "pdf", "--out", str(settings.data_dir))
    assert Path(pdf["path"]).read_bytes().startswith(b"%PDF-")
    plain = shell.json("export", "--no-bom", "--out", str(settings.data_dir / "plain.csv"))
    assert Path(plain["path"]).read_bytes().startswith(b"floor,")
    assert shell.json("verify") == {"checked": 2, "problems": []}


def test_a_comparison_with_tolerance_reasons_and_a_file(
    shell: Shell, db: Database[Document], settings: Settings
) -> None:
    db["erp_items"].insert_many([item("R1", code, 10, category=code) for code in ("a", "b", "=c")])
    db["verification_records"].insert_many([record(f"c-{code}", "R1", code, 10) for code in ("a", "b", "=c")])
    shell.json("snapshot")
    for code, quantity in (("a", 10.5), ("b", 8.0), ("=c", 11.0)):
        changes = {"verified_qty": quantity, "received_at": NOW + timedelta(1)}
        db["verification_records"].update_one({"_id": f"c-{code}"}, {"$set": changes})
    shell.json("snapshot")
    sizes = [f"--tolerance={name}=5%" for name in ("verified_qty", "variance_qty", "variance_value")]
    out = settings.data_dir / "changes.csv"
    found = shell.json("compare", *sizes, "--tolerance=variance_qty=0.5", "--tolerance=variance_value=1.25")
    assert (found["row_diff"]["changed_count"], found["metadata"]["within_tolerance_count"]) == (2, 1)
    assert "contributions" not in found
    told = shell("compare", "--why", "--out", str(out)).stdout
    assert "Net variance value (value) by item_code" in told
    assert re.search(r"    b +0\.00 +-5\.00 +-5\.00\n", told)
    assert "3 rows that differ" in told
    assert [row["item_code"] for row in csv.DictReader(out.read_text("utf-8-sig").splitlines())] == ["'=c", "a", "b"]
    by_floor, by_category, by_counter, by_item = shell.json("compare", "--why", "--total", "verified_units")[
        "contributions"
    ]
    assert [each["by"] for each in (by_floor, by_category, by_counter)] == ["floor", "category", "counted_by"]
    assert [(part["group"], part["change"]) for part in by_item["parts"]] == [("b", -2.0), ("=c", 1.0), ("a", 0.5)]
    assert shell.json("compare", "--dataset", "records", "--ignore", "verified_qty")["row_diff"]["changed_count"] == 3
    records = shell.json("compare", "--dataset", "records", "--why")["contributions"]
    assert (records[0]["by"], records[0]["total"]) == ("floor", "rows")
    for wrong, said in (("--tolerance=verified_qty", "is no tolerance"), ("--total=nope", "'nope' is no total")):
        assert said in shell("compare", "--why", wrong).stderr


def test_anomalies_are_told_in_words_and_for_programs(shell: Shell, db: Database[Document]) -> None:
    odd = "odd\x1b[31m"
    db["erp_items"].insert_many([item("R1", f"i{number}", 20) for number in range(40)] + [item("R1", odd, 20)])
    db["verification_records"].insert_many([record(f"c-{number}", "R1", f"i{number}", 20) for number in range(40)])
    db["verification_records"].insert_one(record("c-odd", "R1", odd, 90, serial_numbers=["12345"] * 90))
    shell.json("snapshot")
    told = shell.json("anomalies")
    assert told["found"] == {
        "variance_outlier": 1,
        "digit_heaping": 0,
        "always_book": 0,
        "impossible_speed": 0,
        "sudden_change": 0,
        "serial_pattern": 1,
    }
    assert [flag["proof"] for flag in told["flags"]] == [[["c-odd"]], [["R1", "", odd]]]
    assert [flag["kind"] for flag in shell.json("anomalies", "--kind", "variance_outlier")["flags"]] == [
        "variance_outlier"
    ]
    assert len(shell.json("anomalies", "--limit", "1")["flags"]) == 1
    shown = shell("anomalies").stdout
    assert "Counted 90 where the book says 20" in shown
    assert "1 rows of positions, such as R1, , odd?[31m" in shown
    assert "\x1b" not in shown


def test_ctrl_c_leaves_nothing_behind(shell: Shell, db: Database[Document], settings: Settings) -> None:
    db["erp_items"].insert_many(item("R1", f"{number:06}", 3) for number in range(20_000))
    shell.json("snapshot")
    command = [sys.executable, "-m", "stockverify", "export", "--format", "xlsx"]
    with subprocess.Popen(
        command, env=os.environ | shell.env, start_new_session=True, stderr=subprocess.PIPE
    ) as process:
        deadline = time.monotonic() + 30
        while not list(settings.exports.glob(".xlsx-*/*")) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of its foreground processes
        said = process.communicate(timeout=20)[1].decode()
    assert (process.returncode, "Traceback" in said) == (1, False), said
    assert list(settings.exports.iterdir()) == []


def test_damage_is_told_with_exit_code_1(shell: Shell, db: Database[Document], lake: Lake) -> None:
    db["erp_items"].insert_one(item("R1", "a", 3))
    taken = shell.json("snapshot")["snapshot_id"]
    lake.files("items", taken)[0].write_bytes(b"")
    done = shell("verify", "--json")
    [problem] = json.loads(done.stdout)["problems"]
    assert (done.exit_code, problem["dataset"], problem["snapshot_id"]) == (1, "erp_items", taken)
    assert "has 0 bytes instead of" in shell("verify").stdout
    assert shell("export", "--dataset", "items").stderr.startswith("stockverify: Snapshot")
    assert (taken in shell("list").stdout, shell("list").stderr) == (True, "")
    (lake.root / "positions" / taken / "manifest.json").write_text("{")
    listed = shell("list")
    assert "No snapshots in" in listed.stdout
    assert f"1 left out, because damaged or of another version, the newest of them {taken}" in listed.stderr


@pytest.mark.parametrize(
    ("arguments", "env", "message"),
    [
        (("snapshot",), {}, "There is no item, session or record yet"),
        (("snapshot",), {"MONGODB_URI": ""}, "StockVerify is not running on"),
        (("snapshot",), {"MONGODB_URI": "mongodb://127.0.0.1:9/"}, "MongoDB does not answer at the moment"),
        (("snapshot",), {"SNAPSHOT_INTERVAL": "soon"}, "SNAPSHOT_INTERVAL='soon' is not usable"),
        (("snapshot",), {"STOCKVERIFY_TIME_ZONE": "Nowhere"}, "STOCKVERIFY_TIME_ZONE='Nowhere' is not usable"),
        (("compare",), {}, "There is no previous snapshot in the lake"),
        (("export", "../../etc/passwd"), {}, "'../../etc/passwd' is not a snapshot id"),
        (("export", "latest", "--dataset", "users"), {}, "There is no latest snapshot"),
        (("export", "--out", "stock.docx"), {}, "'docx' is not"),
        (("export", "--out", "stock.CSV", "--format", "pdf"), {}, "--out ends in .CSV, and --format says pdf."),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(
    shell: Shell, arguments: tuple[str, ...], env: dict[str, str], message: str
) -> None:
    done = shell(*arguments, **env)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("stockverify: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["snapshot", "list", "compare", "export", "anomalies", "verify"])
def test_help_teaches_with_an_example(shell: Shell, command: str) -> None:
    done = shell(command, "--help")
    assert done.exit_code == 0
    assert "Example" in done.stdout


def test_the_process_ends_with_the_same_line(shell: Shell) -> None:
    done = shell.process("export", "nonsense")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("stockverify: 'nonsense' is not a snapshot id.")
