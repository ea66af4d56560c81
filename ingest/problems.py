"""The one place that turns errors into problem+json (RFC 9457)."""

from http import HTTPStatus
from typing import Any

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.plugins.problem_details import ProblemDetailsException
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from ingest import pages
from ingest.outages import is_outage, note_outage
from stockverify.errors import (
    BadInput,
    Forbidden,
    Gone,
    NotFound,
    OutOfRange,
    Refused,
    StockVerifyError,
    TooLarge,
    TooMany,
    Unauthorized,
    Unavailable,
)

_STATUS: dict[type[StockVerifyError], int] = {
    BadInput: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Refused: 409,
    Gone: 410,
    TooLarge: 413,
    OutOfRange: 416,
    TooMany: 429,
    Unavailable: 503,
}
_log = structlog.get_logger("ingest")


def to_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Every error of every route, 404 and 405 included. Whoever follows a link in a mail gets a page that says it."""
    if is_outage(error):
        note_outage(request.scope, error)
    problem = describe(error)
    return _as_page(problem) if _reads_pages(request) else problem.to_response(request)


def _reads_pages(request: Request[Any, Any, Any]) -> bool:
    """Browsers ask for HTML; programs, and tests, do not."""
    handler = request.scope.get("route_handler")
    return getattr(handler, "name", None) in pages.OUT_OF_MAILS and "text/html" in request.headers.get("accept", "")


def _as_page(problem: ProblemDetailsException) -> Response[str]:
    headers = pages.HEADERS | (problem.headers or {})
    said = pages.sorry(problem.status_code, problem.detail)
    return Response(said, status_code=problem.status_code, media_type=MediaType.HTML, headers=headers)


def describe(error: Exception) -> ProblemDetailsException:
    """What a client is told of an error; an unexpected one goes to the log whole."""
    match error:
        case StockVerifyError():
            return _of_house(error)
        case ValidationException():
            return _problem(error.status_code, _explain(error))
        case HTTPException():
            return _problem(error.status_code, error.detail, dict(error.headers or {}))
        case RedisError():
            return _of_house(Unavailable(service="Redis"))
        case PyMongoError() if is_outage(error):
            return _of_house(Unavailable(service="MongoDB"))
        case RecursionError() | UnicodeDecodeError():
            return _problem(400, "The body cannot be read: it is nested too deeply or is not UTF-8.")
    _log.exception("unexpected_error", exc_info=error)
    return _problem(500, "Something went wrong in the service; nothing was half-written. The log has the details.")


def _of_house(error: StockVerifyError) -> ProblemDetailsException:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    return _problem(status, error.message, _headers(error), error.fields.get("members"))


def _headers(error: StockVerifyError) -> dict[str, str]:
    """What a program reads of an error, beside its sentence."""
    match error:
        case Unavailable() | TooMany():
            return {"Retry-After": str(error.fields["retry_after"])}
        case OutOfRange():
            return {"Content-Range": f"bytes */{error.fields['size']}"}
    return {}


def _problem(
    status: int, detail: str, headers: dict[str, str] | None = None, members: dict[str, Any] | None = None
) -> ProblemDetailsException:
    """`members` are what RFC 9457 calls extension members: what the detail says, for programs."""
    return ProblemDetailsException(
        status_code=status,
        title=HTTPStatus(status).phrase,
        detail=detail,
        headers=headers,
        extra=members,
        type_="about:blank",
    )


def _explain(error: ValidationException) -> str:
    """Names each wrong field and why, instead of a general sentence."""
    places = error.extra if isinstance(error.extra, list) else []
    said = [f"{_field(place)}: {place.get('message')}" for place in places if isinstance(place, dict)]
    return "; ".join(said) or error.detail


def _field(place: dict[str, Any]) -> str:
    key = place.get("key")
    return "body" if key in (None, "", "data") else str(key)
