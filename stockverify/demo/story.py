"""The story of the demo: a stock list, two counting rounds, snapshots, a comparison, files, and balanced books."""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pymongo.database import Database

from stockverify.clients import Document, database, open_mongo
from stockverify.demo import books, library, schedules
from stockverify.demo.books import Books
from stockverify.demo.crew import crew
from stockverify.demo.office import DemoFailed, Office, Person, cast
from stockverify.demo.shelves import Line, Reading, Shelves
from stockverify.demo.shift import POSTS, Shift
from stockverify.services.running import Running
from stockverify.stocklist.load import load
from stockverify.stocklist.plan import plan
from stockverify.stocklist.store import apply, read_book
from stockverify.vocabulary import Collection, Role

RECOUNTED = 0.35
HASTY_LINES = 20
"""So many lines of a rack that is counted in haste show that nobody counted them."""

FORMATS = ("csv", "xlsx", "json", "parquet")

Say = Callable[[str], None]
Readings = dict[str, list[Reading]]


class Story(NamedTuple):
    """What happened, for people and for programs."""

    books: Books
    snapshots: tuple[str, ...]
    compare: dict[str, int]
    exports: tuple[Path, ...]
    seconds: float
    mishaps: dict[str, int]
    logins: tuple[tuple[str, str, str], ...]

    def outcome(self) -> dict[str, Any]:
        """The last line of `--once --json`."""
        figures = self.books
        return {
            "records_counted": figures.records_counted,
            "records_acked": figures.records_acked,
            "records_stored": figures.records_stored,
            "conflicts": figures.conflicts,
            "lost": figures.lost,
            "duplicated": figures.duplicated,
            "snapshots": list(self.snapshots),
            "compare": self.compare,
            "exports": [str(path) for path in self.exports],
            "seconds": self.seconds,
            "balanced": figures.balance(),
            "units_counted": figures.units_counted,
            "units_stored": figures.units_stored,
            "mishaps": self.mishaps,
        }

    def in_words(self) -> str:
        """A few lines for a person."""
        figures, changed = self.books, self.compare
        verdict = "The books balance." if figures.balance() else "THE BOOKS DO NOT BALANCE."
        mishaps = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in self.mishaps.items())
        files = "\n".join(f"    {path}" for path in self.exports)
        return (
            f"  Counted {figures.records_counted} records; stored {figures.records_stored}, kept aside as conflicts "
            f"{figures.conflicts}, lost {figures.lost}, duplicated {figures.duplicated}. {verdict}\n"
            f"  Units counted {figures.units_counted:g}, units stored {figures.units_stored:g}.\n"
            f"  On the way: {mishaps}.\n"
            f"  Second snapshot against the first: {changed['added']} lines added, {changed['removed']} removed, "
            f"{changed['changed']} changed, {changed['unchanged']} unchanged.\n"
            f"  Files:\n{files}\n  All of it in {self.seconds:g} s."
        )


def tell(running: Running, stock_list: Path, devices: int, seed: int, say: Say, late: Shift | None = None) -> Story:
    """Play the whole story against a running StockVerify. For those who look around afterwards there is a late shift,
    which begins before the last snapshot, so that it is in there, and there are reports by mail."""
    started = time.monotonic()
    settings = running.settings
    password = settings.admin_password or ""
    with open_mongo(settings.mongodb_uri or "") as client:
        store = database(client, settings)
        _import(store, stock_list, say)
        supervisor, counters = cast(devices + (POSTS if late else 0))
        admin = Office(running.api, "admin", password)
        for person in (supervisor, *counters):
            admin.hire(person)
        admin.give_address(supervisor.username, schedules.SUPERVISOR)
        admin.give_address("admin", schedules.ADMIN)
        admin.close()
        office = Office(running.api, supervisor.username, supervisor.password)
        count = _Count(running, office, store, seed, say)
        snapshots, mishaps, counted = asyncio.run(count.both_rounds(counters[:devices], counters[devices:], late))
        say("Comparing and exporting …")
        comparison = office.compare(snapshots[0], snapshots[1], "Round 2 against round 1")
        exports = tuple(office.export(snapshots[1], kind, settings.exports) for kind in FORMATS)
        if late is not None:
            _flag(running, office, say)
            say("Arranging reports by mail …")
            schedules.arrange(office, settings.time_zone)
        office.close()
        closed = books.close(counted, store)
    return Story(
        books=closed,
        snapshots=snapshots,
        compare=_counts(comparison["comparison_result"]["row_diff"]),
        exports=exports,
        seconds=round(time.monotonic() - started, 1),
        mishaps=mishaps,
        logins=_logins(password, supervisor, counters),
    )


