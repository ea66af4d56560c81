"""What really lies on the shelves of the demo, and what a counter reads there. Deterministic for a seed."""

import random
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

HALVED = 3
"""In so many racks that are counted again, half of the largest line is overlooked in the first round."""

PALLET = 100
"""So many units at least stand in two places, of which one can be overlooked."""


class Line(NamedTuple):
    """One line of the stock list."""

    floor: str
    rack_id: str
    bin: str
    item_code: str
    uom: str
    category: str
    unit_cost: float
    book_qty: float


class Reading(NamedTuple):
    """What a counter enters for a line. `first` is an entry that the counter corrects afterwards, if any."""

    line: Line
    verified: float
    damaged: float
    serials: tuple[str, ...] = ()
    first: float | None = None


class Shelves:
    """Truth and human error: most lines agree with the book, some are short, a few hold more, and counters slip."""

    def __init__(self, lines: Iterable[Line], seed: int) -> None:
        self._rng = random.Random(seed)
        self.racks: dict[str, list[Line]] = defaultdict(list)
        for line in lines:
            self.racks[line.rack_id].append(line)
        self._truth = {line: self._on_shelf(line) for rack in self.racks.values() for line in rack}
        self._halved = {line for rack_id in self.worst(1.0)[:HALVED] for line in self._most(rack_id)}

    def readings(self, rack_id: str, counting_round: int) -> list[Reading]:
        """What a counter enters for a rack. The first round has slips and skips a line now and then."""
        readings = [self._read(line, counting_round) for line in self.racks[rack_id]]
        return [reading for reading in readings if reading is not None]

    def worst(self, share: float) -> list[str]:
        """Racks with the most value at variance: a supervisor has them counted again."""
        ranked = sorted(self.racks, key=lambda rack_id: (-self._at_variance(rack_id), rack_id))
        return ranked[: max(1, round(len(ranked) * share))]

    def _on_shelf(self, line: Line) -> float:
        chance = self._rng.random()
        if chance < 0.86 or line.book_qty <= 0:
            return line.book_qty
        share = self._rng.uniform(-0.12, -0.01) if chance < 0.96 else self._rng.uniform(0.005, 0.05)
        step = line.book_qty * share
        return max(0.0, round(line.book_qty + round(step, 1 if line.book_qty % 1 else 0), 3))

    def _read(self, line: Line, counting_round: int) -> Reading | None:
        chance, on_shelf = self._rng.random(), self._truth[line]
        if counting_round == 1 and chance < 0.03:
            return None
        slip = counting_round == 1 and chance < 0.07
        verified = float(max(0, on_shelf + self._rng.choice((-10, -1, 1, 2)))) if slip else on_shelf
        if counting_round == 1 and line in self._halved:
            verified = float(on_shelf // 2)
        damaged = float(min(verified, self._rng.randint(1, 3))) if self._rng.random() < 0.05 else 0.0
        corrected = verified + 5 if self._rng.random() < 0.06 else None
        return Reading(line, verified, damaged, self._serials(line, verified, counting_round), corrected)

    def _most(self, rack_id: str) -> list[Line]:
        """The line of a rack with the most units, if they are enough to be overlooked in part."""
        line = max(self.racks[rack_id], key=lambda each: self._truth[each])
        return [line] if self._truth[line] >= PALLET else []

    def _serials(self, line: Line, verified: float, counting_round: int) -> tuple[str, ...]:
        """Dear items in small numbers carry serial numbers; they stay the same from round to round."""
        if line.unit_cost < 200 or not 0 < verified <= 40 or verified % 1:
            return ()
        return tuple(f"{line.item_code}-{line.rack_id}-{line.bin}-{n:04d}" for n in range(1, int(verified) + 1))

    def _at_variance(self, rack_id: str) -> float:
        return sum(abs(self._truth[line] - line.book_qty) * (line.unit_cost or 1) for line in self.racks[rack_id])
