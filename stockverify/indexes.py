"""The indexes that serve every query the code issues; the service and the worker make sure of them at start."""

from typing import Any

from pymongo import ASCENDING as UP
from pymongo import DESCENDING as DOWN
from pymongo import IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.collation import Collation, CollationStrength
from pymongo.database import Database

from stockverify.vocabulary import Collection, ImportStatus, RunPurpose, RunStatus

RECEIPT_SECONDS = 30 * 24 * 3600
"""How long the receipt of a batch is kept. Without one a replay costs more, and is `ok` all the same."""

MARK_SECONDS = 30 * 24 * 3600
"""How long the mark of a snapshot is kept. On an older snapshot none can build; the next one reads everything."""


RUN_SECONDS = 100 * 24 * 3600
"""How long the history of runs is kept; what they made stays as long as its own rules say."""

DELIVERY_SECONDS = 400 * 24 * 3600
"""How long it is kept who was sent what: a year, and some time to look back on it."""

_UNDER_WAY = {"status": RunStatus.RUNNING.value, "schedule_id": {"$type": "string"}}
_WRITING = {"status": ImportStatus.WRITING.value}
"""Two stock lists at once would each undo half of what the other one writes."""
ANY_CASE = Collation(locale="en", strength=CollationStrength.SECONDARY)
"""Of e-mail addresses: mail servers in use tell no capitals apart."""

_DUE = {"purpose": RunPurpose.SCHEDULED.value, "schedule_id": {"$type": "string"}}


def _index(*fields: str | tuple[str, int], **options: Any) -> IndexModel:
    return IndexModel([(field, UP) if isinstance(field, str) else field for field in fields], **options)


