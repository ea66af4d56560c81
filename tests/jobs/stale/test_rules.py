"""Who counts as gone."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from jobs.stale import rules
from stockverify.clients import Document
from stockverify.settings import Settings
from tests.analytics.stock import NOW, session

BEFORE = NOW - timedelta(hours=8)
OLD, YOUNG = BEFORE - timedelta(seconds=1), BEFORE
SINCE = f"nothing was heard of it since {OLD:%Y-%m-%d %H:%M} UTC"


def rack(**fields: Any) -> Document:
    return {"_id": "R1", "fence": 1, "session_id": "s-1", "status": "active", "updated_at": OLD, **fields}


def work(**fields: Any) -> Document:
    return session("s-1", "R1", started_at=OLD, **fields)


@pytest.mark.parametrize(
    ("held", "by", "why"),
    [
        (rack(), work(), SINCE),
        (rack(updated_at=YOUNG), work(), None),
        (rack(), work(last_heartbeat=YOUNG), None),
        (rack(), work(last_heartbeat=OLD), SINCE),
        (rack(), work(status="paused"), SINCE),
        (rack(), work(status="reconcile"), None),
        (rack(), work(status="closed"), rules.ENDED),
        (rack(), work(status="completed", last_heartbeat=YOUNG), rules.ENDED),
        (rack(fence=2), work(last_heartbeat=YOUNG), rules.OVERTAKEN),
        (rack(), None, rules.NO_SESSION),
        (rack(updated_at=YOUNG), None, None),
    ],
)
def test_why_a_rack_has_nobody_alive(held: Document, by: Document | None, why: str | None) -> None:
    assert rules.why_abandoned(held, by, BEFORE) == why


@pytest.mark.parametrize(
    ("of", "last_record", "why"),
    [
        (work(status="open"), None, SINCE),
        (work(status="open"), OLD, SINCE),
        (work(status="open"), YOUNG, None),
        (work(status="closed"), None, None),
        (work(status="reconcile"), None, None),
    ],
)
def test_why_nobody_goes_on_with_a_session(of: Document, last_record: Any, why: str | None) -> None:
    assert rules.why_silent(of, BEFORE, last_record) == why


def test_silence_lasts_far_longer_than_any_lease() -> None:
    usual = Settings()
    assert rules.silent_before(usual, NOW) == BEFORE
    impatient = msgspec.structs.replace(usual, stale_after=60)
    assert rules.silent_before(impatient, NOW) == NOW - timedelta(hours=2)


def test_only_the_session_of_the_latest_claim_holds_a_rack() -> None:
    assert rules.holds(rack(), work())
    assert not rules.holds(rack(fence=2), work())
    assert not rules.holds(rack(), work(status="closed"))
