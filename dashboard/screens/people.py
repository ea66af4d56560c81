"""Devices and users: who may sign in as what, and on which devices; admins change, auditors read."""

import streamlit as st

from dashboard import notes, people
from dashboard.calls.people import devices, users
from dashboard.context import House, open_house
from dashboard.desk import Desk, open_desk
from dashboard.heading import live
from dashboard.messages import guarded


def show() -> None:
    """Draw the page."""
    house = open_house()
    desk = open_desk(house)
    answered = live(house, "Devices and users")
    notes.tell()
    part = st.segmented_control(
        "Part", ["Users", "Devices"], default="Users", required=True, key="people_part", label_visibility="collapsed"
    )
    if part == "Devices":
        _devices(house, desk)
    else:
        _users(desk)
    answered()


def _users(desk: Desk) -> None:
    found = users(desk)
    people.users_table(found)
    if desk.manages:
        left, right = st.columns(2)
        with left, guarded("Make an account"):
            people.make_user(desk)
        with right, guarded("Change an account"):
            people.change_user(desk, found)


def _devices(house: House, desk: Desk) -> None:
    found = devices(desk)
    people.devices_table(found, house.zone)
    if desk.manages:
        left, right = st.columns(2)
        with left, guarded("Invite a device"):
            people.invite(desk, users(desk), house.zone)
        with right, guarded("Revoke a device"):
            people.revoke(desk, found)


if __name__ == "__main__":
    show()
