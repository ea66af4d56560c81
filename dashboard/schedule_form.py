"""The form that makes or changes a schedule. What depends on a choice, as the next times do, follows it at once."""

from collections.abc import Mapping

import streamlit as st

from dashboard import notes, timing_fields
from dashboard.calls import schedules as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.heading import label
from dashboard.markup import verbatim
from dashboard.messages import Message
from dashboard.schedule_list import look_at
from dashboard.views import schedule_form as views
from dashboard.views import schedules as words
from stockverify.vocabulary import Condition, RunKind, ScheduleState, Subject
from stockverify.wire.schedules import MOST_RECIPIENTS, ReportOf, Schedule, SentWhen

_OWN_KINDS = (RunKind.REPORT, RunKind.MATERIALISE)


def draw(house: House, desk: Desk, old: Schedule | None) -> None:
    """The form of a new schedule, or of `old`."""
    mark = f"{old.schedule_id}_{old.revision}" if old else "new"
    with st.container(border=True, key=f"schedule_form_{mark}"):
        filled = _fields(house, desk, old, mark)
        with st.container(horizontal=True):
            start, keep = _buttons(old, mark)
    if old is None and (start or keep):
        _create(desk, filled, views.missing(filled, None, draft=keep), draft=keep)
    elif old is not None and start:
        _change(desk, old, filled, views.missing(filled, old.report, old.state is ScheduleState.DRAFT))


def _buttons(old: Schedule | None, mark: str) -> tuple[bool, bool]:
    """Whether it shall be saved, and whether as a draft. They are drawn before anything is refused."""
    if old is not None:
        return st.button("Save", type="primary", icon=":material/save:", key=f"save_{mark}"), False
    start = st.button("Save and start", type="primary", icon=":material/event_available:", key="save_start")
    keep = st.button("Save as draft", icon=":material/draft:", key="save_draft")
    st.button("Cancel", on_click=look_at, args=("",), key="cancel_new")
    return start, keep


def _fields(house: House, desk: Desk, old: Schedule | None, mark: str) -> views.Filled:
    name, kind = old.name if old else "", old.kind if old else RunKind.REPORT
    if old is None or not old.builtin:
        name = st.text_input("Name", name, max_chars=200, key=f"name_{mark}", placeholder="Variances by category")
    if old is None:
        kind = st.segmented_control(
            "What it does",
            _OWN_KINDS,
            default=kind,
            required=True,
            format_func=words.KINDS.__getitem__,
            key=f"kind_{mark}",
        )
    report = kind is RunKind.REPORT
    with st.container(key="schedule_halves"):
        left, right = st.container(), st.container()
    with left:
        about = _what(house, desk, old, mark) if report else (Subject.SUMMARY, None)
        timing, zone = timing_fields.fields(house, desk, old, mark)
    with right:
        recipients = _recipients(old, mark) if report else ""
        files = _files(old, mark) if report else []
        condition = _condition(old, mark) if report else SentWhen()
        size = _size(house, old, mark) if report else 0
        note = st.text_input("Note", old.note if old else "", max_chars=1000, key=f"note_{mark}")
    return views.Filled(name, kind, *about, timing, zone, recipients, files, condition, size, note)


def _what(house: House, desk: Desk, old: Schedule | None, mark: str) -> tuple[Subject, str | None]:
    kept = old.report if old else None
    subjects = list(words.SUBJECTS)
    place = subjects.index(kept.subject) if kept else 0
    subject = st.selectbox("What", subjects, place, format_func=words.SUBJECTS.__getitem__, key=f"what_{mark}")
    offered = _offered(house, desk, subject)
    if offered is None:
        return subject, None
    return subject, _ref(subject, offered, kept if kept and kept.subject is subject else None, mark)


def _offered(house: House, desk: Desk, subject: Subject) -> Mapping[str, str] | None:
    """What may be referred to, by what refers to it; None when the subject needs nothing more."""
    match subject:
        case Subject.TEMPLATE:
            return {each.name: f"{each.title}: {each.answers}" for each in calls.templates(desk)}
        case Subject.QUERY:
            return {each.query_id: f"{each.name} ({each.created_by})" for each in calls.queries(desk)}
        case Subject.SNAPSHOT:
            freezes = {each.snapshot_id: label(each, house) for each in house.lake.freezes()}
            return {words.LATEST: "The latest when it is due"} | freezes
    return None


