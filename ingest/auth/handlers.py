"""/api/auth"""

from datetime import UTC, datetime

from litestar import Controller, Request, get, post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK

from ingest.bodies import MAX_STRANGE
from ingest.wiring import CurrentCaller, Stores
from stockverify.wire import Login, Refresh, Register, Success, TokensReply, User


class AuthController(Controller):
    """Logging in and out."""

    path = "/api/auth"
    request_max_body_size = MAX_STRANGE
    tags = ("auth",)

    @post("/login", name="auth.login", status_code=HTTP_200_OK)
    async def login(self, data: JSONBody[Login], request: Request, stores: Stores) -> TokensReply:
        """Open a login with a user name and a password."""
        device = request.headers.get("X-Device-ID", "")[:128]
        return TokensReply(data=await stores.users.log_in(data, device, datetime.now(UTC)))

    @post("/refresh", name="auth.refresh", status_code=HTTP_200_OK)
    async def refresh(self, data: JSONBody[Refresh], stores: Stores) -> TokensReply:
        """Exchange a refresh token, once, for new tokens."""
        return TokensReply(data=await stores.users.refresh(data.refresh_token, datetime.now(UTC)))

    @post("/logout", name="auth.logout", status_code=HTTP_200_OK)
    async def logout(self, caller: CurrentCaller, stores: Stores) -> Success:
        """End this login."""
        await stores.users.log_out(caller)
        return Success()

    @get("/me", name="auth.me")
    async def me(self, caller: CurrentCaller, stores: Stores) -> User:
        """The caller's own account."""
        return await stores.users.me(caller)

    @post("/register", name="auth.register")
    async def register(self, data: JSONBody[Register], stores: Stores) -> User:
        """Make a user; for admins."""
        return await stores.users.register(data, datetime.now(UTC))
