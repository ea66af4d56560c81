"""/api/auth"""

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, Request, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from ingest.bodies import MAX_STRANGE
from ingest.devices.rules import Claimed, claimed
from ingest.outages import TAKES_ITS_TIME
from ingest.requests import restore_slashes
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire.auth import ChangeUser, Login, LoginOidc, LoginPin, Refresh, Register, TokensReply, User
from stockverify.wire.common import Success

After = Annotated[str, QueryParameter(max_length=64)]
Limit = Annotated[int, QueryParameter(ge=1, le=1000)]


class AuthController(Controller):
    """Logging in and out, and the accounts of those who do. What hashes passwords waits for its turn."""

    path = "/api/auth"
    request_max_body_size = MAX_STRANGE
    tags = ("auth",)
    before_request = restore_slashes  # type: ignore[assignment]  # Litestar calls it unbound

    @post("/login", name="auth.login", status_code=HTTP_200_OK, opt=TAKES_ITS_TIME)
    async def login(self, data: JSONBody[Login], request: Request, stores: Stores) -> TokensReply:
        """Open a login with a user name and a password."""
        return TokensReply(data=await stores.logins.by_password(data, _device(request)))

    @post("/login-pin", name="auth.login_pin", status_code=HTTP_200_OK, opt=TAKES_ITS_TIME)
    async def login_pin(self, data: JSONBody[LoginPin], request: Request, stores: Stores) -> TokensReply:
        """Open a login with a user name and a PIN, or on an enrolled device with a PIN alone."""
        return TokensReply(data=await stores.logins.by_pin(data, _device(request)))

    @post("/oidc", name="auth.oidc", status_code=HTTP_200_OK, opt=TAKES_ITS_TIME)
    async def oidc(self, data: JSONBody[LoginOidc], request: Request, stores: Stores) -> TokensReply:
        """Open a login for whom the OpenID Connect provider has just vouched, once."""
        return TokensReply(data=await stores.single_sign_on.by_id_token(data, _device(request)))

    @post("/refresh", name="auth.refresh", status_code=HTTP_200_OK)
    async def refresh(self, data: JSONBody[Refresh], request: Request, stores: Stores) -> TokensReply:
        """Exchange a refresh token, once, for new tokens."""
        device_id = _device(request).device_id
        return TokensReply(data=await stores.users.refresh(data.refresh_token, device_id, datetime.now(UTC)))

    @post("/logout", name="auth.logout", status_code=HTTP_200_OK)
    async def logout(self, caller: CurrentCaller, stores: Stores) -> Success:
        """End this login."""
        await stores.users.log_out(caller, datetime.now(UTC))
        return Success()

    @get("/me", name="auth.me")
    async def me(self, caller: CurrentCaller, stores: Stores) -> User:
        """The caller's own account."""
        return await stores.users.me(caller)

    @post("/register", name="auth.register", opt=TAKES_ITS_TIME)
    async def register(self, data: JSONBody[Register], caller: CurrentCaller, stores: Stores) -> User:
        """Make a user; for admins."""
        return await stores.accounts.register(data, caller, datetime.now(UTC))

    @get("/users", name="auth.users")
    async def users(self, stores: Stores, after: After = "", limit: Limit = 1000) -> list[User]:
        """All accounts by user name; go on with `after` = the last user name of the page."""
        return await stores.accounts.users(after, limit)

    @patch("/users/{username:str}", name="auth.change_user", opt=TAKES_ITS_TIME)
    async def change_user(
        self, username: FromPath[str], data: JSONBody[ChangeUser], caller: CurrentCaller, stores: Stores
    ) -> User:
        """Change an account; for admins. A new role or password, or disabling it, ends its logins at once."""
        return await stores.accounts.change(username, data, caller, datetime.now(UTC))


def _device(request: Request) -> Claimed:
    return claimed(request.headers)
