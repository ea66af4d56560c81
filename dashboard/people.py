"""Draws accounts and devices, and the forms with which admins change them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from analytics.glance.numbers import NOTHING
from dashboard import notes
from dashboard.calls import people as calls
from dashboard.desk import Desk
from dashboard.drawing import all_of, fitted
from dashboard.markup import literal
from dashboard.messages import Message
from dashboard.times import shown
from dashboard.views import people as views
from stockverify.vocabulary import Role
from stockverify.wire.auth import User
from stockverify.wire.devices import MAX_PEOPLE, Device, DeviceCode

_CODE = "device_code"
_IN_SIGHT = 14
_TIME = "D MMM YYYY, HH:mm"
_EMAIL: dict[str, Any] = {
    "max_chars": 256,
    "autocomplete": "off",
    "placeholder": "None",
    "help": "Notices and test mails go there; signing in through a provider may need it too.",
}


def users_table(users: Sequence[User]) -> None:
    """All accounts."""
    columns = {
        "username": st.column_config.TextColumn("User name"),
        "full_name": st.column_config.TextColumn("Name"),
        "role": st.column_config.TextColumn("Role"),
        "email": st.column_config.TextColumn("E-mail", width="medium"),
        "floors": st.column_config.ListColumn("Sees only (empty: all)"),
        "is_active": st.column_config.CheckboxColumn("Active"),
    }
    rows = views.users(users)
    _table(rows, columns, "account")


def devices_table(devices: Sequence[Device], zone: ZoneInfo) -> None:
    """All devices."""

    def when(title: str) -> ColumnConfig:
        return st.column_config.DatetimeColumn(f"{title} ({zone.key})", format=_TIME, timezone=zone.key)

    columns = {
        "device_id": st.column_config.TextColumn("Device"),
        "name": st.column_config.TextColumn("Name"),
        "state": st.column_config.TextColumn("State"),
        "usernames": st.column_config.ListColumn("People with PIN alone"),
        "enrolled_at": when("Enrolled"),
        "last_login_at": when("Last login"),
        "revoked_at": when("Revoked"),
        "revoked_reason": st.column_config.TextColumn("Why revoked"),
    }
    rows = views.devices(devices)
    if rows.is_empty():
        st.caption("No device has been enrolled or used so far.")
        return
    _table(rows, columns, "device")


def make_user(desk: Desk) -> None:
    """The form for a new account."""
    with st.form("make_user"):
        st.markdown("**Make an account**")
        username = st.text_input("User name", max_chars=64, autocomplete="off")
        full_name = st.text_input("Name", max_chars=256, autocomplete="off")
        role = st.selectbox("Role", list(Role), format_func=views.ROLES.__getitem__) or Role.STAFF
        password = st.text_input("Password", type="password", max_chars=1024, autocomplete="new-password")
        pin = st.text_input("PIN (4 to 6 digits, for devices)", type="password", max_chars=6, autocomplete="off")
        email = st.text_input("E-mail", **_EMAIL)
        if st.form_submit_button("Make the account", icon=":material/person_add:"):
            account = {"username": username.strip(), "full_name": full_name.strip(), "role": role.value}
            secret = {"password": password} | ({"pin": pin} if pin else {})
            made = calls.register(desk, account | secret, views.address(email))
            notes.leave(Message("Account made", f"{made.username} may sign in now.", "person_add"))
            st.rerun()


def change_user(desk: Desk, users: Sequence[User]) -> None:
    """The form that changes, disables or enables an account."""
    by_name = {user.username: user for user in users}
    with st.container(border=True):
        st.markdown("**Change an account**")
        chosen = st.selectbox("Account", by_name, None, placeholder="User name", key="changed_user")
        if chosen is None:
            st.caption("A new role, password or floors, or disabling an account, ends its logins at once.")
            return
        user, roles = by_name[chosen], list(Role)
        with st.form(f"change {chosen}", border=False):
            full_name = st.text_input("Name", user.full_name, max_chars=256)
            email = st.text_input("E-mail", user.email or "", **_EMAIL)
            role = st.selectbox("Role", roles, roles.index(user.role), format_func=views.ROLES.__getitem__)
            floors = st.multiselect(
                "Sees only these floors",
                sorted({*calls.floors(desk), *user.floors}),
                list(user.floors),
                placeholder="All floors",
                help="For supervisors and auditors. It holds on pages, in links, exports and mailed reports alike.",
                accept_new_options=True,
            )
            active = st.toggle("May sign in", user.is_active)
            password = st.text_input(
                "New password", type="password", max_chars=1024, autocomplete="new-password", placeholder="As it is"
            )
            pin = st.text_input(
                "New PIN (4 to 6 digits, for devices)",
                type="password",
                max_chars=6,
                autocomplete="off",
                placeholder="As it is",
            )
            if st.form_submit_button("Save", icon=":material/save:"):
                form = views.Filled(full_name, role or user.role, active, email, floors, password, pin)
                _save(desk, user, views.changes(user, form))


def invite(desk: Desk, users: Sequence[User], zone: ZoneInfo) -> None:
    """The form that gives a one-time code, and the code, once."""
    code: DeviceCode | None = st.session_state.pop(_CODE, None)
    if code is not None:
        until = literal(shown(datetime.fromtimestamp(code.expires_at, UTC), zone))
        with st.container(border=True):
            st.markdown(f":material/key: Code for **{literal(code.name)}**, good once until {until}:")
            st.code(code.code, language=None)
            st.caption("It is shown this once. Type it on the device, or invite again.")
    active = [user.username for user in users if user.is_active]
    with st.form("invite"):
        st.markdown("**Invite a device**")
        name = st.text_input("Name of the device", max_chars=128, placeholder="Scanner 7")
        who = st.multiselect("People who may log in with a PIN alone", active, max_selections=MAX_PEOPLE)
        if st.form_submit_button("Give a code", icon=":material/key:"):
            st.session_state[_CODE] = calls.invite(desk, name.strip(), who)
            st.rerun()


def revoke(desk: Desk, devices: Sequence[Device]) -> None:
    """The form that shuts a device out."""
    names = {
        device.device_id: f"{device.device_id} · {device.name or 'no name'}"
        for device in devices
        if device.revoked_at is None
    }
    with st.form("revoke"):
        st.markdown("**Revoke a device**")
        chosen = st.selectbox("Device", names, None, format_func=names.__getitem__, placeholder="Device")
        reason = st.text_input("Reason", max_chars=1000, placeholder="Why, for the audit log")
        st.caption("It is logged out at once, and stays out until it is enrolled anew.")
        if st.form_submit_button("Revoke", icon=":material/block:"):
            if chosen is None or len(reason.strip()) < 3:
                text = "Choose a device and give a reason of at least three letters."
                notes.leave(Message("Not revoked", text, "edit"))
            else:
                calls.revoke(desk, chosen, reason.strip())
                notes.leave(Message("Revoked", f"{chosen} is shut out.", "block"))
            st.rerun()


def _save(desk: Desk, user: User, changes: dict[str, object]) -> None:
    if changes:
        calls.change(desk, user.username, changes)
        text = ", ".join(views.CHANGED.get(name, name) for name in changes)
        notes.leave(Message(f"Account {user.username} changed", f"New: {text}.", "save"))
    else:
        notes.leave(Message("Nothing to save", f"The account {user.username} is like that already.", "edit_off"))
    st.rerun()


def _table(rows: pl.DataFrame, columns: dict[str, ColumnConfig], noun: str) -> None:
    height = fitted(rows.height, _IN_SIGHT)
    st.dataframe(rows.to_arrow(), column_config=columns, hide_index=True, height=height, placeholder=NOTHING)
    st.caption(f"{all_of(rows.height, noun)}.")
