"""Documents on which two engines may disagree: ties, nulls, missing fields, and numbers stored in several ways."""

from collections.abc import Callable, Iterator
from itertools import product
from random import Random
from typing import Any

from stockverify.clients import Document
from stockverify.datasets import ITEMS, RECORDS, SESSIONS, Dataset, Type
from tests.analytics.query.drawn import INSTANTS, NULLABLE, NUMBERS, TEXTS, TIMES
from tests.analytics.stock import item, record, session

SETS = tuple(f"set-{seed}" for seed in range(10))
"""Lists of rows that were drawn, each in a rack of its own, so that a query can ask for one of them."""
ASKED = (RECORDS, ITEMS, SESSIONS)
_LONGEST = 24


def varied() -> Iterator[Document]:
    """Records, always the same: every text with every number."""
    for number, (text, quantity) in enumerate(product(TEXTS, NUMBERS)):
        made = record(
            f"c-{number:03}",
            TEXTS[number % 5] or None,
            text,
            quantity,
            floor=None if number % 4 == 0 else TEXTS[number % 7],
            bin=TEXTS[number % 3],
            round=1 + number % 3,
            mrp=NUMBERS[number % (len(NUMBERS) - 1)],
            created_at=INSTANTS[number % len(INSTANTS)],
            serial_numbers=list(TEXTS[: number % 4]) if number % 5 else None,
            unknown_item=(True, False, None)[number % 3],
            received_at=TIMES[number % 3] if number % 6 else None,
        )
        for position, name in enumerate(NULLABLE):
            if number % (11 + position) == 0:
                del made[name]
        yield made


def drawn(dataset: Dataset) -> Iterator[Document]:
    """The documents of all sets; some of them have one or none."""
    for rack in SETS:
        draw = Random(f"{dataset.name} {rack}")
        for number in range(draw.choice([0, 1, *range(2, _LONGEST)])):
            name = f"{rack}-{number}"
            made = _MADE[dataset.name](name, rack)
            yield _changed(draw, dataset, made)


_MADE: dict[str, Callable[[str, str], Document]] = {
    RECORDS.name: lambda name, rack: record(name, rack, "a", 1.0),
    ITEMS.name: lambda name, rack: item(rack, name, 1.0),
    SESSIONS.name: session,
}
_VALUES: dict[Type, Callable[[Random], Any]] = {
    Type.STRING: lambda draw: draw.choice(TEXTS),
    Type.FLOAT: lambda draw: draw.choice(NUMBERS),
    Type.INTEGER: lambda draw: draw.randrange(4),
    Type.BOOLEAN: lambda draw: draw.random() < 0.5,
    Type.INSTANT: lambda draw: draw.choice(INSTANTS),
    Type.STRINGS: lambda draw: list(TEXTS[: draw.randrange(4)]),
}


def _changed(draw: Random, dataset: Dataset, made: Document) -> Document:
    """All but rack and key anew: few values, so that there are ties, nulls, and nothing at all."""
    for column in dataset.columns:
        if column.name in ("rack_id", *dataset.key):
            continue
        if (chance := draw.random()) < 0.1:
            made.pop(column.field, None)
        else:
            made[column.field] = None if chance < 0.25 else _VALUES[column.type](draw)
    return made
