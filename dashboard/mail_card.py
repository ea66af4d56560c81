"""Draws one mail: how it stands, the letter as its recipient sees it, its files, and what was said at each attempt."""

import streamlit as st

from analytics.glance.numbers import NOTHING, amount
from dashboard import letter_frame, notes
from dashboard.calls import deliveries as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.markup import literal, verbatim
from dashboard.messages import Message
from dashboard.times import moment_of
from dashboard.views import deliveries as views
from stockverify.vocabulary import DeliveryState
from stockverify.wire.deliveries import DeliveryInFull

_HTML, _TEXT, _FILES, _LOG = "Mail", "Plain text", "Files", "Log"
_NOT_KEPT = "The letter is not kept any more, so it can neither be read nor be sent again (MAIL_KEEP_DAYS)."


def head(house: House, mail: DeliveryInFull) -> None:
    """Its state, to whom, and what it is about."""
    state = DeliveryState(mail.state)
    badge = f":{views.COLORS[state]}-badge[{views.STATES[state]}]"
    st.markdown(f"{badge} **{literal(mail.subject)}** · to {verbatim(mail.recipient) or 'nobody'}")
    st.caption(f"{literal(views.MEANINGS[state])} {', '.join(_times(house, mail))}.")
    if mail.error:
        st.warning(literal(mail.error), icon=":material/report:")


def links(mail: DeliveryInFull) -> None:
    """Where it came from."""
    with st.container(horizontal=True):
        if mail.schedule_id:
            asked = {"schedule": mail.schedule_id}
            st.page_link(
                "screens/schedules.py", label="Its schedule", icon=":material/event_repeat:", query_params=asked
            )
        if mail.snapshot_id:
            shown = {"snapshot": mail.snapshot_id}
            st.page_link("screens/overview.py", label="Its snapshot", icon=":material/table_view:", query_params=shown)


def actions(desk: Desk, mail: DeliveryInFull) -> None:
    """Send again, or cancel, where that is possible."""
    if views.may_go_again(mail) and st.button("Send again", icon=":material/refresh:", type="primary"):
        calls.retry(desk, mail.delivery_id)
        _done(Message("It will be sent again", f"The mail to {mail.recipient} is next in the queue.", "outgoing_mail"))
    if views.may_be_cancelled(mail) and st.button("Cancel it", icon=":material/cancel:"):
        calls.cancel(desk, mail.delivery_id)
        _done(Message("Cancelled", f"The mail to {mail.recipient} will not be sent.", "cancel"))


def content(house: House, desk: Desk, mail: DeliveryInFull) -> None:
    """The part of it that the reader chooses."""
    parts = {_HTML: _HTML, _TEXT: _TEXT, _FILES: f"{_FILES} ({len(mail.attachments)})", _LOG: _LOG}
    part = st.segmented_control(
        "Part",
        list(parts),
        default=_HTML,
        required=True,
        format_func=parts.__getitem__,
        key=f"of_{mail.delivery_id}",
        label_visibility="collapsed",
    )
    if part == _LOG:
        _log(house, mail)
    elif not mail.readable:
        st.info(_NOT_KEPT, icon=":material/folder_off:")
    elif part == _TEXT:
        letter_frame.plain(calls.text(desk, mail.delivery_id))
    elif part == _FILES:
        letter_frame.files(mail.attachments, lambda name: calls.file(desk, mail.delivery_id, name))
    else:
        letter_frame.page(calls.html(desk, mail.delivery_id), mail.delivery_id)


def _times(house: House, mail: DeliveryInFull) -> list[str]:
    said = [f"Written {literal(moment_of(mail.created_at, house.zone))}"]
    if mail.sent_at:
        said.append(f"sent {literal(moment_of(mail.sent_at, house.zone))}")
    if mail.next_attempt_at:
        said.append(f"next attempt {literal(moment_of(mail.next_attempt_at, house.zone))}")
    if mail.snapshot_id:
        said.append(f"snapshot `{mail.snapshot_id}` as of {literal(moment_of(mail.as_of, house.zone))}")
    return said


def _log(house: House, mail: DeliveryInFull) -> None:
    zone = house.zone.key
    st.dataframe(
        views.log(mail.log).to_arrow(),
        column_config={
            "at": st.column_config.DatetimeColumn(f"When ({zone})", format="D MMM YYYY, HH:mm:ss", timezone=zone),
            "state": st.column_config.TextColumn("State after it"),
            "said": st.column_config.TextColumn("What came of it", width="large"),
        },
        hide_index=True,
        height="content",
        placeholder=NOTHING,
    )
    count = len(mail.log)
    st.caption(f"{amount(count, 'lines')} {'entry' if count == 1 else 'entries'}, oldest first.")
    st.markdown(f"**Message-ID** {verbatim(mail.message_id)}  \n**Attempts** {mail.attempts}")
    st.markdown(f"**Mail server's last reply** {literal(mail.smtp_reply or NOTHING)}")


def _done(message: Message) -> None:
    notes.leave(message)
    st.rerun()
