"""The audit log as a table, and whether its chain holds."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from dashboard.views.audit import entries, runs, verdict
from stockverify.activity import EMPTY, Head, seal
from stockverify.wire.activity import ActivityEntry
from stockverify.wire.reports import Run


def chain(count: int) -> Iterator[ActivityEntry]:
    """Entries as the service seals them and gives them out."""
    head = EMPTY
    for number in range(1, count + 1):
        at = datetime(2026, 1, 5, 9, 0, number, 123_000, tzinfo=UTC)
        content: dict[str, Any] = {"_id": f"a-{number}", "at": at, "action": "rack.claimed", "user_id": "u-1"}
        content |= {"username": "ann", "device_id": "", "subject": "R1", "details": {"n": 5.0}, "request_id": None}
        sealed = seal(content, head)
        head = Head(sealed["sequence"], sealed["hash"])
        plain = {**content, **sealed, "id": content["_id"], "at": at.timestamp()}
        given = {name: plain[name] for name in ActivityEntry.__struct_fields__}
        yield msgspec.json.decode(msgspec.json.encode(ActivityEntry(**given)), type=ActivityEntry)


def test_a_whole_chain_and_its_end_hold() -> None:
    found = list(chain(4))
    assert verdict(found) == (True, "Entries 1 to 4 hold together: 4 looked at.")
    assert verdict(found[2:]) == (True, "Entries 3 to 4 hold together: 2 looked at.")
    assert verdict([]).holds


def test_a_changed_entry_is_named() -> None:
    found = list(chain(3))
    found[1] = msgspec.structs.replace(found[1], username="eve")
    assert not verdict(found).holds
    assert "entry 2 was changed after it was sealed" in verdict(found).text


def test_a_removed_entry_is_named() -> None:
    found = list(chain(3))
    assert "entries 2 to 2 are missing" in verdict([found[0], found[2]]).text


def test_entries_and_runs_are_rows() -> None:
    (row,) = entries(chain(1)).rows(named=True)
    assert row["at"] == datetime(2026, 1, 5, 9, 0, 1, 123_000, tzinfo=UTC)
    assert row["details"] == '{"n":5.0}'
    run = Run(
        run_id="r-1",
        kind="materialise",
        status="failed",
        requested_by="ann",
        requested_at=10.0,
        finished_at=12.5,
        snapshot_id=None,
        error="no room",
    )
    (row,) = runs([run]).rows(named=True)
    assert (row["seconds"], row["error"]) == (2.5, "no room")
    assert runs([msgspec.structs.replace(run, finished_at=None)])["seconds"].to_list() == [None]
