"""Exports as ratios to bare libraries in the same run, and what devices notice of a large one.

`STOCKVERIFY_BENCH_ROWS` sets the rows (1,000,000).
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from pymongo import MongoClient

from analytics.export.insight import of_positions
from analytics.extract import materialise
from analytics.figures import EXACT
from analytics.lake import Lake
from stockverify.clients import Document, database
from stockverify.vocabulary import Collection
from tests.analytics.stock import item
from tests.bench import big_lake
from tests.bench.line import Line
from tests.bench.measured import centile
from tests.bench.stock_rows import NOW, positions
from tests.service import Service, record

ROWS = int(os.environ.get("STOCKVERIFY_BENCH_ROWS", "1000000"))
SECONDS = 30.0
BATCH = 100
STOCK = 40_000
"""Lines of twenty racks on twelve floors."""

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


def test_a_pdf_with_its_charts(tmp_path: Path) -> None:
    """The newest of three snapshots, so with all charts that there are, trends included."""
    ids = big_lake.fill(tmp_path / "lake", STOCK)
    charts = len(list(of_positions(Lake(tmp_path / "lake"), ids[-1], EXACT).charts("UTC")))
    seconds, peak = measured("pdf", tmp_path / "lake", tmp_path)
    print(
        f"\n  pdf of {STOCK:,} lines, 1,000 of them shown, with {charts} charts: {seconds:.2f} s, {peak:.0f} MiB"
        " (aim: under 5 s with 5 charts)"
    )


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
        self.seconds = 0.0
        self._stop = threading.Event()

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds

    def run(self, is_over: Callable[[], bool]) -> "Load":
        threads, started = [threading.Thread(target=work) for work in (self._sync, self._beat)], time.perf_counter()
        for thread in threads:
            thread.start()
        while not is_over():
            time.sleep(0.5)
        self._stop.set()
        self.seconds = time.perf_counter() - started
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
    until = time.monotonic() + SECONDS
    before = Load(pair, "without").run(lambda: time.monotonic() > until)
    asked = boss.post("/api/reports/exports", json={"snapshot_id": "latest", "format": "xlsx"}).json()
    place = f"/api/reports/exports/{asked['job_id']}"
    while boss.get(place).json()["rows_done"] == 0:
        time.sleep(0.1)
    during = Load(pair, "during").run(lambda: boss.get(place).json()["status"] != "running")
    state = boss.get(place).json()
    for name, load in (("without", before), ("during", during)):
        print(
            f"\n  {name} an export: heartbeat p50 {centile(load.beats, 50):.1f} ms, p99"
            f" {centile(load.beats, 99):.1f} ms, longest {max(load.beats):.0f} ms;"
            f" {load.rate:,.0f} records/s in {load.seconds:.0f} s",
            end="",
        )
    print(
        f"\n  sync with and without: {before.rate / max(during.rate, 1):.2f} times slower (aims: no heartbeat over 100"
        f" ms, sync at most 2 times slower); the export of {state['rows_done']:,} rows is {state['status']}"
    )
