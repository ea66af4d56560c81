"""`Take snapshot now`: asks the service, which asks the worker, and follows the run to its end."""

import time
from collections.abc import Callable

import streamlit as st

from dashboard import address
from dashboard.context import House, keeper
from dashboard.login import SNAPSHOT_TAKERS
from dashboard.messages import Message, explain, show
from stockverify.errors import StockVerifyError, Unauthorized
from stockverify.vocabulary import RunStatus
from stockverify.wire.reports import Run

PATIENCE = 120.0
_PAUSE = 0.5
_OVER = (RunStatus.SUCCEEDED, RunStatus.FAILED)

NOT_YET = Message(
    "The snapshot is still being taken",
    "The worker has not finished within two minutes. The snapshot appears in the list by itself once it is done; if it "
    "does not, look at the worker's log.",
    "hourglass_top",
)


def offer(house: House) -> None:
    """Draw the button for those who may use it."""
    login = keeper().login
    if login is None or login.user.role not in SNAPSHOT_TAKERS:
        return
    if st.button("Take snapshot now", type="primary", icon=":material/photo_camera:"):
        with st.spinner("Taking a snapshot …", show_time=True):
            message = take(house, login.access_token)
        if message is None:
            st.rerun()
        show(message)


def take(house: House, token: str) -> Message | None:
    """Take one and make it the one that is shown. None when that went well."""
    try:
        asked = house.api.request_snapshot(token)
        run = follow(asked, lambda: house.api.run(token, asked.run_id), time.monotonic() + PATIENCE)
    except Unauthorized:
        raise
    except StockVerifyError as error:
        return explain(error)
    if run.status == RunStatus.FAILED:
        return Message("The snapshot was not taken", run.error or "The worker gave no reason; its log has it.", "error")
    if run.status != RunStatus.SUCCEEDED or run.snapshot_id is None:
        return NOT_YET
    address.remember(run.snapshot_id)
    return None


def follow(run: Run, look: Callable[[], Run], deadline: float) -> Run:
    """Look until the run is over or the deadline has passed."""
    while run.status not in _OVER and time.monotonic() < deadline:
        time.sleep(_PAUSE)
        run = look()
    return run
