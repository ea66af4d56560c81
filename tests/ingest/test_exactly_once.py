"""Invariant 1 as a property: delivered often, shuffled, at once and cut off is delivered once."""

import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pymongo.database import Database

from tests.faults.proxy import Mishaps, proxy
from tests.service import Service, claim, record, sync

Stored = Database[dict[str, Any]]
Line = dict[str, Any]
DERIVED = ("_id", "digest", "received_at", "created_at", "conflict_id")
"""What differs between two deliveries without a difference that matters: hashes over ids, and times of receipt."""

NAMES = st.sampled_from("abc")
QUANTITIES = st.sampled_from([0, 1, 2.5, 7])
MINUTES = st.integers(0, 3).map(lambda minute: f"2026-01-05T08:0{minute}:00Z")
LINES = st.fixed_dictionaries(
    {
        "name": NAMES,
        "item_code": st.sampled_from(["I-1", "I-2"]),
        "verified_qty": QUANTITIES,
        "damage_qty": st.sampled_from([0, 0, 0, 1, 9]),
        "serial_numbers": st.lists(st.sampled_from(["s1", "s2", "s3"]), max_size=2),
        "revision": st.integers(1, 4),
        "updated_at": MINUTES,
    },
    optional={"status": st.just("unheard of"), "bin": st.just("B1")},
)


class World:
    """One person's counts; the same counts in two worlds must lead to the same database."""

    _numbers = itertools.count(1)

    def __init__(self, service: Service, cut: str) -> None:
        self.person, self._cut = service.person(device="d-1"), cut
        self._user = self.person.get("/api/auth/me").json()
        self.begin()

    def begin(self) -> None:
        """A new rack, on which nothing has been counted."""
        self.rack = f"once-{next(self._numbers)}"
        self.grant = claim(self.person, self.rack)

    def batch(self, lines: list[Line]) -> list[dict[str, Any]]:
        """Lines as records of this world."""
        return [self._record(**line) for line in lines]

    def _record(self, name: str, serial_numbers: list[str], **changes: Any) -> dict[str, Any]:
        serials = [f"{self.rack}-{serial}" for serial in serial_numbers]
        return record(self.grant, f"{self.rack}-{name}", serial_numbers=serials, **changes)

    def deliver(self, batch: list[dict[str, Any]], cut: bool = False) -> None:
        """Send a batch and read the answer, or lose the connection once it is answered."""
        if not cut:
            sync(self.person, *batch)
            return
        with httpx.Client(headers=self.person.headers) as client, pytest.raises(httpx.TransportError):
            client.post(self._cut + "/api/sync/batch", json={"records": batch})

    def contents(self, stored: "Stored") -> dict[str, list[str]]:
        """Everything stored for this world's rack, in a form that is equal for equal work in another world."""
        mine: dict[str, dict[str, Any]] = {
            "verification_records": {"rack_id": self.rack},
            "record_history": {"rack_id": self.rack},
            "item_serials": {"rack_id": self.rack},
            "sync_conflicts": {"session_id": self.grant["session_id"]},
        }
        return {name: sorted(self._plain(row) for row in stored[name].find(query)) for name, query in mine.items()}

    def _plain(self, row: dict[str, Any]) -> str:
        text = json.dumps(_without_derived(row), sort_keys=True, default=str)
        changing = (self.rack, self.grant["session_id"], self._user["id"], self._user["username"])
        for each in changing:
            text = text.replace(each, "*")
        return text


def _without_derived(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_derived(inner) for key, inner in value.items() if key not in DERIVED}
    return [_without_derived(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def worlds(service: Service) -> Iterator[tuple[World, World]]:
    """Two people, and a proxy that loses the reply to every request."""
    with proxy(service.settings.api_port, mishaps=Mishaps(lose_reply=1)) as between:
        address = f"http://127.0.0.1:{between.port}"
        yield World(service, address), World(service, address)


def bounded(examples: int) -> Callable[[Any], Any]:
    """Each example runs against real servers."""
    relaxed = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, deadline=None, suppress_health_check=relaxed)


def counted(revision: int, quantity: float, minute: int) -> Line:
    """One version of record c."""
    time = f"2026-01-05T08:0{minute}:00Z"
    told = {"name": "c", "item_code": "I-1", "damage_qty": 0, "serial_numbers": []}
    return told | {"verified_qty": quantity, "revision": revision, "updated_at": time}


@bounded(60)
@example(lines=[counted(1, 2.5, 0), counted(1, 2.5, 1), counted(2, 0, 0)], cuts=[False, False])
@given(lines=st.lists(LINES, min_size=1, max_size=6), cuts=st.lists(st.booleans(), min_size=1, max_size=5))
def test_one_batch_delivered_often_at_once_and_cut_off(
    worlds: tuple[World, World], stored: "Stored", lines: list[Line], cuts: list[bool]
) -> None:
    once, often = worlds
    once.begin()
    often.begin()
    once.deliver(once.batch(lines))
    batch = often.batch(lines)
    with ThreadPoolExecutor(len(cuts)) as pool:
        list(pool.map(lambda cut: often.deliver(batch, cut), cuts))
    assert often.contents(stored) == once.contents(stored)


def _split(lines: list[Line]) -> list[list[Line]]:
    """Batches of which no two quarrel: serial numbers belong to one record, and a revision has one content."""
    seen = {(line["name"], line["revision"]): line for line in lines}
    own = [
        line
        | {"serial_numbers": sorted({line["name"] + serial for serial in line["serial_numbers"]})}
        | {"updated_at": f"2026-01-05T08:0{line['revision']}:00Z"}
        for line in seen.values()
    ]
    return [own[start : start + 2] for start in range(0, len(own), 2)]


@bounded(40)
@given(lines=st.lists(LINES, min_size=2, max_size=8), data=st.data())
def test_several_batches_delivered_often_in_any_order(
    worlds: tuple[World, World], stored: "Stored", lines: list[Line], data: st.DataObject
) -> None:
    once, often = worlds
    once.begin()
    often.begin()
    batches = _split(lines)
    for batch in batches:
        once.deliver(once.batch(batch))
    times = [data.draw(st.integers(1, 3)) for _ in batches]
    deliveries = data.draw(st.permutations([batch for batch, n in zip(batches, times, strict=True) for _ in range(n)]))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda batch: often.deliver(often.batch(batch)), deliveries))
    assert often.contents(stored) == once.contents(stored)


def test_a_replay_of_versions_that_no_single_order_fits_changes_nothing(service: Service, stored: "Stored") -> None:
    """With and without revision numbers: each of these three is newer than the one before, the first than the last."""
    staff, rack = service.person(), service.rack()
    grant = claim(staff, rack)
    orders: list[Line] = [
        {"revision": 5, "updated_at": "2026-01-05T08:01:00Z", "verified_qty": 1},
        {"updated_at": "2026-01-05T08:02:00Z", "verified_qty": 2},
        {"revision": 3, "updated_at": "2026-01-05T08:03:00Z", "verified_qty": 3},
    ]
    sync(staff, *(record(grant, rack, **order) for order in orders))
    kept = [list(stored[name].find({"rack_id": rack})) for name in ("verification_records", "record_history")]
    for place in range(3):
        assert sync(staff, record(grant, rack, **orders[place]), batch_id=f"b-{place}")["ok"] == [rack]
    again = [list(stored[name].find({"rack_id": rack})) for name in ("verification_records", "record_history")]
    assert again == kept
