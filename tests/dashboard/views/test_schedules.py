"""Schedules and runs as tables and words."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from dashboard.views.schedules import condition, due_times, last, may_change, runs, size, subject, table
from stockverify.vocabulary import Condition, RunKind, ScheduleState, Subject
from stockverify.wire.reports import QuerySpec, Run
from stockverify.wire.schedules import DueTime, LastRun, ReportOf, Schedule, SentWhen

BERLIN = ZoneInfo("Europe/Berlin")
SUMMER, WINTER = "2026-10-24T05:00:00+00:00", "2026-10-25T06:00:00+00:00"


def schedule(**changes: Any) -> Schedule:
    """One that mails a summary each morning, in Kolkata."""
    due = [DueTime(local="2026-01-05T07:00:00+05:30", utc="2026-01-05T01:30:00+00:00")]
    made = Schedule(
        schedule_id="sch-1",
        name="Morning",
        kind=RunKind.REPORT,
        report=ReportOf(subject=Subject.SUMMARY),
        formats=["html", "pdf"],
        recipients=["a@shop.example", "b@shop.example"],
        unsubscribed=[],
        condition=SentWhen(),
        max_attachment_bytes=10 * 2**20,
        cron="0 7 * * *",
        zone="Asia/Kolkata",
        state=ScheduleState.ACTIVE,
        paused_reason=None,
        failures=0,
        owner="ann",
        note="",
        next=due,
        last=None,
        builtin=False,
        revision=1,
        created_at=0.0,
        updated_at=0.0,
    )
    return msgspec.structs.replace(made, **changes)


def ended(status: str, over: bool = False) -> LastRun:
    return LastRun(
        run_id="r",
        due_at=60.0,
        status=status,
        snapshot_id=None,
        delivered_snapshot_id=None,
        over_limit=over,
    )


def test_a_row_has_the_next_time_by_its_own_clock_and_as_an_instant() -> None:
    assert table([schedule()]).to_dicts() == [
        {
            "name": "Morning",
            "what": "Dashboard summary",
            "when": "Every day at 07:00",
            "state": "Active",
            "next_there": "Mon 5 Jan, 07:00 IST",
            "next_here": datetime(2026, 1, 5, 1, 30, tzinfo=UTC),
            "last": "Never ran",
            "recipients": 2,
            "owner": "ann",
        }
    ]


def test_one_of_the_house_that_is_paused_has_no_next_time() -> None:
    built = schedule(kind=RunKind.BACKUP, report=None, next=[], builtin=True, owner="", state=ScheduleState.PAUSED)
    (row,) = table([built]).to_dicts()
    assert (row["what"], row["state"], row["next_there"], row["next_here"], row["recipients"], row["owner"]) == (
        "Back up the database",
        "Paused",
        None,
        None,
        None,
        "the house",
    )


def test_an_empty_table_has_its_columns() -> None:
    assert (table([]).height, runs([]).height, "next_here" in table([]).columns) == (0, 0, True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Never ran"),
        ({"last": ended("succeeded")}, "Done"),
        ({"last": ended("succeeded", True)}, "Done, over its limit"),
        ({"last": ended("failed"), "failures": 1}, "Failed"),
        ({"last": ended("failed"), "failures": 3}, "Failed, 3 in a row"),
    ],
)
def test_the_last_result_is_said(changes: dict[str, Any], said: str) -> None:
    assert last(schedule(**changes)) == said


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (None, ""),
        (ReportOf(subject=Subject.SNAPSHOT, ref="latest"), "All positions of the latest snapshot"),
        (ReportOf(subject=Subject.SNAPSHOT, ref="s-1"), "All positions of snapshot s-1"),
        (ReportOf(subject=Subject.TEMPLATE, ref="rack_summary"), "Ready-made report: Rack summary"),
        (ReportOf(subject=Subject.QUERY, ref="q-2"), "Saved query: q-2"),
        (ReportOf(subject=Subject.QUERY, query=QuerySpec(collection="positions")), "A query of its own"),
        (ReportOf(subject=Subject.QUERY, ref="q-1"), "Saved query: By floor"),
        (ReportOf(subject=Subject.COMPARISON), "Changes since the last delivery"),
    ],
)
def test_what_is_reported_is_said(report: ReportOf | None, said: str) -> None:
    assert subject(report, {"q-1": "By floor"}) == said


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (SentWhen(), "Always"),
        (SentWhen(kind=Condition.ROWS), "Only if the report has rows"),
        (
            SentWhen(kind=Condition.FIGURE, figure="accuracy", op="lt", limit=0.95),
            "Once when Accuracy is below 95.0%, and once when it is back",
        ),
        (
            SentWhen(kind=Condition.FIGURE, figure="gone", op="gte", limit=1500),
            "Once when gone is at or above 1,500, and once when it is back",
        ),
    ],
)
def test_a_condition_is_said(when: SentWhen, said: str) -> None:
    assert condition(when) == said


def test_due_times_are_shown_by_three_clocks_over_a_clock_change() -> None:
    times = [DueTime(local=each, utc=each) for each in (SUMMER, WINTER)]
    assert due_times(times, "Europe/Berlin", ZoneInfo("Asia/Kolkata")) == {
        "Europe/Berlin": ["Sat 24 Oct 2026, 07:00 CEST", "Sun 25 Oct 2026, 07:00 CET"],
        "Asia/Kolkata (this dashboard)": ["Sat 24 Oct 2026, 10:30 IST", "Sun 25 Oct 2026, 11:30 IST"],
        "UTC": ["Sat 24 Oct 2026, 05:00 UTC", "Sun 25 Oct 2026, 06:00 UTC"],
    }
    assert list(due_times(times, "Europe/Berlin", BERLIN)) == ["Europe/Berlin", "UTC"]
    assert list(due_times(times, "UTC", ZoneInfo("UTC"))) == ["UTC"]


def test_sizes_are_said_in_mib() -> None:
    assert size(10 * 2**20).startswith("Attached up to 10 MiB;")
    assert size(1536 * 1024).startswith("Attached up to 1.5 MiB;")


@pytest.mark.parametrize(
    ("owner", "builtin", "username", "admin", "may"),
    [
        ("ann", False, "ann", False, True),
        ("ann", False, "bob", False, False),
        ("ann", False, "bob", True, True),
        ("", True, "", False, False),
        ("", True, "admin", True, True),
    ],
)
def test_owners_and_admins_may_change(owner: str, builtin: bool, username: str, admin: bool, may: bool) -> None:
    assert may_change(schedule(owner=owner, builtin=builtin), username, admin) is may


def test_a_run_says_why_it_was_late_skipped_or_failed() -> None:
    def run(**changes: Any) -> Run:
        same: dict[str, Any] = {"kind": "report", "requested_by": "the schedule", "snapshot_id": "s-1"}
        same |= {"run_id": "r", "requested_at": 60.0, "finished_at": None, "error": None, "status": "succeeded"}
        return Run(**(same | changes))

    found = runs(
        [
            run(due_at=0.0, purpose="scheduled", late=True, note="Put into the outbox for 2 recipients."),
            run(result={"skipped": "Not sent: the report has no rows."}, note="Other."),
            run(status="failed", error="There is no such query.", purpose="test", attempts=3, seconds=1.5),
        ]
    )
    assert found.select("asked_at", "purpose", "status", "late", "said").rows() == [
        (datetime(1970, 1, 1, tzinfo=UTC), "Was due", "Done", "Late", "Put into the outbox for 2 recipients."),
        (datetime(1970, 1, 1, 0, 1, tzinfo=UTC), "Run now", "Done", "", "Not sent: the report has no rows."),
        (datetime(1970, 1, 1, 0, 1, tzinfo=UTC), "Test", "Failed", "", "There is no such query."),
    ]
