"""Reports are made in processes of their own, which may die, hang and end without harm to the service."""

import asyncio
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from structlog.contextvars import bound_contextvars

from analytics.export import Format
from analytics.query import checked, describe
from ingest.reports.answers import Declined, Done, Totals
from ingest.reports.desk import Desk, ReportsAway, ReportTooLong
from ingest.reports.errands import (
    AnyErrand,
    Check,
    CheckList,
    Describe,
    Export,
    Find,
    Keep,
    List,
    Preview,
    Question,
    Report,
)
from ingest.reports.room import MEMORY, ErrandFailed, Room, open_room
from stockverify.errors import BadInput, NotFound, SetupError, Unavailable
from stockverify.media_types import MEDIA_TYPES
from stockverify.services.embedded import Backends
from stockverify.settings import Settings
from stockverify.wire.imports import ImportOptions
from stockverify.wire.reports import CollectionsReply, QuerySpec, Snapshot
from tests.service import Service, running_service

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
FREEZE = "20260105T080000000Z-0a1b2c3d"
HEAVY = ("polars", "duckdb", "pyarrow", "sqlglot", "numpy", "analytics")
ASKED = Question(Describe(), {}, ())


@pytest.fixture(scope="module")
def place(embedded: Backends, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The real MongoDB and an empty lake."""
    return msgspec.structs.replace(embedded.settings, data_dir=tmp_path_factory.mktemp("room"))


@pytest.fixture(scope="module")
async def room(place: Settings) -> AsyncIterator[Room]:
    """A room for all tests that leave it as it was."""
    async with open_room(place) as opened:
        yield opened


@pytest.fixture(scope="module")
async def desk(place: Settings) -> AsyncIterator[Desk]:
    """A desk whose process has answered already."""
    opened = Desk(place, patience=30, niceness=7)
    await opened.ask(ASKED)
    yield opened
    await opened.close()


async def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - the ends of processes that are not ours announce themselves to nobody
            await asyncio.sleep(0.01)


def pid_of(desk: Desk) -> int:
    assert desk.pid is not None
    return desk.pid


def is_gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    return True


async def test_a_list_never_takes_more_memory_than_it_may(place: Settings, tmp_path: Path) -> None:
    lines = (f"R{number},ITEM-{number},1,a name of some length {number}\n" for number in range(200_000))
    (tmp_path / "list").write_text("rack_id,item_code,book_qty,item_name\n" + "".join(lines))
    asked = CheckList(path=str(tmp_path / "list"), options=ImportOptions())
    small = Desk(place, patience=60, niceness=7, memory=260 * 2**20)
    try:
        answer = await small.ask(Question(asked, {}, ()))
    except ReportsAway:
        return  # what allocates outside of Python ends the process
    finally:
        await small.close()
    assert isinstance(answer, Declined)
    assert answer.kind == "TooLarge"


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def described(answer: object) -> object:
    assert isinstance(answer, Done)
    return msgspec.msgpack.decode(answer.result)


def test_the_service_itself_loads_no_analytics() -> None:
    code = f"import sys, ingest.app; print([name for name in {HEAVY} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_every_format_has_a_media_type() -> None:
    assert list(MEDIA_TYPES) == [kind.value for kind in Format]


async def test_one_process_starts_with_the_first_errand_and_serves_the_next_ones(place: Settings) -> None:
    desk = Desk(place, patience=30, niceness=7)
    assert desk.pid is None
    first = await desk.ask(ASKED)
    pid = pid_of(desk)
    second = await desk.ask(ASKED)
    assert [described(first), described(second)] == [describe()] * 2
    assert desk.pid == pid
    await desk.close()
    assert (desk.pid, is_gone(pid)) == (None, True)


def niceness(pid: int) -> set[int]:
    """Of all threads of a process."""
    return {os.getpriority(os.PRIO_PROCESS, int(thread.name)) for thread in Path(f"/proc/{pid}/task").iterdir()}


async def test_it_gives_way_to_devices_and_hears_no_ctrl_c(desk: Desk) -> None:
    pid = pid_of(desk)
    assert niceness(pid) == {min(os.getpriority(os.PRIO_PROCESS, 0) + 7, 19)}
    assert os.getsid(pid) == pid


async def test_an_errand_whose_process_is_killed_is_done_by_a_new_one(desk: Desk) -> None:
    pid = pid_of(desk)
    os.kill(pid, signal.SIGSTOP)
    asked = asyncio.create_task(desk.ask(ASKED))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    assert described(await asked) == describe()
    assert pid_of(desk) != pid


async def test_an_errand_that_kills_twice_is_unavailable_and_the_next_one_is_done(desk: Desk) -> None:
    killed: list[int] = []
    asked = asyncio.create_task(desk.ask(ASKED))
    while not asked.done():
        if desk.pid not in (None, *killed) and len(killed) < 2:
            killed.append(pid_of(desk))
            os.kill(killed[-1], signal.SIGKILL)
        await asyncio.sleep(0)
    with pytest.raises(ReportsAway, match=r"Try again in 5 seconds"):
        await asked
    assert described(await desk.ask(ASKED)) == describe()


async def test_a_process_that_hangs_is_given_up(desk: Desk) -> None:
    await desk.ask(ASKED)
    pid, desk.patience = pid_of(desk), 0.3
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(
        ReportTooLong, match=r"divide a total by a column with fewer values, or try again in \d+ seconds"
    ):
        await desk.ask(ASKED)
    desk.patience = 30
    await until(lambda: is_gone(pid))


async def test_the_answer_to_a_cancelled_errand_is_nobody_elses(desk: Desk) -> None:
    await desk.ask(ASKED)
    asked = asyncio.create_task(desk.ask(Question(List(), {}, ())))
    os.kill(pid_of(desk), signal.SIGSTOP)
    await asyncio.sleep(0.05)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert described(await desk.ask(ASKED)) == describe()


async def test_a_process_that_nobody_asks_goes_home(place: Settings) -> None:
    desk = Desk(place, patience=30, niceness=0, rest=0.2)
    await desk.ask(ASKED)
    pid = pid_of(desk)
    await until(lambda: is_gone(pid))
    assert (desk.pid, described(await desk.ask(ASKED))) == (None, describe())
    await desk.close()


async def test_short_errands_do_not_wait_for_long_ones(room: Room, tmp_path: Path) -> None:
    await room.run(Describe(), CollectionsReply, ())
    with suppress(NotFound):
        await room.run(export(tmp_path / "out"), str, ())
    os.kill(pid_of(room.long), signal.SIGSTOP)
    waiting = asyncio.create_task(room.run(export(tmp_path / "out"), str, ()))
    async with asyncio.timeout(10):
        await room.run(Describe(), CollectionsReply, ())
    assert not waiting.done()
    os.kill(pid_of(room.long), signal.SIGCONT)
    with pytest.raises(NotFound):
        await waiting


def export(folder: Path) -> Export:
    """An export of a freeze that is not there."""
    return Export(place=FREEZE, name=None, kind="csv", dataset=None, folder=str(folder), requested_by="sue", now=NOW)


def sentence(spec: QuerySpec) -> str:
    """What analytics says of a query, in this process."""
    with pytest.raises(BadInput) as refusal:
        checked(spec)
    return refusal.value.message


UNKNOWN = QuerySpec(collection="items", filters={"password": 10**30})
HUGE = QuerySpec(collection="items", filters={"item_code": 10**30})


@pytest.mark.parametrize(
    ("errand", "kind", "message"),
    [
        (Check(spec=UNKNOWN), BadInput, sentence(UNKNOWN)),
        (Preview(spec=HUGE, now=NOW), BadInput, sentence(HUGE)),
        (Find(snapshot_id="nope"), NotFound, "Snapshot nope is not known. GET /api/reports/snapshots lists all."),
        (
            Find(snapshot_id=FREEZE),
            NotFound,
            "Snapshot {freeze} of positions is not in the lake; `stockverify list` shows",
        ),
        (Find(snapshot_id="latest"), NotFound, "There is no latest snapshot in the lake yet; "),
    ],
    ids=["a field", "an integer of any size", "an id", "a freeze", "the latest"],
)
async def test_errors_keep_their_kind_and_their_sentence(
    room: Room, place: Settings, errand: AnyErrand, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as met:
        await room.run(errand, Snapshot, ())
    assert type(met.value) is kind
    assert str(met.value).startswith(message.format(freeze=FREEZE, lake=place.lake) if "{" in message else message)


async def test_a_damaged_snapshot_is_named(room: Room, place: Settings) -> None:
    damaged = FREEZE.replace("2026", "2025")
    folder = place.lake / "positions" / damaged
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(SetupError, match=f"Snapshot {damaged} of positions is damaged: its manifest cannot be read"):
        await room.run(Find(snapshot_id=damaged), Snapshot, ())


async def test_mongodb_away_is_unavailable(place: Settings) -> None:
    async with open_room(msgspec.structs.replace(place, mongodb_uri="mongodb://127.0.0.1:1")) as room:
        with pytest.raises(Unavailable, match="MongoDB does not answer") as met:
            await room.run(Preview(spec=QuerySpec(collection="items"), now=NOW), Snapshot, ())
    assert met.value.fields == {"service": "MongoDB", "retry_after": 5}


async def test_what_nobody_foresaw_is_logged_with_its_request_and_does_not_end_the_process(
    place: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    stranger = re.sub("//.*@", "//", place.mongodb_uri or "")  # without its name and password
    async with open_room(msgspec.structs.replace(place, mongodb_uri=stranger)) as room:
        await room.run(Describe(), CollectionsReply, ())
        pid = room.short.pid
        with bound_contextvars(request_id="r-1"), pytest.raises(ErrandFailed, match="Preview: OperationFailure"):
            await room.run(Preview(spec=QuerySpec(collection="items"), now=NOW), Snapshot, ())
        assert room.short.pid == pid
    line = json.loads(capfd.readouterr().out)
    assert (line["event"], line["errand"], line["request_id"]) == ("errand_failed", "Preview", "r-1")


async def test_a_service_that_is_killed_takes_its_reports_processes_along(settings: Settings) -> None:
    with running_service(settings) as service:
        pid, working = reporting(service)
        os.kill(working, signal.SIGSTOP)  # it can hear nothing now, no more than in the middle of an errand
        os.kill(pid, signal.SIGKILL)
        await until(lambda: is_gone(working))


async def test_a_service_that_is_asked_to_end_ends_at_once_with_its_reports_process(settings: Settings) -> None:
    with running_service(settings) as service:
        pid, working = reporting(service)
        os.kill(pid, signal.SIGTERM)
        await until(lambda: service.children[0].exit_code() is not None, 5)
        assert is_gone(working)
        assert "shutdown complete" in (settings.data_dir / "logs" / "service-1.log").read_text()


def reporting(service: Service) -> tuple[int, int]:
    """The process ids of a service and of its reports process."""
    boss = service.person("supervisor")
    assert boss.get("/api/reports/collections").json() == describe()
    (working,) = children(service.children[0].pid)
    return service.children[0].pid, working


async def test_a_report_that_is_kept_does_not_hold_up_pages(place: Settings) -> None:
    report = Report(FREEZE, QuerySpec(collection="items"), "rs-" + "0" * 16)
    async with open_room(place) as room:
        with pytest.raises(NotFound):
            await room.run(Keep(report=report, now=NOW), Totals, ())
        assert room.short.pid is None
        assert resource.prlimit(pid_of(room.long), resource.RLIMIT_DATA) == (MEMORY, MEMORY)
