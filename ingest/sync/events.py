"""What live updates tell of a batch, once it is durable."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from ingest.sync.world import World
from ingest.sync.writes import Writes
from stockverify.vocabulary import GLOBAL_CHANNEL, EventType, RackState, rack_channel, session_channel


class Event(NamedTuple):
    """One message for the feed."""

    kind: EventType
    channel: str
    data: dict[str, Any]


def of_batch(writes: Writes, world: World) -> Iterator[Event]:
    """New records and conflicts of each session, new conflicts by type, and racks that have their first record."""
    accepted = Counter(record["session_id"] for record in (*writes.inserts.values(), *writes.updates.values()))
    disputed = Counter(conflict["session_id"] for conflict in writes.conflicts.values())
    for session_id in accepted | disputed:
        counts = {"ok": accepted[session_id], "conflicts": disputed[session_id]}
        session = world.sessions.get(session_id, {})
        told = {name: session.get(name) for name in ("user_id", "rack_id")} | {"session_id": session_id, **counts}
        yield Event(EventType.RECORDS_SYNCED, session_channel(session_id), told)
    if writes.conflicts:
        by_type = Counter(conflict["conflict_type"] for conflict in writes.conflicts.values())
        yield Event(EventType.CONFLICT_FOUND, GLOBAL_CHANNEL, {"by_type": dict(by_type)})
    for rack_id in sorted(writes.racks):
        rack = world.racks[rack_id]
        if rack["status"] == RackState.CLAIMED:
            told = {"rack_id": rack_id, "floor": rack["floor"], "status": RackState.ACTIVE.value}
            yield Event(EventType.RACK_CHANGED, rack_channel(rack_id), told | {"session_id": rack["session_id"]})
