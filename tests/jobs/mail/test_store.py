"""Who has a mail in hand: leases, and writes of senders that have lost theirs."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.mail.outcomes import Outcome, Verdict, after, left_behind
from jobs.mail.store import DeliveryStore
from tests.jobs.mail.conftest import NOW
from tests.jobs.mail.servers import until

DAY = timedelta(days=1)


@pytest.fixture
def store(db) -> DeliveryStore:
    return DeliveryStore(db)


@pytest.fixture
def hasty(db) -> DeliveryStore:
    """Its leases have lapsed by the time they are read."""
    return DeliveryStore(db, lease=0.001)


def sent(row: dict[str, Any]) -> Any:
    return after(row, Outcome(Verdict.ACCEPTED, "250 ok"), 12, 0.5, NOW)


def test_what_is_due_for_the_longest_is_taken_by_one(put, store: DeliveryStore, db) -> None:
    first, second = put("ann@shop.example", "bob@shop.example")
    db["report_deliveries"].update_one({"_id": first}, {"$set": {"next_attempt_at": NOW + DAY}})
    taken = store.take("one", NOW)
    assert taken is not None
    assert (taken["_id"], taken["state"], taken["worker"], taken["attempts"]) == (second, "sending", "one", 1)
    assert store.take("two", NOW) is None
    later = store.take("two", NOW + DAY)
    assert later is not None
    assert later["_id"] == first


def test_who_holds_a_mail_writes_all_the_way(put, store: DeliveryStore, rows) -> None:
    put("ann@shop.example")
    row = store.take("one", NOW)
    assert row is not None
    assert store.settle(row, {"from": "a@b.example", "link": "l"})
    assert store.hold(row)
    assert store.hand_over(row)
    assert store.left_behind() == []
    assert store.finish(row, sent(row), NOW)
    assert not store.finish(row, sent(row), NOW)
    assert (rows()[0]["state"], rows()[0]["lease_until"]) == ("sent", None)


def test_a_sender_whose_lease_has_lapsed_may_not_send_the_dot(put, hasty: DeliveryStore, rows) -> None:
    put("ann@shop.example")
    row = hasty.take("one", NOW)
    assert row is not None
    until(lambda: len(hasty.left_behind()) == 1)
    assert not hasty.hand_over(row)
    assert rows()[0]["data_at"] is None


def test_a_sender_that_lost_its_mail_changes_nothing(put, hasty: DeliveryStore, store: DeliveryStore, rows) -> None:
    put("ann@shop.example")
    lost = hasty.take("one", NOW)
    assert lost is not None
    until(lambda: len(store.left_behind()) == 1)
    (left,) = store.left_behind()
    step = after(left, left_behind(left), 12, 0.5, NOW)
    assert [store.recover(left, step, NOW), store.recover(left, step, NOW)] == [True, False]
    heir = store.take("one", NOW + DAY)  # the same name: the number of the attempt tells them apart
    assert heir is not None
    before = rows()
    outcomes = [store.settle(lost, {}), store.hold(lost), store.hand_over(lost), store.finish(lost, sent(lost), NOW)]
    assert outcomes == [False] * 4
    assert rows() == before
    assert store.finish(heir, sent(heir), NOW)


def test_the_log_of_a_mail_is_bounded(put, store: DeliveryStore, rows) -> None:
    put("ann@shop.example")
    for days in range(60):
        row = store.take("one", NOW + days * DAY)
        assert row is not None
        step = after(row, Outcome(Verdict.LATER, f"451 {days}"), 100, 0.5, NOW + days * DAY)
        store.finish(row, step, NOW)
    log = rows()[0]["log"]
    assert (len(log), log[-1]["reply"]) == (50, "451 59")


def test_failures_wait_to_be_told_until_they_were(put, store: DeliveryStore) -> None:
    put("ann@shop.example")
    row = store.take("one", NOW)
    assert row is not None
    store.finish(row, after(row, Outcome(Verdict.REFUSED, "550 no"), 12, 0.5, NOW), NOW)
    (untold,) = store.untold()
    assert untold["error"] == "550 no"
    store.told(untold)
    assert store.untold() == []
