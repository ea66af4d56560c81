"""Compares what devices were told with what is stored: every promise of the service, in one list of what is broken."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pymongo.database import Database

from stockverify import activity
from stockverify.clients import Document
from tests.faults.ledger import Ledger, Sent, content

Stored = Database[Document]
_GRANTS = ("rack.claimed", "rack.taken_over")


def problems(ledger: Ledger, stored: "Stored") -> list[str]:
    """All that is wrong; an empty list is what every fault test wants."""
    return [
        *ledger.trouble,
        *_lost_or_double(ledger, stored),
        *_lost_conflicts(ledger, stored),
        *_invented(ledger, stored),
        *_wrong_grants(ledger),
        *_accepted_behind_a_fence(ledger, stored),
        *wrong_fences(stored),
        *wrong_serials(stored),
        *wrong_quantities(stored),
        *wrong_audit(stored),
    ]


def _lost_or_double(ledger: Ledger, stored: "Stored") -> Iterator[str]:
    """What was acked exists, as the current version or in the history; no version exists twice."""
    versions: dict[str, list[Document]] = defaultdict(list)
    for row in stored.verification_records.find():
        versions[row["_id"]].append(row)
    for row in stored.record_history.find():
        versions[row["client_record_id"]].append(row)
    for acked in ledger.acked():
        if acked.content not in {content(row) for row in versions[acked.client_record_id]}:
            yield f"{acked.client_record_id} was acked and is not stored as {acked.content}"
    for name, rows in versions.items():
        seen = Counter((row["revision"], row["updated_at"], row["user_id"], content(row)) for row in rows)
        yield from (f"{name} has a version {times} times" for times in seen.values() if times > 1)


def _lost_conflicts(ledger: Ledger, stored: "Stored") -> Iterator[str]:
    """What was answered `conflict` is stored whole, with its reason."""
    kept = {row["_id"]: row for row in stored.sync_conflicts.find()}
    for conflict_id, (kind, record) in ledger.conflicts().items():
        row = kept.get(conflict_id)
        if row is None:
            yield f"conflict {conflict_id} of {record['client_record_id']} is not stored"
        elif row["conflict_type"] != kind or not _whole(row["local_data"], record):
            yield f"conflict {conflict_id} is not stored as it was sent: {row['local_data']}"


def _whole(kept: Document, sent: Sent) -> bool:
    return all(_same(kept.get(name), value) for name, value in sent.items())


def _same(kept: Any, sent: Any) -> bool:
    if isinstance(kept, datetime) and isinstance(sent, str):
        instant = datetime.fromisoformat(sent).astimezone(UTC)
        return abs((kept - instant).total_seconds()) < 0.001
    return bool(kept == sent)


def _invented(ledger: Ledger, stored: "Stored") -> Iterator[str]:
    """Nothing is stored that nobody sent."""
    found = stored.verification_records.find({"_id": {"$regex": f"^{ledger.mark}"}}, {"_id": 1})
    for name in {row["_id"] for row in found} - ledger.sent:
        yield f"{name} is stored and was never sent"


def _wrong_grants(ledger: Ledger) -> Iterator[str]:
    """Fences rise in the order in which grants were seen; a session has one fence, and a fence one session."""
    by_rack = defaultdict(set)
    for grant in ledger.grants:
        by_rack[grant.rack_id].add(grant)
    for rack_id, grants in by_rack.items():
        if len({grant.session_id for grant in grants}) != len({grant.fence for grant in grants}):
            yield f"rack {rack_id}: a fence was granted twice: {sorted(grants)}"
        for earlier in grants:
            for later in grants:
                if later.asked_at > earlier.told_at and later.fence < earlier.fence:
                    yield f"rack {rack_id}: fence {later.fence} was granted after {earlier.fence}"


def _accepted_behind_a_fence(ledger: Ledger, stored: "Stored") -> Iterator[str]:
    """Once somebody was told of a newer grant, nothing of an older session becomes current any more."""
    fences = {row["_id"]: row["fence"] for row in stored.verification_sessions.find({}, {"fence": 1})}
    by_rack = defaultdict(list)
    for grant in ledger.grants:
        by_rack[grant.rack_id].append(grant)
    for row in stored.verification_records.find():
        fence, received = fences.get(row["session_id"]), row["received_at"].timestamp()
        for grant in by_rack[row["rack_id"]]:
            if fence is not None and grant.fence > fence and received > grant.told_at:
                yield f"{row['_id']} of fence {fence} was accepted after fence {grant.fence} was granted"


def wrong_fences(stored: "Stored") -> Iterator[str]:
    """Every grant has a fence of its own, not above its rack's, and exactly one entry in the audit log."""
    racks = {row["_id"]: row["fence"] for row in stored.rack_registry.find({}, {"fence": 1})}
    seen = Counter[tuple[str, int]]()
    noted = Counter(row["details"]["session_id"] for row in stored.activity_logs.find({"action": {"$in": _GRANTS}}))
    for session in stored.verification_sessions.find({"rack_id": {"$ne": None}}):
        rack_id, fence = session["rack_id"], session["fence"]
        seen[rack_id, fence] += 1
        if fence > racks[rack_id]:
            yield f"session {session['_id']} has fence {fence}, its rack {rack_id} only {racks[rack_id]}"
        if noted.pop(session["_id"], 0) != 1:
            yield f"the audit log does not have the grant of {session['_id']} exactly once"
    yield from (f"fence {place} was granted {times} times" for place, times in seen.items() if times > 1)
    yield from (f"the audit log has a grant of {name}, which does not exist" for name in noted)


def wrong_serials(stored: "Stored") -> Iterator[str]:
    """A serial number is in one accepted record, or moved with its rack into later rounds; the claim names the last."""
    owners: dict[str, list[Document]] = defaultdict(list)
    for row in stored.verification_records.find({"serial_numbers": {"$ne": []}}):
        for serial in row["serial_numbers"]:
            owners[serial].append(row)
    claims = {row["_id"]: row["client_record_id"] for row in stored.item_serials.find()}
    for serial, rows in owners.items():
        rounds = [row["round"] for row in rows]
        if len({row["rack_id"] for row in rows}) > 1 or len(set(rounds)) < len(rounds):
            yield f"serial number {serial} is in {[row['_id'] for row in rows]}"
        last = max(rows, key=lambda row: row["round"])
        if claims.pop(serial, None) != last["_id"]:
            yield f"serial number {serial} is in {last['_id']}, and its claim says otherwise"
    yield from (f"serial number {serial} is claimed by {name}, which lacks it" for serial, name in claims.items())


def wrong_quantities(stored: "Stored") -> Iterator[str]:
    """0 <= damage <= verified in every accepted record, and a finalized one was counted."""
    for row in stored.verification_records.find():
        verified, damage = row["verified_qty"], row["damage_qty"]
        counted = verified is not None or (row["status"] == "partial" and damage == 0)
        if not counted or not 0 <= damage <= (verified or 0):
            yield f"{row['_id']} was accepted with {verified} counted and {damage} damaged"


def wrong_audit(stored: "Stored") -> Iterator[str]:
    """The chain holds, and everything that was written gets sealed."""
    deadline = time.monotonic() + 15
    while (waiting := stored.activity_logs.count_documents({"sequence": None})) and time.monotonic() < deadline:
        time.sleep(0.05)
    if waiting:
        yield f"{waiting} entries of the audit log are not sealed"
    sealed = stored.activity_logs.find({"sequence": {"$gt": 0}}).sort("sequence", 1)
    yield from activity.problems(sealed)
