"""The service with the rights of whoever is signed in, for pages that show what is live or change it."""

from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import streamlit as st

from dashboard.api import Api
from dashboard.context import House, keeper
from stockverify.errors import Unauthorized
from stockverify.vocabulary import Role
from stockverify.wire.auth import User

Shape = TypeVar("Shape")


class Desk(NamedTuple):
    """One person at work. It belongs to one run of one session, and nothing that it answers is kept for others."""

    user: User
    api: Api
    token: str

    @property
    def settles(self) -> bool:
        """Whether they may settle conflicts and override counters."""
        return self.user.role in (Role.SUPERVISOR, Role.ADMIN)

    @property
    def manages(self) -> bool:
        """Whether they may change accounts and devices."""
        return self.user.role is Role.ADMIN

    @property
    def audits(self) -> bool:
        """Whether they may read accounts, devices and the audit log."""
        return self.user.role in (Role.ADMIN, Role.AUDITOR)

    def get(self, path: str, shape: type[Shape], **asked: Any) -> Shape:
        """Read. Filters that are None or empty are left out."""
        given = {name: value for name, value in asked.items() if value not in (None, "")}
        return self.api.call("GET", path, shape, self.token, params=given)

    def post(self, path: str, shape: type[Shape], body: Any = None) -> Shape:
        """Do something, with a JSON body if it needs one."""
        return self.api.call("POST", path, shape, self.token, **({} if body is None else {"json": body}))

    def patch(self, path: str, shape: type[Shape], body: Any) -> Shape:
        """Change something."""
        return self.api.call("PATCH", path, shape, self.token, json=body)

    def put(self, path: str, shape: type[Shape], body: Any) -> Shape:
        """Say all of something anew."""
        return self.api.call("PUT", path, shape, self.token, json=body)

    def delete(self, path: str, shape: type[Shape]) -> Shape:
        """Forget something."""
        return self.api.call("DELETE", path, shape, self.token)

    def content(self, path: str) -> bytes:
        """Read what is no JSON."""
        return self.api.content(path, self.token)


def open_desk(house: House) -> Desk:
    """The desk of this session. Live parts of a page run without the rest of the app, so the login is looked after here
    too; with other rights the whole app begins anew. Raises Unauthorized when there is no login any more."""
    kept = keeper()
    kept.renew(house.api, datetime.now(UTC))
    login = kept.login
    if login is None:
        raise Unauthorized(reason=kept.message or "Nobody is signed in.")
    if kept.rights != kept.remembered:
        st.rerun()
    return Desk(login.user, house.api, login.access_token)


def part(name: str) -> str:
    """A name from outside as one part of a path."""
    return quote(name, safe="")