def _ref(subject: Subject, offered: Mapping[str, str], kept: ReportOf | None, mark: str) -> str | None:
    known = kept.ref if kept else None
    options = list(offered) if known is None or known in offered else [known, *offered]
    own = kept is not None and kept.query is not None
    if not options and not own:
        st.caption("There is no saved query yet. Save one on Explore, or choose a ready-made report.")
        return None
    return st.selectbox(
        "Which",
        options,
        options.index(known) if known else None,
        format_func=lambda ref: offered.get(ref, f"{ref} (not there any more)"),
        placeholder="The query as it was written" if own else "Choose one",
        key=f"which_{subject}_{mark}",
    )


def _recipients(old: Schedule | None, mark: str) -> str:
    help_ = f"One address on each line, {MOST_RECIPIENTS} at most. Each gets a mail of their own."
    text: str = st.text_area(
        "To whom",
        "\n".join(old.recipients) if old else "",
        height=104,
        placeholder="manager@shop.example",
        help=help_,
        key=f"to_{mark}",
    )
    if old and old.unsubscribed:
        st.caption(
            f"Unsubscribed: {', '.join(map(verbatim, old.unsubscribed))}. They get none until they subscribe again."
        )
    return text


def _files(old: Schedule | None, mark: str) -> list[str]:
    had = [each for each in old.formats if each in views.FILES] if old else []
    return st.pills(
        "Files that go with it",
        list(views.FILES),
        selection_mode="multi",
        default=had,
        format_func=views.FILES.__getitem__,
        help="The mail itself always has figures, charts and rows in it.",
        key=f"files_{mark}",
    )


def _condition(old: Schedule | None, mark: str) -> SentWhen:
    was, kinds = old.condition if old else SentWhen(), list(Condition)
    kind = st.selectbox(
        "Sent", kinds, kinds.index(was.kind), format_func=words.CONDITIONS.__getitem__, key=f"sent_{mark}"
    )
    if kind is not Condition.FIGURE:
        return SentWhen(kind=kind)
    figures, ways = list(words.FIGURE_TITLES), list(words.OPERATORS)
    place = figures.index(was.figure) if was.figure in figures else None
    figure = st.selectbox("Figure", figures, place, format_func=views.figure_label, key=f"figure_{mark}")
    left, right = st.columns(2)
    op = left.selectbox(
        "is", ways, ways.index(was.op or "lt"), format_func=words.OPERATORS.__getitem__, key=f"op_{mark}"
    )
    shown = views.limit_shown(was.figure or "", was.limit)
    limit = right.number_input("Limit", value=shown, step=1.0, format="%g", key=f"limit_{mark}")
    return views.sent_when(kind, figure, op, limit)


def _size(house: House, old: Schedule | None, mark: str) -> int:
    """In MiB; a limit that was not touched stays to the byte."""
    before = old.max_attachment_bytes if old else house.settings.mail_max_attachment_bytes
    shown = max(round(before / views.MIB, 3), 0.001)
    help_ = "All files together. Larger ones go as one zip; if that is too large as well, the mail has links to them."
    typed = st.number_input("Attach up to (MiB)", 0.001, 100.0, shown, 1.0, format="%g", help=help_, key=f"size_{mark}")
    return before if typed == shown else max(int(typed * views.MIB), 1024)


def _create(desk: Desk, filled: views.Filled, lacks: str, draft: bool) -> None:
    if lacks:
        st.warning(lacks, icon=":material/edit:")
        return
    made = calls.create(desk, views.wanted(filled, None, draft))
    text = "It waits as a draft; resume starts it." if draft else f"It is due next {_next(made)}."
    notes.leave(Message("Schedule made", f"{made.name}. {text}", "event_available"))
    look_at(made.schedule_id)
    st.rerun()


def _change(desk: Desk, old: Schedule, filled: views.Filled, lacks: str) -> None:
    if lacks:
        st.warning(lacks, icon=":material/edit:")
        return
    made = calls.change(desk, old.schedule_id, views.changed(old, views.wanted(filled, old.report, draft=False)))
    text = f"It is due next {_next(made)}." if made.next else "It does not run until somebody starts it."
    notes.leave(Message("Schedule changed", f"{made.name}. {text}", "save"))
    st.rerun()


def _next(made: Schedule) -> str:
    return words.due(made.next[0], made.zone) if made.next else "never"
