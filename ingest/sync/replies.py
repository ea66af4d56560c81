"""The reply to a batch, in the two forms that devices read: by kind and by record."""

from collections.abc import Sequence

from ingest.sync.outcomes import Ok, Outcome
from stockverify.wire.sync import BatchReply, Conflicted, RecordResult, Rejected


def reply(batch_id: str | None, outcomes: Sequence[Outcome], milliseconds: float) -> BatchReply:
    """ok + conflicts + errors = total_records, each in request order."""
    ok = [outcome.client_record_id for outcome in outcomes if isinstance(outcome, Ok)]
    return BatchReply(
        ok=ok,
        conflicts=[outcome for outcome in outcomes if isinstance(outcome, Conflicted)],
        errors=[outcome for outcome in outcomes if isinstance(outcome, Rejected)],
        batch_id=batch_id,
        processing_time_ms=round(milliseconds, 3),
        total_records=len(outcomes),
        results=[
            RecordResult(id=outcome.client_record_id, success=isinstance(outcome, Ok), message=outcome.message)
            for outcome in outcomes
        ],
        processed_count=len(outcomes),
        success_count=len(ok),
        failed_count=len(outcomes) - len(ok),
    )
