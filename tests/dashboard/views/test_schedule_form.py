"""What the form of a schedule makes of its fields."""

from datetime import time
from typing import Any

import msgspec
import pytest

from dashboard.views.schedule_form import (
    SHARES,
    Filled,
    addresses,
    changed,
    limit_meant,
    limit_shown,
    missing,
    sent_when,
    wanted,
)
from dashboard.views.timing import Every, Timing
from stockverify.vocabulary import Condition, RunKind, Subject
from stockverify.wire.reports import QuerySpec
from stockverify.wire.schedules import ReportOf, SaveSchedule, SentWhen
from tests.dashboard.views.test_schedules import schedule

OWN = ReportOf(subject=Subject.QUERY, query=QuerySpec(collection="positions"), columns=["floor"])
NARROWED = ReportOf(subject=Subject.TEMPLATE, ref="rack_summary", params={"floor": "Ground"})


def filled(**changes: Any) -> Filled:
    made = Filled(
        name=" Morning ",
        kind=RunKind.REPORT,
        subject=Subject.SUMMARY,
        ref=None,
        timing=Timing(Every.WORKDAYS, time(7)),
        zone="Europe/Berlin",
        recipients="a@shop.example\n",
        files=["pdf"],
        condition=SentWhen(),
        max_attachment_bytes=2048,
        note="",
    )
    return made._replace(**changes)


def test_a_whole_form_is_what_the_service_wants() -> None:
    assert wanted(filled(), None, draft=True) == SaveSchedule(
        name="Morning",
        cron="0 7 * * 1-5",
        zone="Europe/Berlin",
        report=ReportOf(subject=Subject.SUMMARY),
        formats=["html", "pdf"],
        recipients=["a@shop.example"],
        condition=SentWhen(),
        max_attachment_bytes=2048,
        draft=True,
    )


def test_a_snapshot_has_neither_report_nor_recipients() -> None:
    made = wanted(filled(kind=RunKind.MATERIALISE), None, draft=False)
    assert (made.report, made.recipients, made.condition, made.max_attachment_bytes) == (None, [], SentWhen(), None)


@pytest.mark.parametrize(
    ("changes", "kept", "report"),
    [
        ({"subject": Subject.QUERY}, OWN, OWN),
        ({"subject": Subject.QUERY, "ref": "q-1"}, OWN, ReportOf(subject=Subject.QUERY, ref="q-1")),
        ({"subject": Subject.TEMPLATE, "ref": "rack_summary"}, NARROWED, NARROWED),
        (
            {"subject": Subject.TEMPLATE, "ref": "items_by_floor"},
            NARROWED,
            ReportOf(subject=Subject.TEMPLATE, ref="items_by_floor"),
        ),
        ({"subject": Subject.COMPARISON, "ref": "left over"}, NARROWED, ReportOf(subject=Subject.COMPARISON)),
    ],
)
def test_what_the_form_does_not_show_stays_while_the_report_is_about_the_same(
    changes: dict[str, Any], kept: ReportOf, report: ReportOf
) -> None:
    assert wanted(filled(**changes), kept, draft=False).report == report


@pytest.mark.parametrize(
    ("changes", "draft", "said"),
    [
        ({}, False, ""),
        ({"name": "  "}, False, "Give it a name."),
        ({"timing": Timing(Every.WEEK, days=())}, False, "Choose one day of the week or more."),
        ({"subject": Subject.TEMPLATE}, False, "Choose the report."),
        ({"subject": Subject.QUERY}, True, "Choose the saved query."),
        ({"subject": Subject.SNAPSHOT}, True, "Choose the snapshot."),
        ({"condition": SentWhen(kind=Condition.FIGURE, figure="accuracy")}, False, "Choose a figure and its limit."),
        ({"recipients": " ,; \n"}, False, "Say to whom it goes, or save it as a draft."),
        ({"recipients": ""}, True, ""),
        ({"recipients": "", "kind": RunKind.MATERIALISE}, False, ""),
    ],
)
def test_what_is_missing_is_said_before_the_service_is_asked(changes: dict[str, Any], draft: bool, said: str) -> None:
    assert missing(filled(**changes), None, draft) == said


def test_a_query_of_its_own_needs_no_other() -> None:
    assert missing(filled(subject=Subject.QUERY), OWN, draft=False) == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [("", []), ("a@x.example", ["a@x.example"]), (" a@x.example , b@x.example;\n\n c@x.example", ["a", "b", "c"])],
)
def test_addresses_stand_on_lines_or_between_commas(text: str, found: list[str]) -> None:
    assert addresses(text) == [each if "@" in each else f"{each}@x.example" for each in found]


@pytest.mark.parametrize("limit", [0.95, 0.123456789, 0.07, 1 / 3, 0.0])
def test_a_share_is_typed_in_percent_and_comes_back_as_it_was(limit: float) -> None:
    assert "accuracy" in SHARES
    shown = limit_shown("accuracy", limit)
    assert limit_meant("accuracy", shown) == pytest.approx(limit, abs=1e-11)
    assert limit_meant("accuracy", limit_shown("accuracy", 0.95)) == 0.95
    assert limit_shown("net_variance_value", limit) == limit


def test_only_the_condition_of_a_figure_has_a_limit() -> None:
    assert sent_when(Condition.ROWS, "accuracy", "lt", 95.0) == SentWhen(kind=Condition.ROWS)
    assert sent_when(Condition.FIGURE, "accuracy", "lt", 95.0) == SentWhen(
        kind=Condition.FIGURE, figure="accuracy", op="lt", limit=0.95
    )


def test_a_change_names_the_revision_that_was_read_and_one_of_the_house_keeps_its_name() -> None:
    made = changed(schedule(revision=4), wanted(filled(), None, draft=False))
    assert (made.revision, made.name) == (4, "Morning")
    house = schedule(builtin=True, name="Backup of the database", kind=RunKind.BACKUP, report=None)
    kept = changed(house, wanted(filled(name="Mine", kind=RunKind.BACKUP), None, draft=False))
    assert (kept.name, kept.kind, kept.report, kept.cron) == (
        "Backup of the database",
        RunKind.BACKUP,
        None,
        "0 7 * * 1-5",
    )
    assert msgspec.to_builtins(kept)["recipients"] == []
