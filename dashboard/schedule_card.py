"""Draws one schedule: what it says, what may be done with it, and what it has done."""

from collections.abc import Callable

import streamlit as st

from dashboard import notes, timing_fields
from dashboard.calls import schedules as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.markup import literal, verbatim
from dashboard.messages import Message
from dashboard.schedule_list import PREVIEW, look_at
from dashboard.times import moment_of
from dashboard.views import schedules as views
from dashboard.views.schedule_form import FILES
from dashboard.views.timing import words as timing_words
from stockverify.errors import NotFound
from stockverify.vocabulary import RunKind, RunPurpose, RunStatus, ScheduleState, Subject
from stockverify.wire.reports import Run
from stockverify.wire.schedules import ReportOf, Schedule

_BADGES = {ScheduleState.ACTIVE: "green", ScheduleState.PAUSED: "orange", ScheduleState.DRAFT: "gray"}
_DONE = {
    RunPurpose.NOW: Message("Done now", "", "task_alt"),
    RunPurpose.TEST: Message("Test sent to your address", "", "outgoing_mail"),
    RunPurpose.PREVIEW: Message("Preview written", "It is below, and was sent to nobody.", "preview"),
}
_UNDER_WAY = "The worker has not finished it within a minute. Runs shows how it goes on."


def state(shown: Schedule) -> None:
    """Its state in a line, and why it is paused."""
    badge = f":{_BADGES[shown.state]}-badge[{views.STATES[shown.state]}]"
    st.markdown(f"{badge} **{literal(shown.name)}** · belongs to {literal(views.whose(shown))}")
    if shown.paused_reason:
        st.warning(literal(shown.paused_reason), icon=":material/pause_circle:")


def facts(house: House, desk: Desk, shown: Schedule) -> None:
    """What, when, to whom, and the next five times."""
    with st.container(key="schedule_halves"):
        left, right = st.container(), st.container()
    with left:
        for title, text in _facts(house, desk, shown):
            st.markdown(f"**{title}**  \n{text}")
    with right:
        if shown.next:
            timing_fields.due_times(views.due_times(shown.next, shown.zone, house.zone))
        else:
            st.caption("It has no next time while it does not run. Edit shows when it would be due.")


def actions(desk: Desk, shown: Schedule) -> None:
    """The buttons, for those who may use them. All are drawn before one is answered, so that a refusal stands below
    them instead of in their place."""
    with st.container(horizontal=True):
        wanted = _pressed(shown)
    if wanted is not None:
        wanted(desk, shown)


def _pressed(shown: Schedule) -> Callable[[Desk, Schedule], None] | None:
    """Draw the buttons; returns what was asked for."""
    report, active = shown.kind is RunKind.REPORT, shown.state is ScheduleState.ACTIVE
    asked: dict[Callable[[Desk, Schedule], None], bool] = {}
    if report:
        asked[_preview] = st.button("Preview", icon=":material/preview:")
        asked[_test] = st.button("Send a test to me", icon=":material/outgoing_mail:")
    asked[_run] = st.button("Run now", icon=":material/play_arrow:", disabled=report and not shown.recipients)
    if active:
        asked[_pause] = st.button("Pause", icon=":material/pause:")
    else:
        title = "Start" if shown.state is ScheduleState.DRAFT else "Resume"
        asked[_resume] = st.button(title, icon=":material/play_circle:")
    if not shown.builtin:
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown(f"Delete **{literal(shown.name)}**? Its runs and mails stay in the history.")
            asked[_delete] = st.button("Delete it", type="primary", key="delete_schedule")
    return next((action for action, pressed in asked.items() if pressed), None)


def _preview(desk: Desk, shown: Schedule) -> None:
    _order(desk, shown, RunPurpose.PREVIEW)


def _test(desk: Desk, shown: Schedule) -> None:
    _order(desk, shown, RunPurpose.TEST)


def _run(desk: Desk, shown: Schedule) -> None:
    _order(desk, shown, RunPurpose.NOW)


def _pause(desk: Desk, shown: Schedule) -> None:
    calls.pause(desk, shown.schedule_id)
    _done(Message("Paused", f"{shown.name} rests until somebody resumes it.", "pause_circle"))


def _resume(desk: Desk, shown: Schedule) -> None:
    resumed = calls.resume(desk, shown.schedule_id)
    due = f"is due next {views.due(resumed.next[0], shown.zone)}" if resumed.next else "runs"
    _done(Message("Started", f"{shown.name} {due}.", "event_available"))


def _delete(desk: Desk, shown: Schedule) -> None:
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


def _facts(house: House, desk: Desk, shown: Schedule) -> list[tuple[str, str]]:
    """Titles, and what stands under them in Markdown."""
    said = [("What it does", views.KINDS[shown.kind]), ("When", literal(f"{timing_words(shown.cron)}, {shown.zone}"))]
    if shown.kind is RunKind.REPORT:
        files = ", ".join(FILES[each] for each in shown.formats if each in FILES)
        said[0] = ("What", literal(views.subject(shown.report, _names(desk, shown.report))))
        said += [
            ("To whom", ", ".join(map(verbatim, shown.recipients)) or "Nobody so far"),
            ("Sent", literal(views.condition(shown.condition))),
            ("Files", f"{files}. {views.size(shown.max_attachment_bytes)}" if files else "None; all is in the mail"),
        ]
    if shown.unsubscribed:
        said.append(("Unsubscribed", ", ".join(map(verbatim, shown.unsubscribed))))
    said.append(("Last result", literal(_last(house, shown))))
    return [*said, ("Note", literal(shown.note))] if shown.note else said


def _names(desk: Desk, report: ReportOf | None) -> dict[str, str]:
    """The name of the saved query that a report is about; one may have been deleted since."""
    if report is None or report.subject is not Subject.QUERY or report.ref is None:
        return {}
    try:
        return {report.ref: calls.query(desk, report.ref).name}
    except NotFound:
        return {report.ref: "not there any more"}


def _last(house: House, shown: Schedule) -> str:
    when = f", due {moment_of(shown.last.due_at, house.zone)}" if shown.last else ""
    return f"{views.last(shown)}{when}"
