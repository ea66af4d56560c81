"""The reports that the office of the demo gets by mail: three schedules, and mails that lie in the outbox already.

A report that is sent takes a snapshot of the data as they are, so that one comes before the second round. Later there
is only a test to the supervisor: it reports on the newest snapshot there is, so that none is taken after it and every
page goes on showing what the second round changed.
"""

from typing import Any

from stockverify.demo.office import Office
from stockverify.vocabulary import Condition, Subject

DOMAIN = "shop.example"
SUPERVISOR, _MANAGER, _BUYING = f"supervisor@{DOMAIN}", f"manager@{DOMAIN}", f"buying@{DOMAIN}"
ADMIN = "admin@home.example"
"""Outside the domain that mails may go to: the notice of a severe anomaly is refused, and says why."""


def _sent(zone: str) -> dict[str, Any]:
    return {
        "name": "Variances by category",
        "cron": "30 6 * * 1",
        "zone": zone,
        "report": {"subject": Subject.TEMPLATE.value, "ref": "variance_by_category"},
        "formats": ["xlsx", "csv"],
        "recipients": [_BUYING],
        "condition": {"kind": Condition.ROWS.value},
    }


def _arranged(zone: str) -> tuple[dict[str, Any], ...]:
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


def send_one(office: Office, zone: str) -> None:
    """Make a schedule, and have its report sent to whom it is for. Raises DemoFailed."""
    office.run(office.schedule(_sent(zone)))


def arrange(office: Office, zone: str) -> None:
    """Make the other schedules, and have the one that runs send a test to the supervisor. Raises DemoFailed."""
    for wanted in reversed(_arranged(zone)):  # the list shows the newest one first
        schedule_id = office.schedule(wanted)
        if not wanted.get("draft"):
            office.test(schedule_id)
