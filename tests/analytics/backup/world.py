"""A database with a little of everything, and BSON of every kind that must come back as it was."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from analytics.backup.contents import KEPT
from stockverify import activity
from stockverify.activity import EMPTY, Head
from stockverify.clients import Document
from stockverify.vocabulary import Action
from tests.analytics.stock import NOW, item, record, session

AT = datetime(2026, 2, 1, 3, tzinfo=UTC)
ODD: dict[str, Any] = {
    "z first": 1,
    "a last": Int64(1),
    "whole": 1.0,
    "nan": float("nan"),
    "minus zero": -0.0,
    "exact": Decimal128("1.10"),
    "bytes": Binary(b"\x00\xff", 128),
    "id": ObjectId("65b000000000000000000001"),
    "regex": Regex("^a", "i"),
    "stamp": Timestamp(5, 6),
    "ends": [MinKey(), MaxKey(), None, "\x00", "é", "🎉"],
    "serial": "00123",
    "before the epoch": datetime(1901, 1, 1, tzinfo=UTC),
    "nested": {"b": {"a": []}, "a": {}},
}


def fill(database: Database[Document], records: int = 50) -> None:
    """A warehouse in the middle of its work."""
    noise = random.Random(7)
    database["erp_items"].insert_many([item("R1", f"i-{n}", n) for n in range(20)] + [item("R2", "odd", 1, odd=ODD)])
    database["verification_sessions"].insert_one(session("s-1", "R1", fence=5))
    database["rack_registry"].insert_many(
        {"_id": f"R{n}", "floor": "G", "status": "active", "fence": 5 + n, "round": 1, "claimed_by": "u-1"}
        | {"session_id": "s-1", "updated_at": NOW, "item_count": 1}
        for n in (1, 2)
    )
    database["verification_records"].insert_many(
        record(f"c-{n}", "R1", f"i-{n}", n, digest=noise.randbytes(16), note=noise.randbytes(40).hex())
        for n in range(records)
    )
    database["users"].insert_one(
        {"_id": "u-1", "username": "ann", "password_hash": "$argon2id$x", "logins": [{"a": 1}]}
    )
    database["users"].insert_one({"_id": "u-2", "username": "bob", "password_hash": "$argon2id$y", "logins": []})
    database["report_schedules"].insert_many(
        [{"_id": "sch-1", "state": "active", "builtin": False}, {"_id": "sch-2", "state": "active", "builtin": True}]
    )
    database["report_runs"].insert_many(
        [{"_id": "r-1", "status": "running"}, {"_id": "r-2", "status": "failed", "untold": [1]}]
    )
    mails = (
        ("queued", "queued", NOW, None),
        ("before the dot", "sending", NOW, None),
        ("after the dot", "sending", NOW, NOW),
        ("in doubt", "unknown", NOW, NOW),
        ("given up in doubt", "unknown", None, NOW),
        ("sent", "sent", None, NOW),
    )
    database["report_deliveries"].insert_many(
        {"_id": name, "state": state, "next_attempt_at": at, "data_at": data_at, "notice_due": NOW, "log": []}
        for name, state, at, data_at in mails
    )
    database["lake_marks"].insert_one({"_id": "a mark", "at": datetime.now(UTC)})
    database["device_codes"].insert_one({"_id": "CODE", "expires_at": datetime.now(UTC) + timedelta(days=1)})
    _audit(database)


def _audit(database: Database[Document]) -> None:
    head = EMPTY
    for number in range(3):
        entry = activity.unsealed(f"a-{number}", Action.RACK_CLAIMED, activity.WORKER, "R1", NOW, {})
        sealed = activity.seal(entry, head)
        database["activity_logs"].insert_one(entry | sealed)
        head = Head(sealed["sequence"], sealed["hash"])


def bytes_of(database: Database[Document]) -> dict[str, dict[str, bytes]]:
    """Every document of a backup's collections as its very bytes."""
    options = database.codec_options.with_options(document_class=RawBSONDocument)
    found = {}
    for name in KEPT:
        documents = database.get_collection(name, codec_options=options).find()  # type: ignore[arg-type]
        found[str(name)] = {str(each["_id"]): bytes(each.raw) for each in documents}  # type: ignore[attr-defined]
    return found
