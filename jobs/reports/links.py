"""Files that are too large for a mail: kept as finished export jobs, which the service gives out by a signed link until
their time is over, and then sweeps away."""

import hashlib
import shutil
from datetime import datetime, timedelta

from analytics.export import Exported
from analytics.lake import durable
from jobs.reports.content import Content
from jobs.reports.plan import Plan
from jobs.tools import Tools
from stockverify import links
from stockverify.clients import Document, as_stored
from stockverify.kept_secret import signing_secret
from stockverify.links import Link
from stockverify.vocabulary import Collection, ExportStatus

_REMEMBERED = timedelta(days=30)
_TAKEN_BY = "report"


def given_out(tools: Tools, plan: Plan, content: Content, file: Exported, now: datetime) -> str:
    """The link to a file; safe to do again, as a run that is taken over does.

    The file is on the disk before the job that tells of it: the service removes what no job tells of after an hour.
    """
    job = _job(tools, plan, content, file, now)
    folder = tools.settings.export_jobs / f"{job['_id']}-{_TAKEN_BY}"
    for path in (file.path, file.manifest_path):
        with durable.replacing(folder / path.name) as draft:
            shutil.copyfile(path, draft)
    tools.database[Collection.REPORT_EXPORTS].replace_one({"_id": job["_id"]}, job, upsert=True)
    link = Link(job["_id"], job["file"], int(job["file_expires_at"].timestamp()), plan.owner_id)
    return tools.settings.api_link() + links.url(link, links.key_of(signing_secret(tools.settings)))


def until(tools: Tools, now: datetime) -> datetime:
    """How long the file and its link live."""
    return as_stored(now + timedelta(seconds=tools.settings.export_ttl))


def _job(tools: Tools, plan: Plan, content: Content, file: Exported, now: datetime) -> Document:
    """As the service writes of a job that it has done (ingest/exports)."""
    made = hashlib.sha256(f"{plan.run_id} {file.path.name}".encode()).hexdigest()[:16]
    return {
        "_id": f"ex-{made}",
        "status": ExportStatus.DONE.value,
        "format": file.path.suffix[1:],
        "snapshot_id": content.freeze.snapshot_id,
        "place": content.freeze.snapshot_id,
        "dataset": None,
        "bom": True,
        "floors": list(tools.lake.floors),
        "name": plan.name,
        "created_by": plan.owner,
        "created_by_id": plan.owner_id,
        "created_at": as_stored(now),
        "started_at": as_stored(now),
        "finished_at": as_stored(now),
        "forgotten_at": until(tools, now) + _REMEMBERED,
        "file_expires_at": until(tools, now),
        "taken_by": _TAKEN_BY,
        "attempts": 1,
        "cancel_asked": False,
        "rows_done": file.rows,
        "rows_total": file.rows,
        "file": file.path.name,
        "bytes": file.bytes,
        "sha256": file.sha256,
    }
