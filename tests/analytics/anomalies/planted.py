"""A store that was counted honestly with all the noise of real counting, and the anomalies that were planted in it.

The noise: slips in both directions, packs of ten and twelve, quick hands, breaks, clocks that are off, a device that
worked without network and one that stamps its records when it sends them, recounts, goods sold between two counts,
cartons whose serial numbers follow each other, and a few serial numbers that nobody read.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow.parquet as pq

from analytics.anomalies.frames import Files
from stockverify.datasets import POSITIONS, RECORDS, Dataset
from stockverify.vocabulary import AnomalyKind
from tests.analytics.lake.frozen import rows as table

Row = dict[str, Any]
START = datetime(2026, 1, 31, 8, tzinfo=UTC)
RACKS, LINES, COUNTERS, CATEGORIES = 120, 50, 12, 8
GUESSER, COPIER = "counter-3", "counter-7"
PACKER, CAREFUL = "counter-5", "counter-9"
SLIP, SERIALISED = 0.15, 0.12
FAST_RACKS, QUICK_RACKS, STAMPED_RACKS, OFFLINE_RACKS = range(10, 14), range(14, 18), range(20, 26), range(30, 40)
EARLIER_RACKS, RECOUNTED_RACKS = range(40, 80), range(80, 100)


class Planted(NamedTuple):
    """The tables, and of each kind what its flags must be about."""

    positions: list[Row]
    records: list[Row]
    previous: list[Row]
    truth: Mapping[AnomalyKind, set[str]]


def about(flag: Row) -> str:
    """What a flag is about, as `Planted.truth` has it: a key for lines and records, else the subject."""
    named: bool = flag["subject_type"] in ("line", "record")
    return "|".join(flag["proof"][0]) if named else str(flag["subject"])


def planted(seed: int) -> Planted:
    """A store of 6,000 lines."""
    rng = random.Random(seed)
    truth: dict[AnomalyKind, set[str]] = defaultdict(set)
    truth[AnomalyKind.DIGIT_HEAPING].add(GUESSER)
    truth[AnomalyKind.ALWAYS_BOOK].add(COPIER)
    lines = [line for rack in range(RACKS) for line in _rack(rng, rack)]
    _wild(rng, lines, truth)
    records = [record for rack in range(RACKS) for record in _counted(rng, rack, lines, truth)]
    _serial_tricks(rng, records, truth)
    earlier = list(_earlier(rng, lines, truth))
    again = list(_first_round(rng, lines, truth))
    return Planted([_position(line) for line in lines], records + again, earlier, truth)


def write(store: Planted, folder: Path) -> Files:
    """The tables as files."""
    tables: dict[str, tuple[Dataset, list[Row]]] = {
        "positions": (POSITIONS, store.positions),
        "records": (RECORDS, store.records),
        "previous": (POSITIONS, store.previous),
    }
    for name, (dataset, found) in tables.items():
        pq.write_table(table(dataset, *found), folder / f"{name}.parquet")
    return Files(*([folder / f"{name}.parquet"] for name in tables))


def _rack(rng: random.Random, rack: int) -> Iterator[Row]:
    """What the book has on a rack, and what an honest or a lazy counter finds there."""
    counter = f"counter-{rack % COUNTERS}"
    for place in range(LINES):
        book = float(max(1, min(round(rng.lognormvariate(3.0, 1.0)), 400)))
        if rng.random() < 0.2:
            book = max(10.0, book // 10 * 10) if rng.random() < 0.5 else max(12.0, book // 12 * 12)
        if counter == PACKER and book >= 10:
            book = book // 10 * 10
        slip = rng.choice((-1, 1)) * min(1 + int(rng.expovariate(1 / (0.5 + book**0.5 / 4))), 12)
        verified = max(book + (slip if rng.random() < (SLIP / 4 if counter == CAREFUL else SLIP) else 0), 0.0)
        if counter == COPIER and rng.random() < 0.99:
            verified = book
        if counter == GUESSER and verified >= 20 and rng.random() < 0.5:
            verified = float(round(verified / 5) * 5)
        yield {
            "rack_id": f"R{rack:03}",
            "rack": rack,
            "bin": f"B{place % 4}",
            "item_code": f"{rack * LINES + place:05}",
            "category": f"C{rng.randrange(CATEGORIES)}" if rng.random() < 0.98 else None,
            "book_qty": book,
            "verified_qty": verified,
            "counter": counter,
        }


def _key(line: Row) -> str:
    return "|".join(line[name] for name in POSITIONS.key)


def _honest(line: Row) -> bool:
    return line["counter"] not in (GUESSER, COPIER)


def _wild(rng: random.Random, lines: list[Row], truth: dict[AnomalyKind, set[str]]) -> None:
    """A digit too many, a pallet overlooked: on racks that are counted once."""
    once = [line for line in lines if line["rack"] < min(EARLIER_RACKS) and _honest(line)]
    for line in rng.sample(once, 20):
        missing = line["book_qty"] > 60 and rng.random() < 0.5
        line["verified_qty"] = 0.0 if missing else line["book_qty"] + round(9 * rng.paretovariate(1.0))
        truth[AnomalyKind.VARIANCE_OUTLIER].add(_key(line))


def _position(line: Row, **fields: Any) -> Row:
    position = {
        "floor": "Ground",
        "damage_qty": 0.0,
        "unit_cost": 2.0,
        "counted": True,
        "in_book": True,
        "round": 2 if line["rack"] in RECOUNTED_RACKS else 1,
        "counted_by": line["counter"],
        "counted_at": START,
        **{name: line[name] for name in ("rack_id", "bin", "item_code", "category", "book_qty", "verified_qty")},
        **fields,
    }
    return position | {"variance_qty": position["verified_qty"] - position["book_qty"]}


def _counted(rng: random.Random, rack: int, lines: list[Row], truth: dict[AnomalyKind, set[str]]) -> Iterator[Row]:
    """The records of a rack's only, or second, round."""
    session, off = f"s-{rack:03}", timedelta(seconds=rng.gauss(0, 4000))
    moment = START + timedelta(seconds=rng.uniform(0, 7200))
    if rack in FAST_RACKS:
        truth[AnomalyKind.IMPOSSIBLE_SPEED].add(session)
    for line in lines[rack * LINES : (rack + 1) * LINES]:
        moment += timedelta(seconds=_pause(rng, rack))
        yield _record(
            rng,
            line,
            client_record_id=f"c-{line['item_code']}",
            session_id=session,
            created_at=moment + off,
            received_at=START + timedelta(hours=9) if rack in OFFLINE_RACKS else moment + timedelta(seconds=2),
            round=2 if rack in RECOUNTED_RACKS else 1,
        )


