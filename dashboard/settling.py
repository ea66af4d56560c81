"""Draws one conflict, and the forms that settle one or many."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.glance.numbers import amount
from analytics.glance.words import heading
from dashboard import notes
from dashboard.calls import conflicts as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.markup import literal
from dashboard.messages import Message, show
from dashboard.views import conflicts as views
from stockverify.errors import Refused
from stockverify.vocabulary import ConflictStatus, Resolution
from stockverify.wire.conflicts import Conflict, ConflictInFull, Fields

ADDRESS = "conflict"
_SIDES = {
    "field": st.column_config.TextColumn("Field", width=120),
    "mark": st.column_config.TextColumn("", width=40, help="≠ marks what differs"),
    "device": st.column_config.TextColumn("The device sent", width="medium"),
    "stored": st.column_config.TextColumn("The service has", width="medium"),
}
_MANY = "settle many"
_QUEUE_CHANGED = Message(
    "The queue has changed",
    "Conflicts came or were settled while you chose, so nothing was settled just now. Tick again what you meant.",
    "sync_problem",
)
_VERDICT = "Settled. It is in the audit log, and devices are told."
_NOTHING_CORRECTED = Message(
    "Nothing was corrected",
    "A merge needs at least one field that differs from what the device sent. To take it as it is, choose "
    "Take the device's version.",
    "edit_off",
)


def looked_at() -> str:
    """The conflict that the page's address names, or nothing."""
    return str(st.query_params.get(ADDRESS, ""))


def look_at(conflict_id: str) -> None:
    """Look at this one from now on; at none, the page shows the first of the queue."""
    if conflict_id:
        st.query_params[ADDRESS] = conflict_id
    else:
        st.query_params.pop(ADDRESS, None)


def conflict(house: House, found: ConflictInFull) -> None:
    """Both versions side by side, and the history."""
    st.markdown(f"**{literal(views.TYPES[found.conflict_type])}**: {literal(found.message)}")
    st.caption(literal(views.who_and_when(found, house.zone)))
    whole = st.toggle("All fields", key="whole_conflict")
    rows = views.sides(found, house.zone, whole)
    st.dataframe(
        {name: [getattr(row, name) for row in rows] for name in views.Side._fields},
        column_config=_SIDES,
        hide_index=True,
        height="content",
        alt="Both versions side by side",
    )
    if found.server_data is None:
        st.caption("No stored record stands against it; the reason is the sentence above.")
    _history(house, found)


def _history(house: House, found: ConflictInFull) -> None:
    count = len(found.history)
    with st.expander(f"History of the record · {count} earlier version{'' if count == 1 else 's'}"):
        if not count:
            st.caption("The record has no earlier version.")
            return
        zone = house.zone.key
        when = st.column_config.DatetimeColumn(f"Received ({zone})", format="D MMM YYYY, HH:mm:ss", timezone=zone)
        names = {name: heading(name) for name in ("counted_by", "rack", "serial_numbers", "status", "revision")}
        units = {"verified_qty": "Verified (units)", "damage_qty": "Damage (units)"}
        st.dataframe(
            views.versions(found.history).to_arrow(),
            column_config={"received_at": when, **names, **units},
            hide_index=True,
            height="content",
        )


def asked_for(found: Conflict) -> bool:
    """Whether the form of this conflict was sent just now; it is then answered, even if somebody else was faster."""
    return bool(st.session_state.get(_button(found)))


def form(desk: Desk, found: Conflict, following: str) -> None:
    """Settle one, and go on to the one that follows."""
    choice = _choice(f"resolution_{found.id}", list(Resolution))
    with st.form(f"settle_{found.id}", border=False):
        edited = _corrections(found.local_data) if choice is Resolution.MERGE else None
        note = st.text_input("Note", max_chars=1000, placeholder="Why, for the audit log")
        if st.form_submit_button("Settle", type="primary", shortcut="Ctrl+Enter", key=_button(found)):
            _settle(desk, found, choice, note.strip(), edited, following)


def form_for_many(desk: Desk, found: Sequence[Conflict]) -> None:
    """Settle all that were ticked, alike."""
    waiting = [each.id for each in found if each.status is ConflictStatus.PENDING]
    st.markdown(f"**Settle {amount(len(waiting), 'lines')} ticked conflict{'' if len(waiting) == 1 else 's'} alike**")
    if len(waiting) < len(found):
        st.caption(f"{len(found) - len(waiting)} of those ticked are settled already and stay as they are.")
    with st.form("settle_many", border=False):
        choice = _choice("resolution_many", [each for each in Resolution if each is not Resolution.MERGE])
        note = st.text_input("Note", max_chars=1000, placeholder="Why, for the audit log", key="note_many")
        if st.form_submit_button("Settle all ticked", type="primary", icon=":material/gavel:", key=_MANY) and waiting:
            done = calls.resolve_all(desk, waiting, choice, note.strip())
            reasons = " ".join(dict.fromkeys(each.error for each in done.errors))
            text = f"{len(done.resolved)} settled, {len(done.errors)} not. {reasons}".strip()
            notes.leave(Message("Settled together", text, "done_all"))
            st.rerun()


def ticks_lost() -> None:
    """Say so when the form for many was sent, but the queue has changed since, and with it what was ticked."""
    if st.session_state.get(_MANY):
        show(_QUEUE_CHANGED)


def _button(found: Conflict) -> str:
    return f"settle {found.id}"


def _choice(key: str, offered: list[Resolution]) -> Resolution:
    captions = [views.MEANINGS[each] for each in offered]
    picked = st.radio("Resolution", offered, format_func=views.RESOLUTIONS.__getitem__, captions=captions, key=key)
    return picked or offered[0]


def _corrections(local: Fields) -> dict[str, Any]:
    """The fields of a merge, as the device sent them, for correction."""
    left, right = st.columns(2)
    serials = local.get("serial_numbers") or []
    return {
        "item_code": left.text_input("Item code", local.get("item_code") or ""),
        "bin": right.text_input("Bin", local.get("bin") or ""),
        "verified_qty": _quantity(left, "Verified (units)", local.get("verified_qty")),
        "damage_qty": _quantity(right, "Damaged (units)", local.get("damage_qty")),
        "serial_numbers": views.serials(st.text_area("Serial numbers", ", ".join(map(str, serials)), height=80)),
        "item_condition": st.text_input("Condition", local.get("item_condition") or ""),
    }


def _settle(
    desk: Desk, found: Conflict, choice: Resolution, note: str, edited: dict[str, Any] | None, following: str
) -> None:
    changes = None if edited is None else views.merged(found.local_data, edited)
    if changes == {}:
        notes.leave(_NOTHING_CORRECTED)
        st.rerun()
    try:
        calls.resolve(desk, found.id, choice, note, changes)
    except Refused as error:  # the page then shows the conflict as it stands, with its outcome
        notes.leave(Message("Not settled", error.message, "bolt"))
    else:
        notes.leave(Message("Settled", _VERDICT, "check_circle"))
        look_at(following)
    st.rerun()


def _quantity(place: DeltaGenerator, label: str, sent: Any) -> float | None:
    """Empty means not counted, which is not zero."""
    entered: float | None = place.number_input(
        label, value=None if sent is None else float(sent), step=1.0, format="%.3f", placeholder="Not counted"
    )
    return entered
