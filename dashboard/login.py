"""One person's login, as the browser session keeps it on the server's side; the browser never sees a token."""

import threading
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from msgspec import Struct, structs

from dashboard.api import Api, ServiceAway, ServiceBusy
from stockverify.errors import StockVerifyError, Unauthorized
from stockverify.vocabulary import Role
from stockverify.wire.auth import Tokens, User

# So soon a disabled account or another role is noticed, even while its access token is still good.
CHECK_EVERY = timedelta(seconds=60)
# A service that hangs lets each call wait for seconds. After one that failed, a login that lives is left alone for a
# while: otherwise every page stays blank for as long as two calls wait, those of snapshots too.
REST = timedelta(seconds=30)
# Refreshed when a fifth of the access token's life is left, so that no call goes out with a token that dies on the way.
_LIFE = 0.8

READERS = (Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR)
SNAPSHOT_TAKERS = (Role.SUPERVISOR, Role.ADMIN)


class Due(Enum):
    """What a login needs before it may be used."""

    NOTHING = "nothing"
    CHECK = "check"
    REFRESH = "refresh"


class Rights(NamedTuple):
    """Who somebody is, as what, and on which floors; no floors are all."""

    user_id: str
    role: Role
    floors: tuple[str, ...]


class Login(Struct, frozen=True):
    """A user with tokens. `dead_at` is when the access token ends."""

    user: User
    access_token: str
    refresh_token: str
    refresh_at: datetime
    dead_at: datetime
    checked_at: datetime


def login_of(tokens: Tokens, now: datetime) -> Login:
    """The login that these tokens open at `now`."""
    return Login(
        user=tokens.user,
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        refresh_at=now + timedelta(seconds=tokens.expires_in * _LIFE),
        dead_at=now + timedelta(seconds=tokens.expires_in),
        checked_at=now,
    )


def due(login: Login, now: datetime) -> Due:
    """What is to be done first."""
    if now >= login.refresh_at:
        return Due.REFRESH
    return Due.CHECK if now >= login.checked_at + CHECK_EVERY else Due.NOTHING


class Keeper:
    """Holds the login of one browser session.

    It lives in the session state as one object that changes inside: Streamlit may end a run at any assignment to the
    session state, and a refresh token that was used but whose successor was not kept would sign the person out.
    """

    def __init__(self) -> None:
        self.login: Login | None = None
        self.message = ""
        self.remembered: Rights | None = None
        """With whose rights the rest of the session was read."""
        self._lock = threading.Lock()
        self._tried = ""
        self._rests_until: datetime | None = None

    @property
    def rights(self) -> Rights | None:
        """Those of whoever is signed in."""
        user = self.login.user if self.login else None
        return Rights(user.id, user.role, tuple(user.floors)) if user else None

    def sign_in(self, api: Api, username: str, password: str, now: datetime) -> None:
        """Raises what Api.log_in raises."""
        self.login, self.message = login_of(api.log_in(username, password), now), ""

    def come_in(self, api: Api, id_token: str, provider: str, now: datetime) -> None:
        """Sign in with what the provider gave. Tried once: the browser keeps it long after it is good for nothing,
        for a page that is loaded anew too. While the service is away it is kept for later."""
        if id_token == self._tried:
            return
        try:
            self.login, self.message = login_of(api.come_in(id_token), now), ""
        except Unauthorized:
            self.drop(self.message or f"Sign in with {provider} once more to go on.")
        except (ServiceAway, ServiceBusy) as error:
            self.message = error.message
            return
        except StockVerifyError as error:
            self.drop(error.message)
        self._tried = id_token

    def renew(self, api: Api, now: datetime) -> None:
        """Check or refresh the login when that is due. While the service is away a token that lives stays good, and is
        tried again after a rest.

        Raises ServiceAway or ServiceBusy when the token has died and cannot be refreshed at the moment.
        """
        with self._lock:
            lives = self.login is not None and now < self.login.dead_at
            if lives and self._rests_until is not None and now < self._rests_until:
                return
            try:
                self._renew(api, now)
            except Unauthorized:
                self.drop("Your session has ended. Sign in again to go on.")
            except (ServiceAway, ServiceBusy):
                self._rests_until = now + REST
                if not lives:
                    raise

    def sign_out(self, api: Api) -> None:
        """End the login here, and on the service if it can be reached."""
        login, message = self.login, "You are signed out."
        try:
            if login is not None:
                api.log_out(login.access_token)
        except Unauthorized:
            pass  # the service had ended it already
        except (ServiceAway, ServiceBusy):
            message += " The service could not be told; there the login ends by itself."
        self.drop(message)

    def drop(self, message: str) -> None:
        """Forget the login and say why on the sign-in page."""
        self.login, self.message = None, message

    def _renew(self, api: Api, now: datetime) -> None:
        login = self.login
        match due(login, now) if login else Due.NOTHING:
            case Due.REFRESH if login:
                self.login = login_of(api.refresh(login.refresh_token), now)
            case Due.CHECK if login:
                self.login = structs.replace(login, user=api.me(login.access_token), checked_at=now)
