"""Draws an uploaded list: what importing it would do, how far it is, and what became of it."""

from datetime import UTC, datetime

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from analytics.glance.numbers import amount
from dashboard import notes, reading_list, snapshot_button
from dashboard.calls import imports as calls
from dashboard.context import House
from dashboard.desk import Desk, open_desk
from dashboard.drawing import fitted, part
from dashboard.heading import label
from dashboard.markup import literal
from dashboard.messages import Message, guarded, show
from dashboard.times import shown
from dashboard.views import imports as views
from dashboard.views.files import size
from stockverify import page_links
from stockverify.datasets import ITEMS
from stockverify.vocabulary import ImportStatus
from stockverify.wire.imports import ImportJob, ImportOutcome
from stockverify.wire.reports import QuerySpec

ADDRESS = "import"
_LOOK_SECONDS = 1.0
_IN_SIGHT = 10
_OPEN = (ImportStatus.QUEUED, ImportStatus.WRITING)
_KEYS: dict[str, ColumnConfig] = {
    "line": st.column_config.NumberColumn("Line of the file", format="%,d"),
    "rack_id": st.column_config.TextColumn("Rack"),
    "bin": st.column_config.TextColumn("Bin"),
    "item_code": st.column_config.TextColumn("Item code"),
    "changes": st.column_config.TextColumn("What changes", width="large"),
}
LISTS: dict[str, ColumnConfig | None] = {
    "import_id": None,
    "file": st.column_config.TextColumn("List"),
    "state": st.column_config.TextColumn("State"),
    "created_by": st.column_config.TextColumn("Uploaded by"),
    "rows_read": st.column_config.NumberColumn("Rows", format="%,d"),
    "added": st.column_config.NumberColumn("New", format="%,d"),
    "changed": st.column_config.NumberColumn("Changed", format="%,d"),
    "rejected": st.column_config.NumberColumn("Bad rows", format="%,d"),
}
_BAD: dict[str, ColumnConfig] = {
    "line": st.column_config.NumberColumn("Line of the file", format="%,d"),
    "column": st.column_config.TextColumn("Column"),
    "value": st.column_config.TextColumn("What stands there"),
    "reason": st.column_config.TextColumn("Why it cannot be used", width="large"),
}


def look_at(import_id: str) -> None:
    """Look at this list from now on, or at all of them."""
    if import_id:
        st.query_params[ADDRESS] = import_id
    else:
        st.query_params.pop(ADDRESS, None)


def draw(house: House, desk: Desk, job: ImportJob) -> None:
    """All of one list."""
    _title(house, desk, job)
    match ImportStatus(job.status):
        case ImportStatus.OPEN:
            _open(desk, job)
        case ImportStatus.QUEUED | ImportStatus.WRITING:
            _under_way(house, job)
        case ImportStatus.DONE:
            _done(house, job)
        case ImportStatus.FAILED:
            show(Message("The list was not imported", job.note or "The log of the service says why.", "error"))
        case ImportStatus.EXPIRED:
            show(Message("The list was let go", "Nobody went on with it for a day. Upload it again.", "schedule"))


def _title(house: House, desk: Desk, job: ImportJob) -> None:
    left, right = st.columns([3, 2], vertical_alignment="center")
    when = literal(shown(datetime.fromtimestamp(job.created_at, UTC), house.zone))
    with left:
        st.header(literal(job.file), anchor=False)
        st.caption(f"{size(job.bytes)} · uploaded by {literal(job.created_by)}, {when} · `{job.sha256[:12]}`")
    with right.container(horizontal=True, horizontal_alignment="right"):
        if job.status == ImportStatus.OPEN and desk.settles and st.button("Discard", icon=":material/delete:"):
            calls.discard(desk, job.import_id)
            notes.leave(Message("Discarded", f"{job.file} is forgotten; the book is as it was.", "delete"))
            look_at("")
            st.rerun()
        st.button("All lists", icon=":material/list:", on_click=look_at, args=("",))


def _open(desk: Desk, job: ImportJob) -> None:
    if job.note:
        show(Message("Not imported", job.note, "sync_problem"))
    reading_list.card(desk, job)
    if job.checked.problem:
        text = views.problem(job.checked.recognised, job.checked.problem)
        show(Message("The list cannot be imported like this", text, "error"))
    if job.checked.outcome is not None:
        _outcome(desk, job, job.checked.outcome)


def _outcome(desk: Desk, job: ImportJob, outcome: ImportOutcome) -> None:
    st.header("Dry run", anchor=False, help="What importing the list would do. Nothing is written so far.")
    _numbers(outcome)
    _rows(desk, job, outcome)
    if outcome.added + outcome.changed + outcome.new_racks == 0:
        st.info("Nothing to import: the book has every good row just like this.", icon=":material/check_circle:")
    elif desk.settles:
        _commit(desk, job, outcome)
    else:
        st.caption("It waits for a supervisor. Auditors read and change nothing.")


