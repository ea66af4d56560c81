"""The library of all snapshots: found by words and tags, kept, refreshed and deleted."""

import hashlib

import streamlit as st

from analytics.glance.numbers import NOTHING, amount
from dashboard import notes, one_snapshot
from dashboard.calls import snapshots as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.drawing import fitted
from dashboard.markup import literal
from dashboard.messages import Message, guarded, show
from dashboard.views import snapshots as views
from dashboard.views.tables import column
from stockverify.datasets import Type
from stockverify.wire.lineage import SnapshotLineage
from stockverify.wire.reports import Snapshot

ADDRESS = "kept"
_IN_SIGHT = 9
_NONE_HERE = Message(
    "No snapshot here",
    "No snapshot has these words and tags. Data snapshots hold all of a moment, and the worker takes them; reports "
    "hold the rows of a query.",
    "search_off",
)


def draw(house: House, desk: Desk) -> None:
    """The list, and the one that was chosen."""
    known = calls.listed(desk)
    found = _filtered(known)
    if not found:
        show(_NONE_HERE)
        return
    _list(house, found, known)
    wanted = str(st.query_params.get(ADDRESS, ""))
    chosen = next((each for each in known if each.snapshot_id == wanted), None)
    if chosen is not None:
        with st.container(border=True), guarded("Snapshot"):
            _one(house, desk, chosen, known)
    elif wanted:
        show(Message("Not found", f"There is no snapshot {wanted[:80]} any more. Tick another one.", "search_off"))


def look_at(snapshot_id: str) -> None:
    """Look at this one from now on; at none without an id."""
    if snapshot_id:
        st.query_params[ADDRESS] = snapshot_id
    else:
        st.query_params.pop(ADDRESS, None)


def _filtered(known: list[Snapshot]) -> list[Snapshot]:
    with st.container(key="library_filters"):
        first, second, third = (st.container() for _ in range(3))
    text = first.text_input("Search", placeholder="Name, description, id or maker", max_chars=200, key="library_text")
    kind = second.segmented_control("Kind", [views.DATA, views.REPORT], key="library_kind")
    tags = third.multiselect("Tags", views.tags_of(known), placeholder="Any", key="library_tags")
    return views.matching(known, text, kind, tags)


def _list(house: House, found: list[Snapshot], known: list[Snapshot]) -> None:
    rows = views.listed(found)
    columns = {
        "kind": st.column_config.TextColumn("Kind"),
        "name": st.column_config.TextColumn("Name"),
        "as_of": column("as_of", Type.INSTANT, house.zone),
        "rows": st.column_config.NumberColumn("Rows", format="%,d"),
        "tags": st.column_config.ListColumn("Tags", width="medium"),
        "pinned": st.column_config.CheckboxColumn("Pinned"),
        "created_by": st.column_config.TextColumn("Made by"),
        "snapshot_id": st.column_config.TextColumn("Id"),
    }
    # Ticks are numbers of rows: another list is another table, so that a tick never slips to another snapshot.
    mark = hashlib.sha256(" ".join(rows["snapshot_id"]).encode()).hexdigest()[:12]
    picked = st.dataframe(
        rows.to_arrow(),
        column_config=columns,
        hide_index=True,
        height=fitted(rows.height, _IN_SIGHT),
        placeholder=NOTHING,
        on_select="rerun",
        selection_mode="single-row",
        key=f"library {mark}",
        alt="All snapshots",
    )
    st.caption(_how_many(len(found), len(known)))
    if ticked := picked.selection.rows:
        look_at(found[ticked[0]].snapshot_id)


def _how_many(shown: int, known: int) -> str:
    """Never cut in silence."""
    some = f"{amount(shown, 'lines')} of {amount(known, 'lines')} snapshots. Tick one to look at it."
    return f"Of the newest {some} Older ones are there, but not in this list." if known == calls.MOST else some


def _one(house: House, desk: Desk, chosen: Snapshot, known: list[Snapshot]) -> None:
    lineage = calls.lineage(desk, chosen.snapshot_id)
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        one_snapshot.title(house, chosen, lineage)
    if desk.settles:
        with right.container(horizontal=True, horizontal_alignment="right"):
            _pin(desk, chosen)
            if views.kind_of(chosen) == views.REPORT:
                _refresh(desk, chosen)
            _delete(desk, chosen, lineage)
    one_snapshot.draw(house, chosen, lineage, known)


def _pin(desk: Desk, chosen: Snapshot) -> None:
    help_ = "Leave it to retention again" if chosen.pinned else "Keep it, whatever retention says"
    if st.button("Unpin" if chosen.pinned else "Pin", icon=":material/keep:", help=help_):
        (calls.unpin if chosen.pinned else calls.pin)(desk, chosen.snapshot_id)
        st.rerun()


def _refresh(desk: Desk, chosen: Snapshot) -> None:
    help_ = "Ask its query again, of the data as they are now"
    if st.button("Refresh", icon=":material/refresh:", key="refresh_report", help=help_):
        with st.spinner("Asking again …", show_time=True):
            made = calls.refresh(desk, chosen.snapshot_id)
        text = f"{made.name} has {amount(made.row_count, 'lines')} rows now. The one before is still there."
        notes.leave(Message("Refreshed", text, "refresh"))
        look_at(made.snapshot_id)
        st.rerun()


def _delete(desk: Desk, chosen: Snapshot, lineage: SnapshotLineage) -> None:
    """Asked twice; what cannot be deleted says why beside the button."""
    with st.popover("Delete", icon=":material/delete:"):
        if lineage.kept_from_deletion:
            st.markdown(literal(lineage.kept_from_deletion))
            return
        st.markdown(f"Delete **{literal(chosen.name)}** and its {amount(chosen.row_count, 'lines')} rows for good?")
        if lineage.uses:
            count = len(lineage.uses)
            st.caption(f"{count} other thing{'' if count == 1 else 's'} refer to it. Comparisons keep their answers.")
        if st.button("Delete it for good", type="primary", icon=":material/delete_forever:"):
            calls.delete(desk, chosen.snapshot_id)
            notes.leave(Message("Deleted", f"{chosen.name} ({chosen.snapshot_id}) is gone.", "delete"))
            look_at("")
            st.rerun()
