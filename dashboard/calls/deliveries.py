"""Mails: who was to get what, what became of it, and the letters themselves."""

from typing import NamedTuple

from dashboard.desk import Desk, part
from stockverify.vocabulary import DeliveryKind, DeliveryState
from stockverify.wire.deliveries import Deliveries, DeliveryInFull

PAGE = 200
_PATH = "/api/reports/deliveries"


class Asked(NamedTuple):
    """What the list shall hold; what is empty does not filter."""

    state: DeliveryState | None = None
    kind: DeliveryKind | None = None
    schedule: str = ""
    run: str = ""


def listed(desk: Desk, asked: Asked, page: int = 1) -> Deliveries:
    """Mails, newest first, a page of them."""
    return desk.get(f"{_PATH}/", Deliveries, limit=PAGE, skip=(page - 1) * PAGE, **asked._asdict())


def one(desk: Desk, delivery_id: str) -> DeliveryInFull:
    """One mail with its log. Raises NotFound."""
    return desk.get(f"{_PATH}/{part(delivery_id)}", DeliveryInFull)


def html(desk: Desk, delivery_id: str) -> str:
    """Its letter for a browser, which must not trust it."""
    return desk.content(f"{_PATH}/{part(delivery_id)}/html").decode("utf-8", "replace")


def text(desk: Desk, delivery_id: str) -> str:
    """Its letter in plain text."""
    return desk.content(f"{_PATH}/{part(delivery_id)}/text").decode("utf-8", "replace")


def file(desk: Desk, delivery_id: str, name: str) -> bytes:
    """A file that is attached to it."""
    return desk.content(f"{_PATH}/{part(delivery_id)}/files/{part(name)}")


def retry(desk: Desk, delivery_id: str) -> DeliveryInFull:
    """Send it again. Raises Refused when it is not one that failed or whose fate is unknown."""
    return desk.post(f"{_PATH}/{part(delivery_id)}/retry", DeliveryInFull)


def cancel(desk: Desk, delivery_id: str) -> DeliveryInFull:
    """Do not send it. Raises Refused when it is too late."""
    return desk.post(f"{_PATH}/{part(delivery_id)}/cancel", DeliveryInFull)
