"""Load for the fault tests: a crew that counts while something breaks, and the check of everything afterwards."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pymongo.errors import PyMongoError

from stockverify.clients import open_mongo
from tests.faults.checks import problems
from tests.faults.counters import Counter, Crew
from tests.faults.stack import Stack


class Watch(threading.Thread):
    """Samples the fences of all racks: they only rise."""

    def __init__(self, stack: Stack, crew: Crew) -> None:
        super().__init__(name="fences")
        self.samples = 0
        self._stack, self._crew, self._highest = stack, crew, dict[str, int]()

    def run(self) -> None:
        """Look again and again, also while MongoDB is away."""
        with open_mongo(self._stack.service.settings.mongodb_uri or "") as client:
            racks = client[self._stack.stored.name].rack_registry
            while not self._crew.stop.wait(0.03):
                try:
                    self._look({row["_id"]: row["fence"] for row in racks.find({}, {"fence": 1})})
                except PyMongoError:
                    continue

    def _look(self, fences: dict[str, int]) -> None:
        self.samples += 1
        for rack_id, highest in self._highest.items():
            if fences.get(rack_id, 0) < highest:
                self._crew.ledger.note(f"the fence of {rack_id} fell from {highest} to {fences.get(rack_id)}")
        self._highest |= fences


@contextmanager
def load(
    stack: Stack,
    seed: int,
    addresses: list[str] | None = None,
    people: int = 10,
    clock_of: Callable[[int], float] = lambda place: 0.0,
    least: int = 30,
) -> Iterator[Crew]:
    """A crew at work until the end of the block; then everything drains and every promise is checked.

    `least` answered batches make sure that there was something to break.
    """
    print(f"seed {seed}")
    racks = [f"{seed}-R{number}" for number in range(max(2, people * 2 // 3))]
    crew = Crew(racks, addresses or [service.url for service in stack.services], seed)
    counters = [Counter(crew, person, place, clock_of(place)) for place, person in enumerate(stack.people(people))]
    threads = [Watch(stack, crew), *counters]
    for thread in threads:
        thread.start()
    try:
        crew.wait_for_answers(people)
        yield crew
        crew.wait_for_answers(least - len(crew.ledger.deliveries))
    finally:
        crew.stop.set()
        for thread in threads:
            thread.join()
    if found := problems(crew.ledger, stack.stored):
        raise AssertionError("\n".join([f"seed {seed}, {len(found)} problems", *found[:20]]))
    lost = sum(counter.lost_replies for counter in counters)
    print(f"{len(crew.ledger.deliveries)} answers, {lost} lost, {sum(each.refused for each in counters)} refused")
