"""/schema: the document and a page that shows it. Everything comes from this service: a page that loads its scripts
from elsewhere stays empty in a warehouse without Internet, and runs what elsewhere sends."""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, Router
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.static_files import create_static_files_router
from swagger_ui_bundle import swagger_ui_path  # type: ignore[import-untyped]

from ingest.documentation.document import complete
from ingest.documentation.older import as_3_0
from stockverify import __version__

PATH = "/schema"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>StockVerify: the HTTP interface</title>
<link rel="icon" href="/schema/assets/favicon-32x32.png">
<link rel="stylesheet" href="/schema/assets/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/schema/assets/swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({url: "/schema/openapi-3.0.json", dom_id: "#page", deepLinking: true, validatorUrl: null});
</script>
</body>
</html>
"""


class Document(JsonRenderPlugin):
    """The document, made when it is first asked for."""

    def __init__(self, path: str, finish: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        super().__init__(path=path)
        self._finish, self._made = finish, b""

    def render(self, request: Request, openapi_schema: dict[str, Any]) -> bytes:
        """The same for everybody."""
        self._made = self._made or msgspec.json.encode(self._finish(openapi_schema))
        return self._made


class Page(OpenAPIRenderPlugin):
    """Swagger UI."""

    def render(self, request: Request, openapi_schema: dict[str, Any]) -> bytes:
        """The same for everybody: the document is loaded by the page."""
        return _PAGE.encode()


def config() -> OpenAPIConfig:
    """What Litestar needs to know. Operations are called as in the table of access rules."""
    return OpenAPIConfig(
        title="StockVerify",
        version=__version__,
        operation_id_creator=lambda handler, method, path: handler.name or "",
        use_handler_docstrings=True,
        render_plugins=[
            Page(path=["/", "/swagger"]),
            Document("/openapi.json", complete),
            Document("/openapi-3.0.json", lambda derived: as_3_0(complete(derived))),
        ],
        openapi_router=Router(PATH, route_handlers=[], include_in_schema=False, after_request=_as_problem),
    )


def assets() -> Router:
    """The scripts and styles of the page, from the package that brings them."""
    return create_static_files_router(
        path=f"{PATH}/assets", directories=[swagger_ui_path], include_in_schema=False, name="schema.assets"
    )


async def _as_problem(response: Response[Any]) -> Response[Any]:
    """Litestar answers an unknown page of the document in HTML; here every error is problem+json."""
    if response.status_code == NotFoundException.status_code:
        raise NotFoundException
    return response
