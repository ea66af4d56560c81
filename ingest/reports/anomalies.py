"""Anomalies of a freeze, as replies show them. For the reports process."""

import msgspec

from analytics.anomalies import find
from analytics.lake import Lake
from ingest.reports.errands import FindAnomalies
from ingest.reports.places import freeze_of
from stockverify.wire.anomalies import AnomaliesReply, Flag


def found(lake: Lake, asked: FindAnomalies) -> AnomaliesReply:
    """What is odd. Raises SnapshotUnknown, UnknownKind, or what the lake raises."""
    snapshot_id = freeze_of(lake, asked.snapshot_id).snapshot_id
    against = freeze_of(lake, asked.against).snapshot_id if asked.against else None
    seen = find(lake, snapshot_id, asked.kinds, against)
    return AnomaliesReply(
        snapshot_id=snapshot_id,
        as_of=seen.freeze.as_of.timestamp(),
        previous_id=seen.previous.snapshot_id if seen.previous else None,
        found=seen.found,
        flags=msgspec.convert(seen.flags.head(asked.limit).to_dicts(), list[Flag]),
    )
