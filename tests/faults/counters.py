"""People who count with bad luck: they claim, count, correct, send again and again until they are answered."""

import random
import threading
import time
from typing import Any

import httpx

from tests.faults.ledger import Answer, Ledger, Sent, name_of
from tests.faults.stack import until

_RESTING = (429, 500, 502, 503, 504)
DRAIN_SECONDS = 45.0


class Crew:
    """What counters share."""

    def __init__(self, racks: list[str], addresses: list[str], seed: int) -> None:
        self.racks, self.addresses, self.seed = racks, addresses, seed
        self.mark = f"c-{seed}-"
        self.ledger, self.stop = Ledger(self.mark), threading.Event()
        self.serials = [f"SN-{seed}-{number}" for number in range(400)]

    def wait_for_answers(self, more: int) -> None:
        """Return once so many more batches were answered."""
        least = len(self.ledger.deliveries) + more
        until(lambda: len(self.ledger.deliveries) >= least)


class Counter(threading.Thread):
    """One person with one device. Their own clock is off by `clock` seconds."""

    def __init__(self, crew: Crew, person: httpx.Client, place: int, clock: float = 0.0) -> None:
        super().__init__(name=f"counter-{place}")
        self.crew, self.ledger, self.place, self.clock = crew, crew.ledger, place, clock
        self.rng = random.Random(f"{crew.seed}/{place}")
        self.answers = self.lost_replies = self.refused = 0
        self.last = ""
        self._headers, self._number = dict(person.headers), 0
        self._grant: dict[str, Any] | None = None
        self._kept: list[Sent] = []
        self._batches: list[tuple[list[Sent], Answer]] = []
        self._give_up_at: float | None = None

    def run(self) -> None:
        """Count until the crew stops; then only finish what is on its way."""
        with httpx.Client(timeout=6, headers=self._headers) as self._client:
            try:
                while not self.crew.stop.is_set():
                    self._step()
            except Undrained as error:
                self.ledger.note(str(error))

    def _step(self) -> None:
        if self._grant is None:
            self._claim(self.rng.choice(self.crew.racks))
            return
        dice = self.rng.random()
        if dice < 0.12:
            self._beat()
        elif dice < 0.18:
            self._leave(self._grant)
        elif dice < 0.3 and self._batches:
            self._replay(*self.rng.choice(self._batches))
        else:
            self._send([self._record(self._grant) for _ in range(self.rng.randint(1, 20))])

    def _claim(self, rack_id: str) -> None:
        asked_at = time.time()
        reply = self._post(f"/api/racks/{rack_id}/claim", {"floor": "Ground"})
        if reply is not None and reply.status_code == 200:
            self._grant, self._kept = reply.json(), []
            self.ledger.granted(reply.json(), asked_at)
        else:
            self.crew.stop.wait(0.02)

    def _beat(self) -> None:
        """A counter who lost the rack sends what is left, and then claims another one."""
        assert self._grant
        reply = self._post(f"/api/sessions/{self._grant['session_id']}/heartbeat", None)
        if reply is not None and reply.status_code == 200 and not reply.json()["rack_lock_renewed"]:
            self._send([self._record(self._grant) for _ in range(3)])
            self._grant = None

    def _leave(self, grant: dict[str, Any]) -> None:
        path = f"/api/racks/{grant['rack_id']}/release"
        if self._post(path, None) is not None:
            self._grant = None

    def _replay(self, records: list[Sent], before: Answer) -> None:
        """What was ok stays ok, whatever has happened since."""
        again = self._deliver(records)
        if gone := set(before["ok"]) - set(again["ok"]):
            self.ledger.note(f"answered ok before and not when sent again: {sorted(gone)}")

    def _send(self, records: list[Sent]) -> None:
        answer = self._deliver(records)
        self._batches.append((records, answer))
        ok = set(answer["ok"])
        self._kept += [record for record in records if name_of(record) in ok]

    def _deliver(self, records: list[Sent]) -> Answer:
        """The same batch until it is answered: a device can always drain its queue."""
        self.ledger.sending(records)
        while True:
            reply = self._post("/api/sync/batch", {"records": records, "batch_id": f"b-{self.place}-{self._number}"})
            if reply is not None and reply.status_code == 200:
                self.answers += 1
                self.ledger.answered(records, reply.json())
                answer: Answer = reply.json()
                return answer
            if reply is not None and reply.status_code not in _RESTING:
                raise Undrained(f"a batch was refused with {reply.status_code}: {reply.text}")
            self._pause()

    def _pause(self) -> None:
        if self.crew.stop.is_set():
            self._give_up_at = self._give_up_at or time.monotonic() + DRAIN_SECONDS
            if time.monotonic() > self._give_up_at:
                late = f"counter {self.place} could not send its batch within {DRAIN_SECONDS:.0f} s"
                raise Undrained(f"{late}; the last answer was {self.last}")
        time.sleep(self.rng.uniform(0.02, 0.15))

    def _post(self, path: str, body: Any) -> httpx.Response | None:
        """None when no reply came back."""
        address = self.rng.choice(self.crew.addresses)
        try:
            reply = self._client.post(address + path, json=body)
        except httpx.TransportError as error:
            self.lost_replies += 1
            self.last = repr(error)
            return None
        self.last = f"{reply.status_code} {reply.text[:200]}"
        if reply.status_code in {500, 401}:
            self.ledger.note(f"{path} answered {reply.status_code}: {reply.text[:300]}")
        self.refused += reply.status_code in _RESTING
        return reply

    def _record(self, grant: dict[str, Any]) -> Sent:
        """A new line, a correction of an earlier one, or one that must become a conflict or an error."""
        self._number += 1
        dice = self.rng.random()
        instant = time.time() + self.clock + self._number * 0.001
        record = {
            "client_record_id": f"{self.crew.mark}{self.place}-{self._number}",
            "session_id": grant["session_id"],
            "rack_id": grant["rack_id"],
            "item_code": f"I-{self.rng.randint(1, 3000)}",
            "bin": f"B{self.place}-{self._number}",
            "verified_qty": float(self.rng.randint(0, 50)),
            "damage_qty": 0.0,
            "serial_numbers": [],
            "status": "finalized",
            "created_at": iso(instant),
            "updated_at": iso(instant),
            "revision": 1,
        }
        if dice < 0.15 and self._kept:
            old = self.rng.choice(self._kept)
            newer = {"verified_qty": record["verified_qty"], "updated_at": iso(instant)}
            return old | newer | {"revision": self._number + 1}
        if dice < 0.3:
            return record | {"serial_numbers": [self.rng.choice(self.crew.serials)]}
        if dice < 0.34:
            return record | {"damage_qty": 99.0}
        if dice < 0.37:
            return record | {"verified_qty": "many"}
        return record


class Undrained(Exception):
    """A device could not bring its batch home."""


def iso(instant: float) -> str:
    """Unix seconds as a device writes them."""
    whole, rest = divmod(instant, 1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int(rest * 1000):03d}Z"
