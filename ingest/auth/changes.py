"""Pure decisions about changes of an account."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import UNSET

from stockverify.clients import Document
from stockverify.errors import BadInput, Refused
from stockverify.vocabulary import Role
from stockverify.wire.auth import ChangeUser


class LastAdmin(Refused):
    """This is the last active admin; make another one first."""


class FloorsOfRole(BadInput):
    """floors can be given to supervisors and auditors only: staff count wherever they are sent, and admins see all.
    Send an empty list with another role."""


class Hashed(NamedTuple):
    """The hashes of a new password and a new PIN, None for what is not new."""

    password: str | None
    pin: str | None


def changed(user: Document, request: ChangeUser, hashed: Hashed, now: datetime) -> Document:
    """The fields to write. Raises FloorsOfRole."""
    check_floors(request.role or Role(user["role"]), user.get("floors") if request.floors is None else request.floors)
    asked = {
        "role": request.role.value if request.role else None,
        "is_active": request.is_active,
        "full_name": request.full_name,
        "password_hash": hashed.password,
        "floors": None if request.floors is None else sorted(set(request.floors)),
    }
    after: Document = {name: value for name, value in asked.items() if value is not None}
    if request.email is not UNSET:
        after["email"] = request.email
        after["oidc_subject"] = None  # it belongs to whoever the provider knows under the address from now on
    if request.pin is not UNSET:
        after["pin_hash"] = hashed.pin
    if _ends_logins(user, request):
        after["logins"] = []
    if _ends_logins(user, request) or ends_lock(request):
        after["changed_at"] = now  # a login under way sees it, and is refused
    return after


def check_floors(role: Role, floors: Sequence[str] | None) -> None:
    """Raises FloorsOfRole."""
    if floors and role not in (Role.SUPERVISOR, Role.AUDITOR):
        raise FloorsOfRole()


def ends_lock(request: ChangeUser) -> bool:
    """Whether earlier wrong attempts no longer count: there is something new to know."""
    return request.password is not None or bool(request.pin)


def costs_an_admin(user: Document, request: ChangeUser) -> bool:
    """Whether an active admin is one no more after this."""
    if user["role"] != Role.ADMIN or not user["is_active"]:
        return False
    return request.is_active is False or request.role not in (None, Role.ADMIN)


def check_admins(active: int) -> None:
    """Raises LastAdmin, for the number of active admins before the change."""
    if active < 2:
        raise LastAdmin()


def told(user: Document, request: ChangeUser) -> dict[str, str | bool | list[str]]:
    """What the audit log keeps of a change: values of role, state and floors, and only the names of what is private."""
    about: dict[str, str | bool | list[str]] = {}
    if request.role and request.role != user["role"]:
        about |= {"role_before": user["role"], "role": request.role.value}
    if request.is_active is not None and request.is_active != user["is_active"]:
        about["is_active"] = request.is_active
    if _moves(user, request):
        about |= {"floors_before": list(user.get("floors") or ()), "floors": sorted(set(request.floors or ()))}
    names = ("full_name", "email", "password", "pin")
    named = [name for name in names if getattr(request, name) not in (UNSET, None)]
    taken = [f"no {name}" for name in ("email", "pin") if getattr(request, name) is None]
    return about | ({"changed": ", ".join([*named, *taken])} if named or taken else {})


def _ends_logins(user: Document, request: ChangeUser) -> bool:
    role_changes = request.role not in (None, user["role"])
    return role_changes or request.is_active is False or request.password is not None or _moves(user, request)


def _moves(user: Document, request: ChangeUser) -> bool:
    """Whether somebody is to see other floors than before."""
    return request.floors is not None and set(request.floors) != set(user.get("floors") or ())
