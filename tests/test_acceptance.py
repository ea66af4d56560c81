"""The main job, end to end, as a newcomer runs it: one process, real servers, real files."""

import csv
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from stockverify.clients import database, open_mongo
from stockverify.services.child import free_port
from stockverify.services.embedded import backends
from stockverify.settings import Settings

ROOT = Path(__file__).parent.parent
REAL_INPUT = ROOT.parent / "shared" / "data" / "adventureworks_stock.csv"
INPUT = REAL_INPUT if REAL_INPUT.exists() else ROOT / "data" / "sample_stock.csv"


class Outcome:
    """What one run of `stockverify demo --once --json` left behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ports = ["--api-port", str(free_port()), "--dashboard-port", str(free_port())]
        argv = [sys.executable, "-m", "stockverify", "demo", "--once", "--json", "--data-dir", str(folder), *ports]
        # A demo never touches databases that somebody works with: these would not answer.
        environ = os.environ | {"MONGODB_URI": "mongodb://127.0.0.1:1", "REDIS_URL": "redis://127.0.0.1:1"}
        argv += ["--input", str(INPUT)]
        self.run = subprocess.run(argv, capture_output=True, text=True, check=False, env=environ)
        assert self.run.returncode == 0, self.run.stderr + self.run.stdout
        self.last: dict[str, Any] = json.loads(self.run.stdout.strip().splitlines()[-1])

    def export(self, kind: str) -> Path:
        """The exported file of that kind."""
        return next(Path(path) for path in self.last["exports"] if path.endswith(f".{kind}"))


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """One run for all tests of this module."""
    yield Outcome(tmp_path_factory.mktemp("acceptance") / "demo")


def test_nothing_is_lost_and_nothing_is_double_on_a_bad_network(outcome: Outcome) -> None:
    last = outcome.last
    assert (last["lost"], last["duplicated"]) == (0, 0)
    assert last["records_counted"] == last["records_acked"] + last["conflicts"]
    assert last["records_acked"] == last["records_stored"] > 500
    assert last["units_counted"] == last["units_stored"] > 0
    mishaps = last["mishaps"]
    assert min(mishaps["replies_lost"], mishaps["batches_replayed"], mishaps["calls_without_network"]) > 0
    assert mishaps["offline_spells"] > 0
    assert mishaps["claims_refused"] == 1


def test_the_second_round_changed_lines_and_added_none(outcome: Outcome) -> None:
    with INPUT.open(encoding="utf-8", newline="") as file:
        lines = sum(1 for _ in csv.DictReader(file))
    compare = outcome.last["compare"]
    assert len(outcome.last["snapshots"]) == 2
    assert (compare["added"], compare["removed"]) == (0, 0)
    assert compare["changed"] > 0
    assert compare["changed"] + compare["unchanged"] == lines


def test_all_files_say_the_same(outcome: Outcome) -> None:
    frame = pl.read_parquet(outcome.export("parquet"))
    with outcome.export("csv").open(encoding="utf-8-sig", newline="") as file:
        as_csv = list(csv.DictReader(file))
    as_json = json.loads(outcome.export("json").read_text())["rows"]
    with closing(openpyxl.load_workbook(outcome.export("xlsx"), read_only=True)) as workbook:
        sheet = list(workbook["positions"].iter_rows(values_only=True))
    as_xlsx = [dict(zip(sheet[0], row, strict=True)) for row in sheet[1:]]
    for name in ("book_qty", "verified_qty", "damage_qty", "variance_qty", "variance_value"):
        total = frame[name].sum()
        for rows in (as_csv, as_json, as_xlsx):
            assert math.isclose(math.fsum(float(row[name] or 0) for row in rows), total, abs_tol=1e-6), name
    keys = [tuple(row) for row in frame.select("rack_id", "bin", "item_code").rows()]
    for rows in (as_csv, as_json, as_xlsx):
        assert [(row["rack_id"], row["bin"] or "", row["item_code"]) for row in rows] == keys


def test_the_database_and_the_lake_agree_after_a_restart(outcome: Outcome) -> None:
    with backends(Settings(data_dir=outcome.folder)) as again, open_mongo(again.settings.mongodb_uri or "") as client:
        stored = database(client, again.settings)
        assert stored.verification_records.count_documents({}) == outcome.last["records_stored"]
        kinds = set(stored.sync_conflicts.distinct("conflict_type"))
        assert kinds == {"rack_locked", "concurrent_edit", "duplicate_serial"}
        assert stored.sync_conflicts.count_documents({}) >= outcome.last["conflicts"]
        latest = _latest_counts(list(stored.verification_records.find()))
        frame = pl.read_parquet(outcome.export("parquet")).filter("counted")
        rows = frame.select("rack_id", "bin", "item_code", "verified_qty").iter_rows()
        assert {(rack, place, item): quantity for rack, place, item, quantity in rows} == latest


def test_every_manifest_and_checksum_of_the_lake_holds(outcome: Outcome) -> None:
    argv = [sys.executable, "-m", "stockverify", "doctor", "--json", "--data-dir", str(outcome.folder)]
    found = subprocess.run(argv, capture_output=True, text=True, check=False)
    lake = [row for row in map(json.loads, found.stdout.splitlines()) if row["check"] == "lake"]
    assert [row["fine"] for row in lake] == [True], lake


def test_no_secret_is_in_a_log(outcome: Outcome) -> None:
    logs = "".join(path.read_text(errors="replace") for path in (outcome.folder / "logs").glob("*.log"))
    for name in ("mongodb/keyfile", "redis/password", "secret.key"):
        assert (outcome.folder / name).read_text() not in logs
    assert "Traceback" not in logs


def _latest_counts(records: list[dict[str, Any]]) -> dict[tuple[str, str, str], float]:
    """Recomputed here by other means than the product's: the counts of each rack's latest round."""
    latest = {
        rack: max(row["round"] for row in records if row["rack_id"] == rack) for rack in {r["rack_id"] for r in records}
    }
    return {
        (row["rack_id"], row["bin"], row["item_code"]): round(row["verified_qty"], 6)
        for row in records
        if row["round"] == latest[row["rack_id"]] and row["verified_qty"] is not None
    }
