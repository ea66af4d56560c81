"""Pure: what a recipient is shown, and what stopping or resuming writes."""

from html import escape

from stockverify.addresses import same
from stockverify.clients import Document
from stockverify.errors import Gone
from stockverify.unsubscribe import PATH, Subscription

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>
body {{ margin: 0; padding: 10vh 24px; background: #f4f5f7; color: #1c2430; font: 17px/1.5 system-ui, sans-serif; }}
main {{ max-width: 480px; margin: auto; padding: 32px; border-radius: 8px; background: #fff; }}
h1 {{ margin: 0 0 12px; font-size: 22px; }} p {{ margin: 0 0 20px; overflow-wrap: anywhere; }}
button {{ padding: 12px 20px; border: 0; border-radius: 6px; background: #0f5c8c; color: #fff; font: inherit; }}
button:focus-visible {{ outline: 3px solid #f0b429; outline-offset: 2px; }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #12161c; color: #e6eaf0; }} main {{ background: #1b222c; }} button {{ background: #27739f; }}
}}
</style></head>
<body><main><h1>{title}</h1><p>{words}</p><form method="post" action="{action}"><button>{button}</button></form>
</main></body></html>
"""


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
        return _PAGE.format(
            title="You are unsubscribed",
            words=f"{address} gets no more mails of the report <b>{name}</b>.",
            action=f"{PATH}/{token}/undo",
            button="Send them to me again",
        )
    return _PAGE.format(
        title="Unsubscribe?",
        words=f"{address} gets mails of the report <b>{name}</b>.",
        action=f"{PATH}/{token}",
        button="Send me no more of these",
    )