def _pause(rng: random.Random, rack: int) -> float:
    """Seconds from one record to the next."""
    if rack in FAST_RACKS:
        return rng.uniform(0.4, 2.2)
    if rack in STAMPED_RACKS:
        return rng.uniform(0.0, 0.01)
    if rng.random() < 0.03:
        return rng.uniform(300, 2400)
    if rack in QUICK_RACKS:
        return rng.uniform(2.0, 4.5)
    return rng.uniform(1.0, 3.0) if rng.random() < 0.15 else rng.lognormvariate(2.6, 0.5)


def _record(rng: random.Random, line: Row, **fields: Any) -> Row:
    few = 0 < line["verified_qty"] <= 12 and rng.random() < SERIALISED * 2
    return {
        "rack_id": line["rack_id"],
        "floor": "Ground",
        "bin": line["bin"],
        "item_code": line["item_code"],
        "verified_qty": line["verified_qty"],
        "damage_qty": 0.0,
        "serial_numbers": list(_serials(rng, int(line["verified_qty"]))) if few else [],
        "status": "finalized",
        "username": line["counter"],
        **fields,
    }


def _serials(rng: random.Random, wanted: int) -> Iterator[str]:
    for _ in range(wanted):
        yield f"{rng.choice('ABXZ')}{rng.randrange(10**10):010}"