INDEXES: dict[Collection, tuple[IndexModel, ...]] = {
    Collection.USERS: (
        _index("username", unique=True),
        _index("logins.refresh_hash"),
        _index("logins.previous_hash"),
        _index("logins.device_id"),
        _index("role", "is_active"),
        _index("email", name="email_any_case", collation=ANY_CASE),
        _index("oidc_subject", unique=True, partialFilterExpression={"oidc_subject": {"$gt": ""}}),
    ),
    Collection.DEVICE_CODES: (_index("expires_at", expireAfterSeconds=0),),
    Collection.LOGIN_ATTEMPTS: (_index("forgotten_at", expireAfterSeconds=0),),
    Collection.ID_TOKENS: (_index("forgotten_at", expireAfterSeconds=0),),
    Collection.ERP_ITEMS: (
        _index("rack_id", "bin", "item_code", unique=True),
        _index("item_code"),
        _index("floor", "rack_id"),
    ),
    Collection.RACKS: (
        _index("floor", "status"),
        _index("claimed_by", "status"),
    ),
    Collection.SESSIONS: (
        _index("user_id", ("started_at", DOWN)),
        _index("rack_id", ("started_at", DOWN)),
        _index("status", ("started_at", DOWN)),
        _index(("started_at", DOWN)),
    ),
    Collection.RECORDS: (
        _index("rack_id", "round", "item_code", "bin"),
        _index("session_id", "status"),
    ),
    Collection.RECORD_HISTORY: (_index("client_record_id"),),
    Collection.CONFLICTS: (
        _index("client_record_id"),
        _index("status", ("created_at", DOWN)),
        _index("session_id", ("created_at", DOWN)),
        _index("user", ("created_at", DOWN)),
        _index("user_id", ("created_at", DOWN)),
        _index("status", "conflict_type"),
        _index("conflict_type", ("created_at", DOWN)),
        _index(("created_at", DOWN)),
    ),
    Collection.BATCHES: (
        _index("batch_id", ("received_at", DOWN)),
        _index("received_at", expireAfterSeconds=RECEIPT_SECONDS),
    ),
    Collection.REPORT_SNAPSHOTS: (
        _index("freeze_id", ("created_at", DOWN)),
        _index("refreshed_from", ("created_at", DOWN)),
        _index("created_by", ("created_at", DOWN)),
        _index(("created_at", DOWN)),
    ),
    Collection.QUERIES: (
        _index("created_by", ("created_at", DOWN)),
        _index("tags", ("created_at", DOWN)),
        _index(("created_at", DOWN)),
    ),
    Collection.COMPARE_JOBS: (
        _index("snapshot_a_id", ("created_at", DOWN)),
        _index("snapshot_b_id", ("created_at", DOWN)),
        _index("created_by", ("created_at", DOWN)),
        _index(("created_at", DOWN)),
    ),
    Collection.ACTIVITY_LOGS: (
        _index("sequence", "at", "_id"),
        _index("sequence", name="sequence_once", unique=True, partialFilterExpression={"sequence": {"$gt": 0}}),
        _index("action", ("sequence", DOWN)),
        _index("username", ("sequence", DOWN)),
        _index("subject", ("sequence", DOWN)),
    ),
    Collection.ANOMALY_FLAGS: (
        _index("last_snapshot_id", ("severity", DOWN)),
        _index("first_snapshot_id"),
        _index("told_by", ("severity", DOWN), "_id"),
        _index("state", "last_snapshot_id"),
        *(_index(name, ("severity", DOWN), "_id") for name in ("state", "kind", "racks", "counters")),
        _index(("severity", DOWN), "_id"),
    ),
    Collection.MARKS: (_index("at", expireAfterSeconds=MARK_SECONDS),),
    Collection.REPORT_EXPORTS: (
        _index("status", "created_at"),
        _index("status", "alive_until"),
        _index("created_by_id", "status"),
        _index("created_by", ("created_at", DOWN)),
        _index(("created_at", DOWN)),
        _index("file_expires_at"),
        _index("forgotten_at", expireAfterSeconds=0),
    ),
    Collection.IMPORTS: (
        _index("status", "created_at"),
        _index("created_by_id", "status"),
        _index(("created_at", DOWN)),
        _index("status", name="one_writes", unique=True, partialFilterExpression=_WRITING),
        _index("forgotten_at", expireAfterSeconds=0),
    ),
    Collection.SCHEDULES: (
        _index("state", "next_due_at"),
        _index("report.ref", ("created_at", DOWN)),
        _index("owner", ("created_at", DOWN)),
        _index("state", ("created_at", DOWN)),
        _index(("created_at", DOWN)),
    ),
    Collection.DELIVERIES: (
        _index("state", "next_attempt_at"),
        _index("state", "lease_until"),
        _index("notice_due", sparse=True),
        _index("run_id", ("created_at", DOWN)),
        _index("schedule_id", ("created_at", DOWN)),
        _index("state", ("created_at", DOWN)),
        _index("kind", ("created_at", DOWN)),
        _index(("created_at", DOWN), expireAfterSeconds=DELIVERY_SECONDS),
    ),
    Collection.RUNS: (
        _index("status", "rank", "requested_at"),
        _index("status", "requested_at"),
        _index("schedule_id", ("requested_at", DOWN)),
        _index("kind", ("requested_at", DOWN)),
        _index(("requested_at", DOWN)),
        _index("schedule_id", "due_at", name="due_once", unique=True, partialFilterExpression=_DUE),
        _index("schedule_id", name="one_at_a_time", unique=True, partialFilterExpression=_UNDER_WAY),
        _index("untold", sparse=True),
        _index("requested_by_id", "status"),
        _index("finished_at", expireAfterSeconds=RUN_SECONDS),
    ),
}


async def ensure(database: AsyncDatabase[dict[str, Any]]) -> None:
    """Create what is missing. Building an index that exists costs one round trip."""
    for collection, models in INDEXES.items():
        await database[collection].create_indexes(list(models))


def ensure_blocking(database: Database[dict[str, Any]]) -> None:
    """The same for a blocking client."""
    for collection, models in INDEXES.items():
        database[collection].create_indexes(list(models))


def missing(database: Database[dict[str, Any]]) -> list[str]:
    """Names of declared indexes that the database lacks, as `collection.index`."""
    absent = []
    for collection, models in INDEXES.items():
        present = set(database[collection].index_information())
        absent += [
            f"{collection}.{model.document['name']}" for model in models if model.document["name"] not in present
        ]
    return absent
