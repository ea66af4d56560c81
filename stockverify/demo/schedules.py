"""The reports that the office of the demo gets by mail: three schedules, and two mails that lie in the outbox already.

The mails are tests to the supervisor: those report on the newest snapshot there is, so that none is taken after it and
every page goes on showing what the second round changed.
"""

from typing import Any

from stockverify.demo.office import Office
from stockverify.vocabulary import Condition, Subject

SUPERVISOR = "supervisor@shop.example"
_MANAGER = "manager@shop.example"


def _schedules(zone: str) -> tuple[dict[str, Any], ...]:
    return (
        {
            "name": "Morning summary",
            "cron": "0 7 * * *",
            "zone": zone,
            "report": {"subject": Subject.SUMMARY.value},
            "formats": ["pdf"],
            "recipients": [_MANAGER, SUPERVISOR],
            "note": "What the shop manager reads before the doors open.",
        },
        {
            "name": "Variances by category",
            "cron": "30 6 * * 1",
            "zone": zone,
            "report": {"subject": Subject.TEMPLATE.value, "ref": "variance_by_category"},
            "formats": ["xlsx", "csv"],
            "recipients": ["buying@shop.example"],
            "condition": {"kind": Condition.ROWS.value},
        },
        {
            "name": "Accuracy alarm",
            "cron": "*/30 * * * *",
            "zone": zone,
            "report": {"subject": Subject.COMPARISON.value},
            "recipients": [SUPERVISOR],
            "condition": {"kind": Condition.FIGURE.value, "figure": "accuracy", "op": "lt", "limit": 0.9},
            "note": "Being tried out: start it once the limit is agreed.",
            "draft": True,
        },
    )


def arrange(office: Office, zone: str) -> None:
    """Make the schedules, and have those that run send a test to the supervisor. Raises DemoFailed."""
    for wanted in reversed(_schedules(zone)):  # the list shows the newest one first
        schedule_id = office.schedule(wanted)
        if not wanted.get("draft"):
            office.test(schedule_id)
