"""Pure: what a recipient is shown, and what stopping or resuming writes."""

from html import escape

from ingest import pages
from stockverify.addresses import same
from stockverify.clients import Document
from stockverify.errors import Gone
from stockverify.unsubscribe import PATH, Subscription

_FORM = '<form method="post" action="{action}"><button>{button}</button></form>'


class ScheduleGone(Gone):
    """This report is not sent any more, to nobody; there is nothing to unsubscribe from."""


def is_silent(schedule: Document, subscription: Subscription) -> bool:
    """Whether the recipient gets no mails of the schedule."""
    return subscription.address in {same(each) for each in schedule.get("unsubscribed") or ()}


def page(schedule: Document, subscription: Subscription, token: str) -> str:
    """How it stands, with the one button that changes it. The form says what it does, so that going back and forth
    never does the opposite."""
    name, address = escape(schedule["name"]), escape(subscription.address)
    if is_silent(schedule, subscription):
        form = _FORM.format(action=f"{PATH}/{token}/undo", button="Send them to me again")
        return pages.page("You are unsubscribed", f"{address} gets no more mails of the report <b>{name}</b>.", form)
    form = _FORM.format(action=f"{PATH}/{token}", button="Send me no more of these")
    return pages.page("Unsubscribe?", f"{address} gets mails of the report <b>{name}</b>.", form)
