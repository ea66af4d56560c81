"""Answers OPTIONS with all methods of a path: Litestar's own answer knows only those of the last handler on it."""

from litestar.enums import HttpMethod
from litestar.types import ASGIApp, Receive, Scope, Send


def told_all_methods(app: ASGIApp) -> ASGIApp:
    """Middleware: 204 with Allow; whoever asks, because it tells nothing else."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") != HttpMethod.OPTIONS:
            await app(scope, receive, send)
            return
        here = [route for route in scope["litestar_app"].routes if route.path_format == scope["path_template"]]
        allowed = ", ".join(sorted({method for route in here for method in route.methods or ()}))
        await send({"type": "http.response.start", "status": 204, "headers": [(b"allow", allowed.encode())]})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return run
