"""The work that takes a snapshot."""

from datetime import datetime

from analytics.extract import Terms, materialise
from analytics.lake.sweep import sweep
from jobs.first_look import prepare
from jobs.tools import Done, Tools
from stockverify.clients import Document


def take_snapshot(tools: Tools, run: Document, now: datetime) -> Done:
    """Safe to run twice: it only ever adds a snapshot, and clears away what interrupted ones left behind.

    Raises NothingToFreeze, SnapshotRefused or Abandoned.
    """
    terms = Terms(may_fall=tools.settings.snapshot_may_fall)
    freeze = materialise(tools.lake, tools.database, now, run.get("name") or "", tools.stopping, terms)
    sweep(tools.lake.root, now)
    prepare(tools, freeze)
    return Done(freeze.snapshot_id)
