"""Draws what a schedule has done, and the letter of a run."""

import streamlit as st

from analytics.glance.numbers import NOTHING, amount
from dashboard import letter_frame
from dashboard.calls import schedules as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.drawing import all_of, fitted
from dashboard.markup import literal
from dashboard.schedule_list import PREVIEW, stop_looking
from dashboard.times import moment_of
from dashboard.views import schedules as views
from stockverify.vocabulary import RunKind
from stockverify.wire.reports import Run
from stockverify.wire.schedules import Schedule

_IN_SIGHT = 10
_LATE = "Began over five minutes after it was due, or stands for due times that an outage missed"


def draw(house: House, shown: Schedule, found: list[Run]) -> None:
    """What it has done, newest first, and the way to its mails."""
    _table(house, found)
    if shown.kind is RunKind.REPORT:
        asked = {"schedule": shown.schedule_id}
        st.page_link("screens/deliveries.py", label="Its mails", icon=":material/mail:", query_params=asked)


def _table(house: House, found: list[Run]) -> None:
    if not found:
        st.caption("It has not run so far.")
        return
    zone = house.zone.key
    st.dataframe(
        views.runs(found).to_arrow(),
        column_config={
            "asked_at": st.column_config.DatetimeColumn(f"Due or asked ({zone})", format="D MMM, HH:mm", timezone=zone),
            "purpose": st.column_config.TextColumn("Why"),
            "status": st.column_config.TextColumn("Outcome"),
            "late": st.column_config.TextColumn("Late", help=_LATE),
            "said": st.column_config.TextColumn("What came of it, or why not", width="large"),
            "seconds": st.column_config.NumberColumn("Seconds", format="%.1f"),
            "attempts": st.column_config.NumberColumn("Attempts", format="%d"),
            "snapshot_id": st.column_config.TextColumn("Snapshot"),
            "requested_by": st.column_config.TextColumn("Asked by"),
        },
        hide_index=True,
        height=fitted(len(found), _IN_SIGHT),
        placeholder=NOTHING,
    )
    whole = len(found) < calls.MOST_RUNS
    st.caption(f"{all_of(len(found), 'run')}." if whole else f"The newest {amount(len(found), 'lines')} runs.")


def preview(house: House, desk: Desk) -> None:
    """The letter of the run that the address names."""
    letter = calls.letter(desk, st.query_params[PREVIEW])
    with st.container(border=True, key="preview"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{literal(letter.subject)}**", width="stretch")
            st.button("Close", icon=":material/close:", on_click=stop_looking)
        st.caption(_origin(house, letter.snapshot_id, letter.as_of))
        html, text, files = st.tabs(["Mail", "Plain text", f"Files ({len(letter.attachments)})"])
        with html:
            letter_frame.page(letter.html, letter.run_id)
        with text:
            letter_frame.plain(letter.text)
        with files:
            letter_frame.files(letter.attachments)


def _origin(house: House, snapshot_id: str | None, as_of: float | None) -> str:
    return f"As of {literal(moment_of(as_of, house.zone))} · snapshot `{snapshot_id}`" if snapshot_id else ""