def _commit(desk: Desk, job: ImportJob, outcome: ImportOutcome) -> None:
    agreed = True
    if outcome.rejected:
        agreed = st.checkbox(f"Leave out the {amount(outcome.rejected, 'lines')} bad rows", key=f"agree {outcome.plan}")
    pressed = st.button(views.what_is_done(outcome), type="primary", icon=":material/publish:", disabled=not agreed)
    if pressed:
        calls.commit(desk, job, outcome)
        st.rerun()


def _numbers(outcome: ImportOutcome) -> None:
    with st.container(key="counts"):
        for count in views.counts(outcome):
            st.metric(count.label, amount(count.number, "lines"), help=count.help, border=True)
    st.caption(literal(views.numbers_read(outcome)))


def _rows(desk: Desk, job: ImportJob, outcome: ImportOutcome) -> None:
    names = {"bad": "Bad rows", "changed": "Changed lines", "new": "New lines"}
    totals = {"bad": outcome.rejected, "changed": outcome.changed, "new": outcome.added}
    kinds = [kind for kind, total in totals.items() if total]
    if not kinds:
        return
    kind = st.segmented_control(
        "Rows", kinds, default=kinds[0], required=True, format_func=names.__getitem__, key=f"rows {outcome.plan}"
    )
    if kind == "bad":
        rows, columns = views.bad_rows(outcome.bad_rows), _BAD
    else:
        rows, columns = views.lines(outcome.changed_first if kind == "changed" else outcome.added_first), _KEYS
        rows = rows if kind == "changed" else rows.drop("changes")
    st.dataframe(
        rows.to_arrow(),
        column_config=columns,
        hide_index=True,
        height=fitted(rows.height, _IN_SIGHT),
        alt=names[kind or "bad"],
    )
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.caption(f"{part(rows.height, totals[kind or 'bad'])} {names[kind or 'bad'].lower()}.")
    if kind == "bad":
        _download(right, desk, job)


def _download(place: st.delta_generator.DeltaGenerator, desk: Desk, job: ImportJob) -> None:
    """Fetched when it is asked for, and whole: the table above ends somewhere."""
    with place.container(horizontal=True, horizontal_alignment="right"):
        st.download_button(
            "All bad rows (csv)",
            lambda: calls.rejects(desk, job.import_id),
            f"{job.file.rpartition('.')[0] or job.file}-bad-rows.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
        )


@st.fragment(run_every=_LOOK_SECONDS)
def _under_way(house: House, job: ImportJob) -> None:
    """Looks again every second, and draws the whole page anew when it is over."""
    with guarded("Import"):
        state = calls.one(open_desk(house), job.import_id)
        if state.status not in _OPEN:
            st.rerun()
        total = state.writes_total or 0
        done = (
            f"{amount(state.writes_done, 'lines')} of {amount(total, 'lines')} writes"
            if total
            else "waits for its turn"
        )
        st.progress(min(state.writes_done / total, 1.0) if total else 0.0, f"Importing: {done}")
        st.caption("You may leave this page: the service goes on, and what breaks off is taken up again.")


def _done(house: House, job: ImportJob) -> None:
    outcome, finished = job.checked.outcome, datetime.fromtimestamp(job.finished_at or 0, UTC)
    when = literal(shown(finished, house.zone))
    st.success(f"In the book since {when}, by {literal(job.committed_by or '')}.", icon=":material/check_circle:")
    if outcome is not None:
        _numbers(outcome)
    if job.overtaken:
        lines = amount(job.overtaken, "lines")
        text = (
            f"{lines} lines were changed by another import meanwhile and left alone. Upload the list again to see them."
        )
        show(Message("Some lines were left alone", text, "sync_problem"))
    newest = next(iter(house.lake.freezes()), None)
    # Not its as-of, which MongoDB tells in whole seconds: it might have been taken in the same second, but before.
    if newest is None or newest.created_at < finished:
        st.caption("No snapshot has these lines yet: pages show the book as of their snapshot.")
        snapshot_button.offer(house)
        return
    since = datetime.fromtimestamp(job.committed_at or 0, UTC).isoformat(timespec="milliseconds")
    lines_of_it = QuerySpec(collection=ITEMS.name, filters={"updated_at": {"gte": since}})
    query = {
        page_links.SNAPSHOT: newest.snapshot_id,
        page_links.QUESTION: page_links.written(lines_of_it).decode(),
    }
    st.page_link(
        "screens/explore.py", label="See the imported lines", icon=":material/query_stats:", query_params=query
    )
    st.caption(f"In the snapshot of {literal(label(newest, house))}.")
