"""The offline queue: every count is on the disk before the counter sees it, and leaves only as the service answers.

A count has a revision that rises at each edit. An answer settles the revision that was sent and no other, so a count
that is edited while it travels is sent again. Nothing here depends on the device's clock.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any

import msgspec

from stockverify.client.problems import BadCount, UnknownCount
from stockverify.client.records import Accepted, Conflict, Counts, Entry, NotTaken, Outcome, Sending, SetAside, State
from stockverify.client.storage import Storage
from stockverify.wire.sync import SyncRecord

_ADD = "INSERT INTO records (client_record_id, session_id, revision, content, state, unconfirmed) VALUES (?,?,?,?,?,?)"
_REVISE = """UPDATE records SET revision = ?, content = ?, unconfirmed = ?, state = 'queued', attempts = 0,
    last_error = NULL WHERE client_record_id = ? AND revision < ?"""
_NEXT = """SELECT client_record_id, revision, content, attempts FROM records
    WHERE state = 'queued' ORDER BY seq LIMIT ?"""
_QUEUED = "SELECT count(*) FROM records WHERE state = 'queued'"
_OLDEST = "SELECT content FROM records WHERE state = 'queued' ORDER BY seq LIMIT 1"
_UNSETTLED = """SELECT state, count(*) FROM records
    WHERE state IN ('queued', 'parked') AND session_id = ? GROUP BY state"""
_NEWEST = """SELECT content, revision, state, unconfirmed, attempts, last_error FROM records
    WHERE ? IS NULL OR session_id = ? ORDER BY seq DESC LIMIT ?"""
_ONE = """SELECT content, revision, state, unconfirmed, attempts, last_error FROM records
    WHERE client_record_id = ?"""
_ACKED = """UPDATE records SET state = 'acked', attempts = 0, last_error = NULL
    WHERE client_record_id = ? AND revision = ?"""
_CONFLICT = "UPDATE records SET state = 'conflict', last_error = ? WHERE client_record_id = ? AND revision = ?"
_REFUSED = """UPDATE records SET attempts = attempts + 1, last_error = ?,
    state = CASE WHEN attempts + 1 >= ? THEN 'parked' ELSE 'queued' END
    WHERE client_record_id = ? AND revision = ?"""
_KEEP_CONFLICT = "INSERT OR REPLACE INTO conflicts VALUES (?, ?, ?, ?, ?)"
_PRUNE = """DELETE FROM records WHERE state = 'acked' AND seq <=
    (SELECT seq FROM records WHERE state = 'acked' ORDER BY seq DESC LIMIT 1 OFFSET ?)"""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SyncRecord).decode


class Queue:
    """The counts of one device."""

    def __init__(self, storage: Storage, max_refusals: int) -> None:
        self._storage, self._max_refusals = storage, max_refusals
        self._in_flight: dict[str, Sending] = {}

    def add(self, records: Iterable[SyncRecord], unconfirmed: bool = False) -> None:
        """Keep new counts, all of them or none. Raises BadCount or DiskFull."""
        rows = [(*_row(record), State.QUEUED, unconfirmed) for record in records]
        names = [row[0] for row in rows]
        if len(set(names)) < len(names) or self._known(names):
            raise BadCount(reason="its client_record_id is on this device already; edit that count instead")
        with self._storage.writing() as connection:
            connection.executemany(_ADD, rows)

    def revise(self, record: SyncRecord, unconfirmed: bool = False) -> None:
        """Replace a count by a newer revision, wherever it stands, and queue it; an older one changes nothing.

        Raises UnknownCount, BadCount or DiskFull.
        """
        self.entry(record.client_record_id)
        content, revision, name = _json(record), record.revision or 0, record.client_record_id
        with self._storage.writing() as connection:
            connection.execute(_REVISE, (revision, content, unconfirmed, name, revision))

    def take(self, limit: int, skip: Set[str] = frozenset()) -> tuple[Sending, ...]:
        """The oldest counts to be sent, at most `limit`; they are in flight until given back. None is out twice."""
        held = skip | self._in_flight.keys()
        rows = self._storage.rows(_NEXT, limit + len(held))
        batch = [Sending(*row) for row in rows if row[0] not in held][:limit]
        self._in_flight |= {each.client_record_id: each for each in batch}
        return tuple(batch)

    def give_back(self, batch: Iterable[Sending]) -> None:
        """These counts travel no more; those without an outcome are queued as before. Twice is once."""
        for each in batch:
            if self._in_flight.get(each.client_record_id) is each:
                del self._in_flight[each.client_record_id]

    def settle(self, batch: Sequence[Sending], outcomes: Mapping[str, Outcome]) -> None:
        """Write down what became of the revisions that were sent, in one transaction, and give them back.

        Raises DiskFull; they then stay in flight until given back.
        """
        with self._storage.writing() as connection:
            for each in batch:
                if (outcome := outcomes.get(each.client_record_id)) is not None:
                    for sql, values in self._settlement(each, outcome):
                        connection.execute(sql, values)
        self.give_back(batch)

    def retry_parked(self) -> None:
        """Send what is parked once more, with all its attempts."""
        with self._storage.writing() as connection:
            connection.execute("UPDATE records SET state = 'queued', attempts = 0 WHERE state = 'parked'")

    def prune_acked(self, keep: int) -> int:
        """Forget acknowledged counts but the newest `keep`, and say how many went."""
        with self._storage.writing() as connection:
            return connection.execute(_PRUNE, (keep,)).rowcount

    def counts(self) -> Counts:
        """How many counts stand where."""
        found = dict(self._storage.rows("SELECT state, count(*) FROM records GROUP BY state"))
        return Counts(
            queued=found.get(State.QUEUED, 0) - len(self._in_flight),
            in_flight=len(self._in_flight),
            acked=found.get(State.ACKED, 0),
            conflicts=found.get(State.CONFLICT, 0),
            parked=found.get(State.PARKED, 0),
        )

    def unsent(self) -> tuple[int, datetime | None]:
        """How many counts have no answer yet, and when the first of them was written, by the device's own clock."""
        ((count,),) = self._storage.rows(_QUEUED)
        oldest = [_decode(content).updated_at for (content,) in self._storage.rows(_OLDEST)]
        return count, next(iter(oldest), None)

    def unsettled(self, session_id: str) -> tuple[int, int]:
        """How many counts of a session wait to be sent, and how many are parked."""
        found = dict(self._storage.rows(_UNSETTLED, session_id))
        return found.get(State.QUEUED, 0), found.get(State.PARKED, 0)

    def entries(self, session_id: str | None = None, limit: int = -1) -> list[Entry]:
        """The newest counts, of one session or of all, the oldest of them first."""
        return [self._entry(row) for row in reversed(self._storage.rows(_NEWEST, session_id, session_id, limit))]

    def entry(self, client_record_id: str) -> Entry:
        """One count. Raises UnknownCount."""
        rows = self._storage.rows(_ONE, client_record_id)
        if not rows:
            raise UnknownCount(client_record_id=client_record_id)
        return self._entry(rows[0])

    def conflicts(self) -> list[Conflict]:
        """Every revision that the service kept aside, also of counts that were edited since."""
        rows = self._storage.rows("SELECT * FROM conflicts ORDER BY client_record_id, revision")
        return [Conflict(*row, msgspec.json.decode(details)) for *row, details in rows]  # type: ignore[call-arg]

    def _settlement(self, sent: Sending, outcome: Outcome) -> list[tuple[str, tuple[Any, ...]]]:
        which = (sent.client_record_id, sent.revision)
        match outcome:
            case Accepted():
                return [(_ACKED, which)]
            case NotTaken(message):
                return [(_REFUSED, (message, self._max_refusals, *which))]
            case SetAside(kind, message, details):
                kept = (*which, kind, message, _encode(details))
                return [(_KEEP_CONFLICT, kept), (_CONFLICT, (message, *which))]

    def _entry(self, row: tuple[Any, ...]) -> Entry:
        content, revision, state, unconfirmed, attempts, last_error = row
        record = _decode(content)
        flying = record.client_record_id in self._in_flight
        return Entry(
            record, revision, State.IN_FLIGHT if flying else State(state), bool(unconfirmed), attempts, last_error
        )

    def _known(self, names: Iterable[str]) -> bool:
        return any(self._storage.rows("SELECT 1 FROM records WHERE client_record_id = ?", name) for name in names)


def _row(record: SyncRecord) -> tuple[str, str, int, bytes]:
    """What is kept can be read again, and carries a revision, so that no clock has to order it. Raises BadCount."""
    numbered = msgspec.structs.replace(record, revision=record.revision or 1)
    return (record.client_record_id, record.session_id, record.revision or 1, _json(numbered))


def _json(record: SyncRecord) -> bytes:
    try:
        content = _encode(record)
        _decode(content)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise BadCount(reason=str(error).replace("$.", "")) from None
    return content
