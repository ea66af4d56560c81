"""Mails in the outbox of a service, put there as the worker does it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pymongo.database import Database

from jobs.mail.letter import Letter, enclosure, keep
from jobs.mail.outbox import Outbox
from stockverify.vocabulary import DeliveryKind
from tests.service import Service

NOW = datetime.now(UTC).replace(microsecond=0)
PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(32)
HTML = '<h1>Report</h1><script>alert(1)</script><img src="cid:a.png"><a href="https://unsubscribe.invalid/">stop</a>'


def schedule(stored: "Database[dict[str, Any]]", name: str, owner_id: str) -> dict[str, Any]:
    """A schedule of somebody."""
    made = {"_id": f"sch-{name}", "name": f"Report <{name}>", "owner_id": owner_id, "unsubscribed": []}
    stored["report_schedules"].replace_one({"_id": made["_id"]}, dict(made), upsert=True)
    return made


def put(
    service: Service, stored: "Database[dict[str, Any]]", of: dict[str, Any], run_id: str, *recipients: str
) -> list[str]:
    """Mails of a run of a schedule; their ids, by recipient."""
    folder = Path(service.settings.data_dir) / "made"
    folder.mkdir(exist_ok=True)
    (folder / "a.png").write_bytes(PIXEL)
    (folder / "rows.csv").write_text("item\n00123\n")
    letter = Letter(
        subject="Report",
        text="Text. Stop: https://unsubscribe.invalid/",
        html=HTML,
        images=(enclosure(folder / "a.png", "a.png", "image/png"),),
        attachments=(enclosure(folder / "rows.csv", "rows.csv", "text/csv"),),
        as_of=NOW,
    )
    keep(service.settings.mails, run_id, letter, {"a.png": folder / "a.png", "rows.csv": folder / "rows.csv"})
    run = {"_id": run_id, "schedule_id": of["_id"], "schedule": of}
    Outbox(stored, service.settings.mails).put(run_id, letter, recipients, DeliveryKind.REPORT, run, NOW)
    return [row["_id"] for row in stored["report_deliveries"].find({"run_id": run_id}).sort("recipient", 1)]
