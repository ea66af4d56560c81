"""How long pages take over a large lake: the first time in the life of a process, and after; then what people do
there.

BENCH_RECORDS sets how many records and lines the lake holds (1,000,000 by default). Times are those of the page's
script in this process, as AppTest runs it; what the browser adds depends on the rows in sight, as many for any lake.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from analytics.compare import compare
from analytics.figures import keep, tolerance_of
from analytics.glance import findings
from analytics.lake import Lake
from dashboard import app as app_module
from stockverify.environment import to_env
from stockverify.settings import Settings
from tests.bench.big_lake import fill
from tests.bench.measured import peak_mib
from tests.dashboard.conftest import press, sign_in, texts
from tests.service import Service

RECORDS = int(os.environ.get("BENCH_RECORDS", "1000000"))
PATIENCE = 900
PAGES = tuple(name for _, name, *_ in app_module._SCREENS)

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def big(pair: Service, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the service, over a lake of that size. Its files lie where BENCH_LAKE says, if it does: another run
    with as many records takes what it finds there."""
    place = os.environ.get("BENCH_LAKE")
    folder = Path(place) / str(RECORDS) if place else tmp_path_factory.mktemp("big")
    settings = msgspec.structs.replace(pair.settings, data_dir=folder)
    if not settings.lake.exists():
        began = time.perf_counter()
        fill(settings.lake, RECORDS)
        print(f"\n  made a lake of {RECORDS:,} records in {time.perf_counter() - began:.0f} s")
        prepared(settings)
    return settings


def prepared(settings: Settings) -> None:
    """What the worker does when it has taken a snapshot (jobs/first_look.py)."""
    lake, before = Lake(settings.lake), None
    for snapshot_id in reversed(lake.ids()):
        began, worked = time.perf_counter(), time.process_time()
        keep(lake, snapshot_id, tolerance_of(settings))
        findings.keep(lake, snapshot_id)
        if before:
            compare(lake, before, snapshot_id)
        before = snapshot_id
        seconds, processor = time.perf_counter() - began, time.process_time() - worked
        print(f"  figures of a snapshot, and what has changed: {seconds:.2f} s ({processor:.2f} s of the processor)")


@pytest.fixture(scope="module")
def at(big: Settings, pair: Service) -> Iterator[AppTest]:
    """The app of a fresh process, with a supervisor at the overview."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in to_env(big).items():
            patch.setenv(name, value)
        st.cache_data.clear()
        st.cache_resource.clear()
        at = AppTest.from_file(app_module.__file__ or "", default_timeout=PATIENCE).run()
        told("sign in, and the overview for the first time", lambda: sign_in(at, pair.person("admin")))
        yield at


def told(what: str, work: Callable[[], Any]) -> float:
    """Do it, see that nothing went wrong, and print how long it took and how much of that this process worked."""
    began, worked = time.perf_counter(), time.process_time()
    at = work()
    while any(button.key == "stop_waiting" for button in at.button):
        at.run()
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    assert not at.exception
    assert "could not be shown" not in texts(at), texts(at)
    print(f"  {what}: {seconds:.2f} s ({processor:.2f} s of the processor)")
    return seconds


def widget(kind: Any, label: str) -> Any:
    """The one with that label."""
    return next(each for each in kind if each.label == label)


def test_pages_and_what_people_do_there(at: AppTest) -> None:
    print(f"\n  {RECORDS:,} records; aim: pages within 2 s after the first visit, anything else within 1 s")
    slow = {}
    for turn in ("first", "after"):
        for name in PAGES:
            seconds = told(f"{name}, {turn}", lambda name=name: at.switch_page(f"screens/{name}.py").run())
            if turn == "after" and seconds > 2:
                slow[name] = seconds
    for what, work in interactions(at):
        for turn in ("first", "again"):
            seconds = told(f"{what}, {turn}", work)
            if turn == "again" and seconds > 1:
                slow[what] = seconds
    print(f"  slower than the aim: {slow or 'nothing'}; peak memory {peak_mib():.0f} MiB")


def interactions(at: AppTest) -> Iterator[tuple[str, Callable[[], AppTest]]]:
    """What people do on the pages of snapshots."""
    at.switch_page("screens/overview.py").run()
    older, newer = widget(at.selectbox, "Snapshot").options[1], widget(at.selectbox, "Snapshot").options[0]
    yield "overview: the snapshot before", lambda: widget(at.selectbox, "Snapshot").select(older).run()
    yield "overview: the newest", lambda: widget(at.selectbox, "Snapshot").select(newer).run()
    at.switch_page("screens/compare.py").run()
    for by in ("category", "counted_by", "item_code"):
        yield f"compare: what moved it by {by}", lambda by=by: widget(at.button_group, "By").set_value(by).run()
    yield "compare: added rows", lambda: widget(at.button_group, "Which rows").set_value("added").run()
    yield "compare: sessions", lambda: widget(at.selectbox, "Dataset").set_value("verification_sessions").run()
    yield "compare: positions", lambda: widget(at.selectbox, "Dataset").set_value("positions").run()

    def tolerate() -> AppTest:
        widget(at.number_input, "Verified by at most").set_value(1.0)
        return press(at, "Use these tolerances")

    yield "compare: a tolerance", tolerate
    yield "compare: with another snapshot", lambda: _another(at)
    yield "export: records", lambda: _records(at)


def _another(at: AppTest) -> AppTest:
    """The oldest one, which nobody has compared with so far."""
    widget(at.button_group, "Compare with").set_value("Another one").run()
    other = widget(at.selectbox, "Other snapshot")
    return other.select(other.options[-1]).run()


def _records(at: AppTest) -> AppTest:
    at.switch_page("screens/export.py").run()
    return widget(at.radio, "Dataset").set_value("verification_records").run()
