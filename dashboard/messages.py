"""Errors and empty places, in words for people: what, where, and what to do. No page ever shows a traceback."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import streamlit as st
import structlog

from dashboard.api import ServiceAway, ServiceBusy, ServiceOdd
from dashboard.context import keeper
from dashboard.markup import literal
from stockverify.errors import BadInput, Forbidden, NotFound, Refused, SetupError, StockVerifyError, Unauthorized

TITLES: tuple[tuple[type[StockVerifyError], str], ...] = (
    (ServiceAway, "The service does not answer"),
    (ServiceBusy, "The service cannot do that just now"),
    (ServiceOdd, "The service and the dashboard do not understand each other"),
    (NotFound, "Not found"),
    (BadInput, "That cannot be asked"),
    (Forbidden, "Not allowed"),
    (Refused, "Not possible now"),
    (SetupError, "Something needs repair"),
)
_log = structlog.get_logger("dashboard")


class Message(NamedTuple):
    """A title, what happened and what to do, and an icon of the Material set."""

    title: str
    text: str
    icon: str = "info"


def explain(error: StockVerifyError) -> Message:
    """A known error as a message. Its own sentence says what to do."""
    title = next((title for kind, title in TITLES if isinstance(error, kind)), "That did not work")
    return Message(title, error.message, "cloud_off" if isinstance(error, ServiceAway) else "error")


def unexpected(code: str) -> Message:
    """An error that nobody foresaw; the log has it under the same code."""
    text = (
        "Nothing was changed. Load the page again; if it happens again, tell whoever runs StockVerify the code "
        f"{code}: the log of the dashboard explains it."
    )
    return Message("This page could not be shown", text, "error")


def show(message: Message, where: str = "") -> None:
    """Draw a message as a card."""
    with st.container(border=True, width=760):
        place = f" · {literal(where)}" if where else ""
        st.markdown(f"## :material/{message.icon}: {literal(message.title)}{place}", anchors=False)
        st.markdown(literal(message.text))


@contextmanager
def guarded(where: str) -> Iterator[None]:
    """Shows what goes wrong within, instead of breaking off. An ended login leads back to the sign-in page."""
    try:
        yield
    except Unauthorized:
        keeper().drop("Your session has ended. Sign in again to go on.")
        st.rerun()
    except StockVerifyError as error:
        show(explain(error), where)
    except Exception as error:
        code = secrets.token_hex(4)
        _log.exception("page_failed", where=where, code=code, exc_info=error)
        show(unexpected(code), where)
