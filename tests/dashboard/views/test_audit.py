"""The audit log as a table, and whether its chain holds."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from dashboard.views.audit import entries, runs, verdict
from stockverify.activity import EMPTY, Head, seal
from stockverify.wire.activity import ActivityEntry, ChainCheck
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


def check(**fields: Any) -> ChainCheck:
    """A check that found nothing wrong with nine entries."""
    return ChainCheck(**{"holds": True, "first": 1, "last": 9, "end": 9, "problems": [], **fields})


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (check(), (True, "Entries 1 to 9 hold together: all of them are the ones that were sealed.")),
        (check(first=0, last=0, end=0), (True, "The audit log is empty.")),
        (
            check(last=5),
            (True, "Entries 1 to 5 hold together; 4 newer ones are still to be checked. Press again."),
        ),
        (
            check(holds=False, problems=["entries 2 to 2 are missing", "entry 3 was changed after it was sealed"]),
            (
                False,
                "The chain is broken: entries 2 to 2 are missing; entry 3 was changed after it was sealed. Run "
                "`stockverify doctor` for all of it.",
            ),
        ),
    ],
    ids=["whole", "empty", "as-far-as-it-came", "broken"],
)
def test_a_check_of_the_chain_is_told_in_words(found: ChainCheck, told: tuple[bool, str]) -> None:
    assert verdict(found) == told


def test_entries_and_runs_are_rows() -> None:
    (row,) = entries(chain(1)).rows(named=True)
    assert row["at"] == datetime(2026, 1, 5, 9, 0, 1, 123_000, tzinfo=UTC)
    assert (row["action"], row["details"]) == ("Rack claimed", "n: 5")
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
