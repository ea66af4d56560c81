"""When a report that is due is sent."""

from typing import Any

import pytest

from analytics.figures import UnknownFigure
from jobs.reports.condition import Seen, Verdict, decide
from jobs.reports.plan import Last, When, plan_of
from stockverify.vocabulary import Condition
from tests.jobs.reports.conftest import after, only_when, run_of

ALWAYS, ROWS, CHANGED = (When(kind=kind) for kind in (Condition.ALWAYS, Condition.ROWS, Condition.CHANGED))
SHRINKAGE = When(kind=Condition.FIGURE, figure="shrinkage_value", op="gt", limit=500.0)
NOTHING_NEW = "Not sent: nothing has changed since the last delivery."
EMPTY = "Not sent: the report has no rows."


@pytest.mark.parametrize(
    ("when", "last", "seen", "sent", "reason"),
    [
        (ALWAYS, Last(), Seen(0, "a"), True, ""),
        (ROWS, Last(), Seen(1, "a"), True, ""),
        (ROWS, Last(), Seen(0, "a"), False, EMPTY),
        (ROWS, Last(), Seen(0, "", first=True, diff=True), True, ""),
        (CHANGED, Last(), Seen(0, "a"), True, ""),
        (CHANGED, Last(content_hash="a"), Seen(5, "a"), False, NOTHING_NEW),
        (CHANGED, Last(content_hash="a"), Seen(5, "b"), True, ""),
        (CHANGED, Last(content_hash="a"), Seen(0, "b", diff=True), False, NOTHING_NEW),
        (CHANGED, Last(content_hash="b"), Seen(5, "b", diff=True), True, ""),
        (CHANGED, Last(), Seen(0, "", first=True, diff=True), True, ""),
    ],
)
def test_rows_and_changes(when: When, last: Last, seen: Seen, sent: bool, reason: str) -> None:
    assert decide(when, last, seen) == Verdict(sent, reason)


def test_a_figure_is_told_when_it_goes_past_its_limit_and_when_it_comes_back() -> None:
    values = [400.0, 500.0, 612.5, 700.0, None, 300.0, 501.0]
    last, told = Last(), []
    for value in values:
        verdict = decide(SHRINKAGE, last, Seen(1, "", value=value))
        last = Last(over_limit=verdict.over_limit)
        told.append((verdict.sent, verdict.alarm, verdict.over_limit))
    assert told == [
        (False, "", False),
        (False, "", False),
        (True, "Shrinkage above 500.00", True),
        (False, "", True),
        (True, "Shrinkage back within its limit", False),
        (False, "", False),
        (True, "Shrinkage above 500.00", True),
    ]


@pytest.mark.parametrize(
    ("told_by", "over"),
    [
        (only_when("figure", "accuracy", "lt", 0.9), True),
        (only_when("figure", "shrinkage_value", "gt", 500), False),
        (only_when("figure", "accuracy", "lt", 0.8), False),
        (only_when("always"), False),
        ({}, True),
    ],
    ids=["this one", "another figure", "another limit", "none", "not known in an earlier version"],
)
def test_an_alarm_belongs_to_the_condition_that_told_it(told_by: dict[str, Any], over: bool) -> None:
    """Else a new limit would be "told before" when it never was, and "back" from where the figure never was."""
    run = run_of(only_when("figure", "accuracy", "lt", 0.9) | {"last": after(None, over_limit=True)["last"] | told_by})
    assert plan_of(run).last.over_limit is over


@pytest.mark.parametrize(
    ("op", "value", "over"),
    [
        ("gt", 0.9, False),
        ("gte", 0.9, True),
        ("lt", 0.9, False),
        ("lte", 0.9, True),
        ("lt", 0.899, True),
        ("gt", 0.901, True),
        ("lt", None, False),
    ],
)
def test_edges(op: str, value: float | None, over: bool) -> None:
    when = When(kind=Condition.FIGURE, figure="accuracy", op=op, limit=0.9)  # type: ignore[arg-type]
    assert decide(when, Last(), Seen(1, "", value=value)).over_limit is over


def test_reasons_have_the_figure_and_the_limit_in_its_unit() -> None:
    when = When(kind=Condition.FIGURE, figure="accuracy", op="lt", limit=0.95)
    over, back = Seen(1, "", value=0.9), Seen(1, "", value=0.96)
    said = [
        decide(when, Last(), over).reason,
        decide(when, Last(over_limit=True), over).reason,
        decide(when, Last(over_limit=True), back).reason,
        decide(when, Last(), back).reason,
    ]
    assert said == [
        "Accuracy is 90.0%, which is below 95.0% (the limit of this report).",
        "Not sent: Accuracy is 90.0%, which is below 95.0% (the limit of this report). That was told before.",
        "Accuracy is 96.0%, no longer below 95.0% (the limit of this report).",
        "Not sent: Accuracy is 96.0%, and not below 95.0%.",
    ]


def test_a_figure_that_is_none_is_named() -> None:
    with pytest.raises(UnknownFigure, match="'profit'"):
        decide(When(kind=Condition.FIGURE, figure="profit", op="gt", limit=1.0), Last(), Seen(1, ""))