class _Count:
    """The two counting rounds."""

    def __init__(self, running: Running, office: Office, store: Database[Document], seed: int, say: Say) -> None:
        self._running, self._office, self._say, self._seed = running, office, say, seed
        self._shelves = Shelves(_lines(store), seed)

    async def both_rounds(
        self, people: tuple[Person, ...], late_people: tuple[Person, ...], late: Shift | None
    ) -> tuple[tuple[str, str], dict[str, int], list[books.Counted]]:
        """The ids of both snapshots, what went wrong on the way, and every record as its device knows it."""
        settings, shelves = self._running.settings, self._shelves
        folder = settings.data_dir / "devices"
        folder.mkdir(exist_ok=True)
        async with crew(people, self._running.api, folder, settings, self._office, self._seed) as hands:
            readings = {rack_id: shelves.readings(rack_id, 1) for rack_id in sorted(shelves.racks)}
            again = set(shelves.worst(RECOUNTED))
            left = _left(readings, again) if late else {}
            readings = {rack_id: lines for rack_id, lines in readings.items() if rack_id not in left}
            self._say(f"Round 1: {len(people)} devices count {len(readings)} racks …")
            if late:
                await asyncio.to_thread(late.fall_silent, late_people[0], left)
            hasty = _hasty(readings)
            again |= await hands.quarrel(readings, lambda others: hands.count(others, hasty))
            first = await asyncio.to_thread(self._office.snapshot, "After round 1")
            await asyncio.to_thread(library.furnish, self._office)
            if late:
                await asyncio.to_thread(schedules.send_one, self._office, settings.time_zone)
            self._say(f"Round 2: {len(again)} racks are counted again …")
            for rack_id in sorted(again):
                await asyncio.to_thread(self._office.reverify, rack_id)
            await hands.count({rack_id: shelves.readings(rack_id, 2) for rack_id in sorted(again)})
            if late is not None:
                await asyncio.to_thread(late.begin, late_people[1:], left)
            second = await asyncio.to_thread(self._office.snapshot, "After round 2")
            return (first, second), hands.mishaps(), hands.counted()


def _left(readings: Readings, again: set[str]) -> Readings:
    """Racks for the late shift: large ones that nobody has to count again, few of a long list and none of a short
    one."""
    free = [rack_id for rack_id in readings if rack_id not in again]
    largest = sorted(free, key=lambda rack_id: (-len(readings[rack_id]), rack_id))
    return {rack_id: readings[rack_id] for rack_id in largest[: min(POSTS, len(readings) // 10)]}


def _hasty(readings: Readings) -> str | None:
    """The rack that somebody counts in haste, if there is one that is large enough to show it."""
    return next((rack_id for rack_id, lines in readings.items() if len(lines) >= HASTY_LINES), None)


def _flag(running: Running, office: Office, say: Say) -> None:
    """Have anomalies looked for, which the worker does by itself only once an hour. The supervisor dismisses the
    mildest one."""
    say("Looking for anomalies …")
    admin = Office(running.api, "admin", running.settings.admin_password or "")
    found = admin.look_for_anomalies()
    admin.close()
    for flag_id in found[-1:]:
        office.dismiss(flag_id, "Checked on the shelf: the count is right.")


def _import(store: Database[Document], stock_list: Path, say: Say) -> None:
    stock = load(stock_list)
    if not stock.rows.height:
        raise DemoFailed(reason=f"{stock_list} holds no usable row; try `stockverify import --dry-run` on it")
    say(f"Importing {stock.rows.height} stock lines from {stock_list.name} ({len(stock.rejections)} rejected) …")
    apply(store, plan(stock, read_book(store)), datetime.now(UTC))


def _lines(store: Database[Document]) -> Iterable[Line]:
    for item in store[Collection.ERP_ITEMS].find().sort([("rack_id", 1), ("bin", 1), ("item_code", 1)]):
        yield Line(
            floor=item["floor"],
            rack_id=item["rack_id"],
            bin=item["bin"],
            item_code=item["item_code"],
            uom=item.get("uom") or "",
            category=item.get("category") or "",
            unit_cost=item.get("unit_cost") or 0.0,
            book_qty=item["book_qty"],
        )


def _counts(row_diff: dict[str, Any]) -> dict[str, int]:
    return {name: int(row_diff[f"{name}_count"]) for name in ("added", "removed", "changed", "unchanged")}


def _logins(password: str, supervisor: Person, counters: tuple[Person, ...]) -> tuple[tuple[str, str, str], ...]:
    first = counters[0]
    return (
        (Role.ADMIN.value, "admin", password),
        (supervisor.role.value, supervisor.username, supervisor.password),
        (first.role.value, first.username, first.password),
    )
