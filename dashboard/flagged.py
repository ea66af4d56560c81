"""Draws one flag with the rows that prove it, and what supervisors may do about it."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from analytics.glance.numbers import NOTHING
from dashboard import loads, notes
from dashboard.calls import flags as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.drawing import fitted
from dashboard.flag_list import DISMISS, RECOUNT, look_at
from dashboard.markup import literal
from dashboard.messages import Message, guarded
from dashboard.times import shown
from dashboard.views import flags as views
from dashboard.views.tables import columns
from stockverify import page_links
from stockverify.datasets import DATASETS
from stockverify.errors import Refused
from stockverify.vocabulary import FlagState
from stockverify.wire.anomalies import KeptFlag

_LEAST = 3
_IN_SIGHT = 8
_NO_REASON = Message("Nothing asked for", "Choose a rack and give a reason of at least three letters.", "edit")
_NO_NOTE = Message("Not dismissed", "Say why it needs no look, in at least three letters.", "edit")


def flag(house: House, found: KeptFlag) -> None:
    """Why it is one, against what, and the rows."""
    st.markdown(
        f":gray-badge[{views.KINDS[found.kind]}] **{literal(views.subject(found))}** · severity {found.severity:.2f}, "
        f"{views.strength(found.severity)}"
    )
    st.markdown(literal(found.why))
    st.caption(f"Usual: {literal(found.baseline)}.")
    with guarded("Evidence"):
        _evidence(house, found)


def asked_for(found: KeptFlag) -> bool:
    """Whether the form that dismisses this one was sent just now; it is then answered, even if somebody was faster."""
    return bool(st.session_state.get(_dismiss_key(found)))


def forms(desk: Desk, found: KeptFlag, following: str) -> None:
    """Ask for a recount, or dismiss it and go on to the one that follows."""
    if found.racks:
        with st.container(border=True):
            _recount(desk, found)
    with st.container(border=True), st.form(f"dismiss form {found.flag_id}", border=False):
        st.markdown("**Dismiss it**")
        note = st.text_input("Note", max_chars=1000, placeholder="Why it needs no look")
        st.caption("It leaves this list, and stays dismissed when a later scan finds it again.")
        if st.form_submit_button("Dismiss", icon=":material/visibility_off:", key=_dismiss_key(found)):
            _dismiss(desk, found, note.strip(), following)


def said(house: House, desk: Desk, found: KeptFlag) -> None:
    """What people have said about it so far, and the way back from a dismissal."""
    if found.state is FlagState.GONE:
        st.markdown(":gray-badge[No longer found] The latest scan did not find it any more.")
    if sentence := views.recount(found, house.zone):
        st.markdown(f":material/replay: {literal(sentence)}")
    if sentence := views.dismissal(found, house.zone):
        st.markdown(f":material/visibility_off: {literal(sentence)}")
        if desk.settles and st.button("Undo", icon=":material/undo:", help="Put it back among those to look at"):
            calls.restore(desk, found.flag_id)
            notes.leave(Message("Back again", f"{views.name(found)} is no longer dismissed.", "undo"))
            st.rerun()


def _evidence(house: House, found: KeptFlag) -> None:
    zone, snapshot_id = house.zone, found.last_snapshot_id
    freeze = next((each for each in house.lake.freezes() if each.snapshot_id == snapshot_id), None)
    if freeze is None:
        seen = shown(datetime.fromtimestamp(found.last_seen_at, UTC), zone)
        st.info(
            f"The rows that prove it cannot be shown: it was last found at {literal(seen)}, in the snapshot "
            f"`{literal(snapshot_id)}`, which is no longer kept.",
            icon=":material/delete_history:",
        )
        return
    proof = tuple(tuple(key) for key in found.proof)
    rows = loads.evidence(house.settings.lake, snapshot_id, found.dataset, proof)
    names = views.EVIDENCE[found.dataset]
    kinds = [(name, DATASETS[found.dataset].column(name).type) for name in names]  # type: ignore[union-attr]
    st.dataframe(
        rows.select(names).to_arrow(),
        column_config=columns(kinds, zone, house.currency),
        hide_index=True,
        height=fitted(rows.height, _IN_SIGHT),
        placeholder=NOTHING,
        alt="The rows that prove it",
    )
    as_of = literal(shown(freeze.as_of, zone))
    st.caption(f"{views.proves(found, rows.height)}, as of {as_of} · `{snapshot_id}`")
    way = views.way(found)
    target = urlsplit(page_links.rows(snapshot_id, way.question))
    # A plain link would open another session, which asks for the password again.
    st.page_link(
        "screens/explore.py",
        label=literal(way.label),
        icon=":material/query_stats:",
        query_params=dict(parse_qsl(target.query)),
    )


def _recount(desk: Desk, found: KeptFlag) -> None:
    choice = views.choice(found, calls.racks(desk))
    with st.form(f"recount form {found.flag_id}", border=False):
        st.markdown("**Have it counted again**")
        # The options stay the same whatever becomes of the racks, so that a form that was sent is answered.
        racks = st.multiselect(
            "Racks", found.racks, choice.completed, key=f"racks {found.flag_id}", placeholder="Completed racks"
        )
        reason = st.text_input(
            "Reason", max_chars=1000, placeholder="Why again, for the audit log", key=f"reason {found.flag_id}"
        )
        if choice.others:
            st.caption(literal(f"Only completed racks can be opened. {choice.others}."))
        key = f"{RECOUNT} {found.flag_id}"
        if st.form_submit_button("Ask for a recount", type="primary", icon=":material/replay:", key=key):
            _ask(desk, found, racks, reason.strip())


def _ask(desk: Desk, found: KeptFlag, racks: list[str], reason: str) -> None:
    if not racks or len(reason) < _LEAST:
        notes.leave(_NO_REASON)
        st.rerun()
    asked = calls.recount(desk, found.flag_id, racks, reason)
    title, icon = ("Recount asked for", "replay") if asked.opened else ("Nothing was opened", "bolt")
    notes.leave(Message(title, views.outcome(asked), icon))
    look_at(found.flag_id)
    st.rerun()


def _dismiss(desk: Desk, found: KeptFlag, note: str, following: str) -> None:
    if len(note) < _LEAST:
        notes.leave(_NO_NOTE)
        st.rerun()
    try:
        calls.dismiss(desk, found.flag_id, note)
    except Refused as error:  # the page then shows the flag as it stands, with what the other one said
        notes.leave(Message("Not dismissed", error.message, "bolt"))
        look_at(found.flag_id)
    else:
        notes.leave(Message("Dismissed", f"{views.name(found)}. It is in the audit log.", "check_circle"))
        look_at(following)
    st.rerun()


def _dismiss_key(found: KeptFlag) -> str:
    return f"{DISMISS} {found.flag_id}"