def _serial_tricks(rng: random.Random, records: list[Row], truth: dict[AnomalyKind, set[str]]) -> None:
    """Repeated, made up, in a row, too few; and as noise a few cartons in a row among those that are not."""
    found = truth[AnomalyKind.SERIAL_PATTERN]
    bearing = [record for record in records if len(record["serial_numbers"]) >= 6]
    chosen = rng.sample(bearing, 20)
    for first, second in zip(chosen[0:4], chosen[4:8], strict=True):
        second["serial_numbers"][0] = first["serial_numbers"][0]
        found.add(first["serial_numbers"][0])
    for record, made_up in zip(chosen[8:11], ("0000000", "12345678", "99999"), strict=True):
        record["serial_numbers"][1] = made_up
        found.add(made_up)
    for record in chosen[11:15]:
        start = rng.randrange(10**6)
        record["serial_numbers"] = [f"SN{start + step:08}" for step in range(len(record["serial_numbers"]))]
        found.add(record["client_record_id"])
    for record in chosen[15:18]:
        record["serial_numbers"] = record["serial_numbers"][:2]
        found.add(record["client_record_id"])
    for record in chosen[18:20]:  # cartons as they come from a factory: nothing can tell these from typed ones
        start = rng.randrange(10**6)
        record["serial_numbers"] = [f"SN{start + step:08}" for step in range(len(record["serial_numbers"]))]


def _earlier(rng: random.Random, lines: list[Row], truth: dict[AnomalyKind, set[str]]) -> Iterator[Row]:
    """An earlier snapshot: goods were sold and delivered since, which the book knows; and some counts were wild."""
    again = [line for line in lines if line["rack"] in EARLIER_RACKS]
    wild = {_key(line) for line in rng.sample([line for line in again if _honest(line)], 12)}
    truth[AnomalyKind.SUDDEN_CHANGE] |= wild
    for line in again:
        moved = float(rng.randint(-30, 60)) if rng.random() < 0.4 else 0.0
        book = max(line["book_qty"] + moved, 0.0)
        found = book + (line["verified_qty"] - line["book_qty"] if rng.random() < 0.8 else rng.randint(-2, 2))
        if _key(line) in wild:
            found = 0.0 if book > 60 and rng.random() < 0.5 else book + 0.3 * book + rng.randint(6, 60)
        yield _position(
            line, book_qty=book, verified_qty=max(found, 0.0), counted_at=START - timedelta(days=30), round=1
        )


def _first_round(rng: random.Random, lines: list[Row], truth: dict[AnomalyKind, set[str]]) -> Iterator[Row]:
    """The round before, of racks that were counted again the same day; another counter slipped elsewhere."""
    again = [line for line in lines if line["rack"] in RECOUNTED_RACKS]
    wild = {_key(line) for line in rng.sample([line for line in again if _honest(line)], 8)}
    truth[AnomalyKind.SUDDEN_CHANGE] |= wild
    for line in again:
        before = max(line["verified_qty"] + (rng.choice((-2, -1, 1, 2)) if rng.random() < 0.2 else 0), 0.0)
        if _key(line) in wild:
            before = line["verified_qty"] + rng.randint(6, 60) + round(0.3 * line["verified_qty"])
        first = {**line, "verified_qty": before, "counter": "counter-1"}
        yield _record(
            rng,
            first,
            client_record_id=f"c1-{line['item_code']}",
            session_id=f"s1-{line['rack_id']}",
            created_at=START - timedelta(hours=5) + timedelta(seconds=20 * int(line["item_code"][-3:])),
            received_at=START - timedelta(hours=2),
            round=1,
        )


class Score(NamedTuple):
    """How well one kind was found."""

    planted: int
    flagged: int
    right: int

    @property
    def precision(self) -> float:
        """Share of flags that were planted."""
        return self.right / self.flagged if self.flagged else 1.0

    @property
    def recall(self) -> float:
        """Share of what was planted that was flagged."""
        return self.right / self.planted if self.planted else 1.0

    def __add__(self, other: object) -> "Score":
        assert isinstance(other, Score)
        return Score(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def scores(flags: pl.DataFrame, truth: Mapping[AnomalyKind, set[str]]) -> dict[AnomalyKind, Score]:
    """The score of each kind."""
    found: dict[str, set[str]] = defaultdict(set)
    for flag in flags.iter_rows(named=True):
        found[flag["kind"]].add(about(flag))
    return {kind: Score(len(truth[kind]), len(found[kind]), len(found[kind] & truth[kind])) for kind in AnomalyKind}
