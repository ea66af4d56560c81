"""Draws one schedule: what it says, what may be done with it, and what it has done."""

import streamlit as st

from analytics.glance.numbers import NOTHING, amount
from dashboard import letter_frame, notes, timing_fields
from dashboard.calls import schedules as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.drawing import fitted
from dashboard.markup import literal
from dashboard.messages import Message
from dashboard.schedule_list import PREVIEW, look_at, stop_looking
from dashboard.times import moment_of
from dashboard.views import schedules as views
from dashboard.views.schedule_form import FILES
from dashboard.views.timing import words as timing_words
from stockverify.vocabulary import RunKind, RunPurpose, RunStatus, ScheduleState
from stockverify.wire.reports import Run
from stockverify.wire.schedules import Schedule

_IN_SIGHT = 10
_BADGES = {ScheduleState.ACTIVE: "green", ScheduleState.PAUSED: "orange", ScheduleState.DRAFT: "gray"}
_DONE = {
    RunPurpose.NOW: Message("Done now", "", "task_alt"),
    RunPurpose.TEST: Message("Test sent to your address", "", "outgoing_mail"),
    RunPurpose.PREVIEW: Message("Preview written", "It is below, and was sent to nobody.", "preview"),
}
_LATE = "Began over five minutes after it was due, or stands for due times that an outage missed"
_UNDER_WAY = "The worker has not finished it within a minute. Runs shows how it goes on."


def state(shown: Schedule) -> None:
    """Its state in a line, and why it is paused."""
    badge = f":{_BADGES[shown.state]}-badge[{views.STATES[shown.state]}]"
    st.markdown(f"{badge} **{literal(shown.name)}** · belongs to {literal(views.whose(shown))}")
    if shown.paused_reason:
        st.warning(literal(shown.paused_reason), icon=":material/pause_circle:")


def facts(house: House, shown: Schedule) -> None:
    """What, when, to whom, and the next five times."""
    left, right = st.columns(2)
    with left:
        for title, text in _facts(house, shown):
            st.markdown(f"**{title}**  \n{literal(text)}")
    with right:
        if shown.next:
            timing_fields.due_times(views.due_times(shown.next, shown.zone, house.zone))
        else:
            st.caption("It has no next time while it does not run. Edit shows when it would be due.")


def actions(desk: Desk, shown: Schedule) -> None:
    """The buttons, for those who may use them."""
    report, runs = shown.kind is RunKind.REPORT, not shown.builtin
    with st.container(horizontal=True):
        if report and st.button("Preview", icon=":material/preview:"):
            _order(desk, shown, RunPurpose.PREVIEW)
        if report and st.button("Send a test to me", icon=":material/outgoing_mail:"):
            _order(desk, shown, RunPurpose.TEST)
        if st.button("Run now", icon=":material/play_arrow:", disabled=report and not shown.recipients):
            _order(desk, shown, RunPurpose.NOW)
        if shown.state is ScheduleState.ACTIVE:
            if st.button("Pause", icon=":material/pause:"):
                calls.pause(desk, shown.schedule_id)
                _done(Message("Paused", f"{shown.name} rests until somebody resumes it.", "pause_circle"))
        elif st.button("Start" if shown.state is ScheduleState.DRAFT else "Resume", icon=":material/play_circle:"):
            resumed = calls.resume(desk, shown.schedule_id)
            _done(Message("Started", f"{shown.name} is due next {views.due(resumed.next[0], shown.zone)}.", "event"))
        if runs:
            _delete(desk, shown)


def _delete(desk: Desk, shown: Schedule) -> None:
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown(f"Delete **{literal(shown.name)}**? Its runs and mails stay in the history.")
        if st.button("Delete it", type="primary", key="delete_schedule"):
            calls.delete(desk, shown.schedule_id)
            look_at("")
            _done(Message("Deleted", f"{shown.name} is gone; its runs and mails stay in the history.", "delete"))


def _order(desk: Desk, shown: Schedule, purpose: RunPurpose) -> None:
    with st.spinner("The worker is at it …", show_time=True):
        run = calls.followed(desk, calls.order(desk, shown.schedule_id, purpose))
    if purpose is RunPurpose.PREVIEW and run.status == RunStatus.SUCCEEDED:
        st.query_params[PREVIEW] = run.run_id
    _done(_outcome(run, purpose))


def _outcome(run: Run, purpose: RunPurpose) -> Message:
    if run.status == RunStatus.FAILED:
        return Message("It failed", run.error or "The worker gave no reason; its log has it.", "error")
    if run.status != RunStatus.SUCCEEDED:
        return Message("Still under way", _UNDER_WAY, "hourglass_top")
    done = _DONE[purpose]
    return done if done.text else done._replace(text=views.said(run) or "See Runs.")


def _done(message: Message) -> None:
    notes.leave(message)
    st.rerun()


def runs(house: House, found: list[Run]) -> None:
    """What it has done, newest first."""
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
    count = amount(len(found), "lines")
    st.caption(f"All {count} runs." if len(found) < calls.MOST_RUNS else f"The newest {count} runs.")


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


def _facts(house: House, shown: Schedule) -> list[tuple[str, str]]:
    said = [("What it does", views.KINDS[shown.kind]), ("When", f"{timing_words(shown.cron)}, {shown.zone}")]
    if shown.kind is RunKind.REPORT:
        files = ", ".join(FILES[each] for each in shown.formats if each in FILES)
        said[0] = ("What", views.subject(shown.report))
        said += [
            ("To whom", ", ".join(shown.recipients) or "Nobody so far"),
            ("Sent", views.condition(shown.condition)),
            ("Files", f"{files}. {views.size(shown.max_attachment_bytes)}" if files else "None; all is in the mail"),
        ]
    if shown.unsubscribed:
        said.append(("Unsubscribed", ", ".join(shown.unsubscribed)))
    said.append(("Last result", _last(house, shown)))
    return [*said, ("Note", shown.note)] if shown.note else said


def _last(house: House, shown: Schedule) -> str:
    when = f", due {moment_of(shown.last.due_at, house.zone)}" if shown.last else ""
    return f"{views.last(shown)}{when}"
