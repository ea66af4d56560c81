"""A state machine over everything that people do to racks and counts, against real servers (invariants 3, 5 to 12)."""

import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pymongo.cursor import Cursor

from stockverify.clients import Document
from stockverify.services.embedded import Backends
from stockverify.vocabulary import rack_lock_key
from tests.faults.ledger import wrong_reply
from tests.ingest.machine_house import PEOPLE, House, opened
from tests.ingest.machine_model import Model, Rack, Session, Version, Who
from tests.ingest.machine_shapes import as_sent, conflict_of, kinds, sent_version, stored_version

WHO = st.sampled_from(PEOPLE)
RACK = st.sampled_from((0, 1))
PICK = st.integers(0, 10**6)
KEPT = {  # names of collections, and where a row says whose it is: in a place that has an index, for runs are many
    "verification_records": "rack_id",
    "record_history": "client_record_id",
    "sync_conflicts": "client_record_id",
    "item_serials": "_id",
    "rack_registry": "_id",
}
_NUMBERS = itertools.count(1)


class Machine(RuleBasedStateMachine):
    """Every rule does something over HTTP and checks the answer against the model."""

    house: House

    @initialize()
    def begin(self) -> None:
        self.number = next(_NUMBERS)
        self.names = [f"M{self.number}-{place}" for place in (0, 1)]
        self.model = Model({name: Rack() for name in self.names})
        self.batches: list[tuple[Who, bytes, dict[str, Any]]] = []
        self.made = 0
        self.known_fences = dict.fromkeys(self.names, 0)
        for name in self.names:  # a rack exists from its first claim on
            self.claim(PEOPLE[4], self.names.index(name), False)
            self.release(PEOPLE[4], self.names.index(name))

    # ------------------------------------------------------------------------------------------- racks

    @rule(who=WHO, place=RACK, take_over=st.booleans())
    def claim(self, who: Who, place: int, take_over: bool) -> None:
        name = self.names[place]
        expected = self.model.claim(who, name, take_over)
        reply = self._post(who, f"/api/racks/{name}/claim", {"floor": "G", "take_over": take_over})
        if expected is None:
            assert reply.status_code == 409, reply.text
            return
        assert reply.status_code == 200, reply.text
        grant, rack = reply.json(), self.model.racks[name]
        if expected != "new":
            assert (grant["session_id"], grant["fence"]) == (expected, rack.fence)
            self.model.go_on(name)
            return
        assert grant["session_id"] not in self.model.sessions, "ids never repeat"
        assert grant["fence"] == rack.fence + 1
        self.model.grant(Session(grant["session_id"], name, grant["fence"], rack.round, who))

    @rule(who=WHO, place=RACK)
    def release(self, who: Who, place: int) -> None:
        if self._by_holder(who, place, "release"):
            self.model.free(self.names[place], "available")

    @rule(who=WHO, place=RACK)
    def pause(self, who: Who, place: int) -> None:
        if self._by_holder(who, place, "pause"):
            rack = self.model.racks[self.names[place]]
            rack.status, rack.lease = "paused", rack.current

    @rule(who=WHO, place=RACK)
    def resume(self, who: Who, place: int) -> None:
        rack = self.model.racks[self.names[place]]
        if self._by_holder(who, place, "resume", wrong=400 if rack.status != "paused" else None):
            rack.status, rack.lease = "active", rack.current

    @precondition(lambda self: self.model.sessions)
    @rule(pick=PICK, who=st.none() | WHO)
    def complete(self, pick: int, who: Who | None) -> None:
        """Of any session that ever was; another person's is refused."""
        session = list(self.model.sessions.values())[pick % len(self.model.sessions)]
        reply = self._post(who or session.who, f"/api/sessions/{session.name}/complete", None)
        if who is not None and session.who.person != who.person:
            assert reply.status_code == 403, reply.text
            return
        assert reply.status_code == 200, reply.text
        rack = self.model.racks[session.rack]
        if rack.current == session.name and rack.occupied:
            rack.status, rack.lease = "completed", None

    @rule(place=RACK)
    def reverify(self, place: int) -> None:
        rack = self.model.racks[self.names[place]]
        reply = self.house.boss.post(f"/api/racks/{self.names[place]}/reverify")
        if rack.status == "completed":
            self.model.free(self.names[place], "reverify_requested")
            rack.round += 1
        assert reply.status_code == (200 if rack.status == "reverify_requested" else 409), reply.text

    @rule(place=RACK)
    def force_release(self, place: int) -> None:
        occupied = self.model.racks[self.names[place]].occupied
        path = f"/api/racks/{self.names[place]}/force-release"
        reply = self.house.boss.post(path, json={"reason": "went home"})
        assert reply.status_code == (200 if occupied else 409), reply.text
        if occupied:
            self.model.free(self.names[place], "available", fence=1)

    # ------------------------------------------------------------------------------------------- leases

    @precondition(lambda self: self.model.sessions)
    @rule(pick=PICK, who=st.none() | WHO)
    def heartbeat(self, pick: int, who: Who | None) -> None:
        """Mostly from the device itself; another person's is refused."""
        session = self._session(pick)
        reply = self._post(who or session.who, f"/api/sessions/{session.name}/heartbeat", None)
        if who is not None and who.person != session.who.person:
            assert reply.status_code == 403, reply.text
            return
        assert reply.status_code == 200, reply.text
        assert reply.json()["rack_lock_renewed"] == self.model.beat(session)

    @rule(place=RACK)
    def expire(self, place: int) -> None:
        self.house.redis.delete(rack_lock_key(self.names[place]))
        self.model.racks[self.names[place]].lease = None

    @rule()
    def lose_redis(self) -> None:
        self.house.redis.flushall()
        for rack in self.model.racks.values():
            rack.lease = None

    # ------------------------------------------------------------------------------------------- records

    @precondition(lambda self: self.model.sessions)
    @rule(picks=st.lists(st.tuples(PICK, PICK), min_size=1, max_size=5), quirk=st.sampled_from(range(12)))
    def count(self, picks: list[tuple[int, int]], quirk: int) -> None:
        """New records of a session, most of them good; late ones of sessions that ended too."""
        session = self._session(picks[0][0])
        self._send(session.who, [self._new(session, dice, quirk) for _, dice in picks])

    @precondition(lambda self: self.model.sessions)
    @rule(pick=PICK, dice=PICK)
    def count_one(self, pick: int, dice: int) -> None:
        """A good record, most of the time of the session that holds its rack."""
        session = self._session(pick)
        self._send(session.who, [self._new(session, dice, quirk=dice % 24)])

    @precondition(lambda self: self.model.records)
    @rule(pick=PICK, dice=PICK, step=st.sampled_from((1, 1, 2, -1, 0)))
    def edit(self, pick: int, dice: int, step: int) -> None:
        """A newer version of a record, an older one after it, or another one of the same revision."""
        old = self._record(pick)
        serials = self._some_serials(dice) if dice % 3 == 0 else old.serials
        content = (old.content[0], float(dice % 50), 0.0, *old.content[3:])
        changed = old._replace(revision=max(0, old.revision + step), content=content, serials=serials)
        self._send(old.who, [changed])

    @precondition(lambda self: self.model.records)
    @rule(pick=PICK, who=WHO)
    def edit_from_elsewhere(self, pick: int, who: Who) -> None:
        """Another device, or another person, sends a record under an id that is taken."""
        old = self._record(pick)
        # Each device counts differently here: the same content again, from another device of one's own, is no conflict.
        counted = {"phone": 148.0, "tablet": 149.0}[who.device]
        self._send(who, [old._replace(revision=old.revision + 1, content=(old.content[0], counted, *old.content[2:]))])

    @precondition(lambda self: self.model.records and self.model.sessions)
    @rule(pick=PICK, into=PICK, dice=PICK)
    def move(self, pick: int, into: int, dice: int) -> None:
        """A record is corrected in a later session of the same device, perhaps on another rack."""
        old = self._record(pick)
        own = [session for session in self.model.sessions.values() if session.who == old.who]
        session = own[into % len(own)]
        newer = old._replace(session=session.name, revision=old.revision + 1, serials=self._some_serials(dice))
        self._send(old.who, [newer])

    @precondition(lambda self: self.batches)
    @rule(pick=PICK)
    def replay(self, pick: int) -> None:
        """The same bytes again change nothing and get the same answer."""
        who, body, before = self.batches[pick % len(self.batches)]
        stored = self._everything()
        again = self._deliver(who, body).json()
        assert self._everything() == stored
        assert [again[kind] for kind in ("ok", "errors")] == [before[kind] for kind in ("ok", "errors")]
        assert kinds(again) == kinds(before)

    @precondition(lambda self: self.model.conflicts)
    @rule(pick=PICK, resolution=st.sampled_from(("accept_server", "ignore")))
    def resolve(self, pick: int, resolution: str) -> None:
        """What stands stays; the same again changes nothing, and another outcome is refused."""
        versions = list(self.model.conflicts)
        self._settle(versions[pick % len(versions)], resolution)

    @precondition(lambda self: self.model.of_own_sessions())
    @rule(pick=PICK)
    def accept(self, pick: int) -> None:
        """What the device sent becomes current, mostly of a conflict that nobody has settled yet."""
        versions = self.model.of_own_sessions()
        pending = [version for version in versions if self.model.resolution(version) is None]
        some = pending if pending and pick % 4 else versions
        self._settle(some[pick % len(some)], "accept_local")

    def _settle(self, version: Version, resolution: str) -> None:
        known, row = self.model.resolution(version), self._kept_aside(version)
        reply = self.house.boss.post(f"/api/sync/conflicts/{row['_id']}/resolve", json={"resolution": resolution})
        if known is None:
            expected = self.model.acceptable(version) if resolution == "accept_local" else 200
        else:
            expected = 200 if known == resolution else 409
        assert reply.status_code == expected, reply.text
        if known is None and expected == 200:
            known = self.model.resolve(version, resolution)
            if resolution == "accept_local":
                self._accepted(version)
        after = self._kept_aside(version)
        outcome = ("resolved", known) if known else ("pending", None)
        assert (after["status"], after["resolution"], after["local_data"]) == (*outcome, row["local_data"])

    def _accepted(self, version: Version) -> None:
        """From now on its replay may be `ok`; the answers before said otherwise."""
        self.model.accept(version)
        named = version.name.encode()
        self.batches = [batch for batch in self.batches if b'"' + named + b'"' not in batch[1]]

    # ------------------------------------------------------------------------------------------- invariants

    @invariant()
    def racks_are_as_they_ought_to_be(self) -> None:
        if not hasattr(self, "model"):
            return
        for row in self.house.stored.rack_registry.find({"_id": {"$in": self.names}}):
            rack = self.model.racks[row["_id"]]
            assert (row["status"], row["fence"], row["round"]) == (rack.status, rack.fence, rack.round), row
            assert row["fence"] >= self.known_fences[row["_id"]]
            self.known_fences[row["_id"]] = row["fence"]
            assert self.house.redis.get(rack_lock_key(row["_id"])) == rack.lease, row

    @invariant()
    def records_are_as_they_ought_to_be(self) -> None:
        if not hasattr(self, "model"):
            return
        found = list(self.house.stored.verification_records.find({"rack_id": {"$in": self.names}}))
        assert {row["_id"]: stored_version(row) for row in found} == {
            name: (kept.session, kept.revision, kept.content, kept.serials) for name, kept in self.model.records.items()
        }
        assert all(0 <= row["damage_qty"] <= (row["verified_qty"] or 0) for row in found)
        history = self._mine("record_history")
        kept = {(row["client_record_id"], *stored_version(row)) for row in history}
        assert kept == {
            (each.name, each.session, each.revision, each.content, each.serials) for each in self.model.history
        }
        claims = self._mine("item_serials")
        assert {row["_id"]: row["client_record_id"] for row in claims} == self.model.serials

    @invariant()
    def conflicts_are_kept_whole(self) -> None:
        if not hasattr(self, "model"):
            return
        rows = self.house.stored.sync_conflicts.find({"session_id": {"$in": list(self.model.sessions)}})
        kept = {(*sent_version(row["local_data"]), row["conflict_type"]) for row in rows}
        assert kept >= {
            (each.session, each.revision, each.content, each.serials, kind)
            for each, kind in self.model.conflicts.items()
        }

    # ------------------------------------------------------------------------------------------- by hand

    def _post(self, who: Who, path: str, body: Any) -> httpx.Response:
        return self.house.clients[who].post(path, json=body)

    def _by_holder(self, who: Who, place: int, action: str, wrong: int | None = None) -> bool:
        name = self.names[place]
        reply = self._post(who, f"/api/racks/{name}/{action}", None)
        expected = (wrong or 200) if self.model.holds(who, name) else 403
        assert reply.status_code == expected, reply.text
        return expected == 200

    def _session(self, pick: int) -> Session:
        """Mostly one that holds its rack, now and then any that ever was."""
        sessions = list(self.model.sessions.values())
        holders = [self.model.sessions[rack.current] for rack in self.model.racks.values() if rack.current]
        some = holders if holders and pick % 4 else sessions
        return some[pick % len(some)]

    def _record(self, pick: int) -> Version:
        records = list(self.model.records.values())
        return records[pick % len(records)]

    def _some_serials(self, dice: int) -> tuple[str, ...]:
        return tuple(f"M{self.number}-S{(dice // 7 + n) % 4}" for n in range(dice % 3))

    def _new(self, session: Session, dice: int, quirk: int) -> Version:
        self.made += 1
        name = f"{session.rack}-{self.made}"
        quantity: float | None = float(dice % 50)
        damage, status, serials = 0.0, "finalized", self._some_serials(dice) if quirk < 4 else ()
        if quirk == 4:
            damage = quantity + 1 if dice % 2 else quantity
        elif quirk == 5:
            quantity, status = None, "partial"
        elif quirk == 6:
            serials = (f"M{self.number}-S0", f"M{self.number}-S0")
        place = f"B{dice % 3}" if dice % 2 else ""
        return Version(name, 1, (f"I-{self.made}", quantity, damage, place, status), serials, session.name, session.who)

    def _send(self, who: Who, versions: list[Version]) -> None:
        """Deliver, and hold every single answer against the model."""
        versions = [version._replace(who=who) for version in versions]
        records = [as_sent(version) for version in versions]
        body = msgspec.json.encode({"records": records, "batch_id": f"b-{self.number}-{len(self.batches)}"})
        answer = self._deliver(who, body).json()
        assert wrong_reply(records, answer) == []
        conflicts = iter(answer["conflicts"])
        for version, result in zip(versions, answer["results"], strict=True):
            reasons = self.model.judge(version)
            assert result["success"] is (not reasons), (version, result, reasons)
            if not reasons:
                self.model.take(version)
                continue
            kind = next(conflicts)["conflict_type"]
            assert kind in reasons, (version, result, reasons)
            self.model.conflicts[version] = kind
        self.batches.append((who, body, answer))

    def _deliver(self, who: Who, body: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        reply = self.house.clients[who].post("/api/sync/batch", content=body, headers=headers)
        assert reply.status_code == 200, reply.text
        return reply

    def _kept_aside(self, version: Version) -> Document:
        """The stored conflict of a version."""
        wanted = conflict_of(version) | {"user": self.house.names[version.who.person]}
        row = self.house.stored.sync_conflicts.find_one(wanted)
        assert row is not None
        return row

    def _everything(self) -> dict[str, list[Document]]:
        """All that is stored of this run, the racks included."""
        return {name: list(self._mine(name).sort("_id", 1)) for name in KEPT}

    def _mine(self, name: str) -> "Cursor[Document]":
        return self.house.stored[name].find({KEPT[name]: {"$regex": f"^M{self.number}-"}})


@pytest.fixture(scope="module")
def house(embedded: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(embedded, tmp_path_factory.mktemp("machine")) as found:
        yield found


def run(house: House, examples: int, steps: int) -> None:
    """Run the machine so many times, for so many steps each."""
    machine = type("Machine", (Machine,), {"house": house})
    relaxed = list(HealthCheck)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=relaxed
        ),
    )


def test_racks_leases_and_records_do_what_the_model_says(house: House) -> None:
    run(house, examples=25, steps=40)


@pytest.mark.faults
def test_the_same_for_long(house: House) -> None:
    run(house, examples=400, steps=80)
