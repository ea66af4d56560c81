"""Exports as ratios to bare libraries in the same run, and what devices notice of a large one.

`STOCKVERIFY_BENCH_ROWS` sets the rows (1,000,000).
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest
from pymongo import MongoClient

from analytics.extract import materialise
from analytics.lake import Lake
from stockverify.clients import Document, database
from stockverify.vocabulary import Collection
from tests.analytics.stock import item
from tests.bench.line import Line
from tests.bench.measured import centile
from tests.bench.stock_rows import NOW, positions
from tests.service import Service, record

ROWS = int(os.environ.get("STOCKVERIFY_BENCH_ROWS", "1000000"))
SECONDS = 30.0
BATCH = 100

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "positions.parquet"
    positions(ROWS).write_parquet(path, row_group_size=100_000)
    return path


def measured(what: str, source: Path, folder: Path) -> tuple[float, float]:
    """Seconds and peak MiB of a piece of work in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.exporting", what, str(source), str(folder / f"out-{what}")]
    seconds, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), float(peak)


@pytest.mark.parametrize(("kind", "aim"), [("csv", "1.5 times"), ("xlsx", "1.3 times, under 300 MiB")])
def test_against_a_bare_library(source: Path, tmp_path: Path, kind: str, aim: str) -> None:
    bare, bare_peak = measured(f"bare-{kind}", source, tmp_path)
    ours, peak = measured(kind, source, tmp_path)
    print(
        f"\n  {kind} of {ROWS:,} rows: {ours:.1f} s, {peak:.0f} MiB; bare {bare:.1f} s, {bare_peak:.0f} MiB:"
        f" {ours / bare:.2f} times (aim: at most {aim})"
    )


def test_a_pdf_with_five_charts(tmp_path: Path) -> None:
    positions(1_000).write_parquet(tmp_path / "few.parquet")
    seconds, peak = measured("pdf", tmp_path / "few.parquet", tmp_path)
    print(f"\n  pdf of 1,000 rows with 5 charts: {seconds:.2f} s, {peak:.0f} MiB (aim: under 5 s)")


@pytest.mark.parametrize("kind", ["json", "ndjson", "parquet"])
def test_the_other_formats(source: Path, tmp_path: Path, kind: str) -> None:
    copy, _ = measured("bare-csv", source, tmp_path)
    seconds, peak = measured(kind, source, tmp_path)
    print(f"\n  {kind} of {ROWS:,} rows: {seconds:.1f} s, {peak:.0f} MiB: {seconds / copy:.2f} times COPY to CSV")


class Load:
    """A device that syncs all the time and one that only beats, until told to stop."""

    def __init__(self, service: Service, mark: str) -> None:
        self.counter, self.other, self.mark = Line(service), Line(service), mark
        self.beats: list[float] = []
        self.records = 0
        self._stop = threading.Event()

    def run(self, seconds: float) -> "Load":
        threads = [threading.Thread(target=work) for work in (self._sync, self._beat)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self._stop.set()
        for thread in threads:
            thread.join()
        self.counter.close()
        self.other.close()
        return self

    def _sync(self) -> None:
        while not self._stop.is_set():
            names = range(self.records, self.records + BATCH)
            records = [record(self.counter.grant, f"{self.mark}-{n}", f"ITEM-{n}") for n in names]
            self.counter.call("POST", "/api/sync/batch", msgspec.json.encode({"records": records}))
            self.records += BATCH

    def _beat(self) -> None:
        while not self._stop.wait(0.05):
            started = time.perf_counter()
            self.other.call("POST", f"/api/sessions/{self.other.grant['session_id']}/heartbeat")
            self.beats.append((time.perf_counter() - started) * 1000)


def test_devices_during_an_export_job(pair: Service, mongo: "MongoClient[Document]") -> None:
    stored = database(mongo, pair.settings)
    for start in range(0, ROWS, 50_000):
        lines = (item("BIG", f"{n:08}", 2.0) for n in range(start, min(start + 50_000, ROWS)))
        stored[Collection.ERP_ITEMS].insert_many(lines, ordered=False)
    materialise(Lake(pair.settings.lake), stored, NOW, "large")
    boss = pair.person("supervisor")
    before = Load(pair, "without").run(SECONDS)
    asked = boss.post("/api/reports/exports", json={"snapshot_id": "latest", "format": "xlsx"}).json()
    place = f"/api/reports/exports/{asked['job_id']}"
    while boss.get(place).json()["rows_done"] == 0:
        time.sleep(0.1)
    during = Load(pair, "during").run(SECONDS)
    state = boss.get(place).json()
    boss.post(f"{place}/cancel")
    for name, load in (("without", before), ("during", during)):
        print(
            f"\n  {name} an export: heartbeat p50 {centile(load.beats, 50):.1f} ms, p99"
            f" {centile(load.beats, 99):.1f} ms, longest {max(load.beats):.0f} ms;"
            f" {load.records / SECONDS:,.0f} records/s",
            end="",
        )
    print(
        f"\n  sync with and without: {before.records / max(during.records, 1):.2f} times slower (aims: heartbeat p99 at"
        " most 100 ms, sync at most 2 times slower);"
        f" the export was at {state['rows_done']:,} of {state['rows_total']:,}"
    )
