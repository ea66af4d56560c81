"""Schedules: what the worker does by itself, when and for whom; made, tried out, paused, and what came of it."""

import streamlit as st

from dashboard import notes, schedule_card, schedule_form, schedule_list, schedule_runs
from dashboard.calls import schedules as calls
from dashboard.context import House, open_house
from dashboard.desk import Desk, open_desk
from dashboard.heading import live
from dashboard.messages import guarded
from dashboard.messages import show as show_message
from dashboard.views.schedules import may_change, whose
from stockverify.wire.schedules import Schedule


def show() -> None:
    """Draw the page."""
    house = open_house()
    desk = open_desk(house)
    answered = live(house, "Schedules")
    notes.tell()
    found = schedule_list.found(desk)
    answered()
    if schedule_list.looked_at() == schedule_list.NEW and desk.settles:
        st.header("New schedule", anchor=False)
        with guarded("New schedule"):
            schedule_form.draw(house, desk, None)
        return
    schedule_list.table(house, found)
    if not found.shown and not schedule_list.looked_at():
        show_message(schedule_list.NONE_HERE)
        return
    _one(house, desk, calls.one(desk, schedule_list.choose(found.shown)))


def _one(house: House, desk: Desk, shown: Schedule) -> None:
    own = desk.settles and may_change(shown, desk.user.username, desk.manages)
    parts = ["About", "Runs", *(["Edit"] if own else [])]
    schedule_card.state(shown)
    if own:
        with guarded("Schedule"):
            schedule_card.actions(desk, shown)
    elif desk.settles:
        st.caption(f"It belongs to {whose(shown)}; its owner or an admin may change it.")
    key = f"part_{shown.schedule_id}"
    part = st.segmented_control("Part", parts, default="About", required=True, key=key, label_visibility="collapsed")
    if part == "Runs":
        schedule_runs.draw(house, shown, calls.runs(desk, shown.schedule_id))
    elif part == "Edit":
        with guarded("Edit"):
            schedule_form.draw(house, desk, shown)
    else:
        schedule_card.facts(house, desk, shown)
    if schedule_list.PREVIEW in st.query_params:
        with guarded("Preview"):
            schedule_runs.preview(house, desk)


if __name__ == "__main__":
    show()
