"""The errors of the house. A class's docstring is its message; its fields come in as keywords.

Each has one of these kinds as its parent; the service maps the kinds to HTTP statuses in one place
(ingest/problems.py) and the command line maps them all to one clear line and exit code 2.
"""

from typing import Any


class StockVerifyError(Exception):
    """Something went wrong."""

    def __init__(self, **fields: Any) -> None:
        self.fields = fields
        super().__init__(" ".join((type(self).__doc__ or "").format_map(fields).split()))

    @property
    def message(self) -> str:
        """The sentence a person reads."""
        return str(self.args[0])

    def __reduce__(self) -> Any:
        return (_rebuild, (type(self), self.fields))


def _rebuild(kind: type[StockVerifyError], fields: dict[str, Any]) -> StockVerifyError:
    return kind(**fields)


class BadInput(StockVerifyError):
    """{reason}"""


class Unauthorized(StockVerifyError):
    """{reason}"""


class Forbidden(StockVerifyError):
    """{reason}"""


class NotFound(StockVerifyError):
    """{reason}"""


class Gone(StockVerifyError):
    """{reason}"""


class Refused(StockVerifyError):
    """{reason}"""


class TooLarge(StockVerifyError):
    """{reason}"""


class OutOfRange(StockVerifyError):
    """{reason}"""

    def __init__(self, *, size: int, **fields: Any) -> None:
        super().__init__(size=size, **fields)


class TooMany(StockVerifyError):
    """{reason} Try again in {retry_after} seconds."""

    def __init__(self, *, retry_after: int, **fields: Any) -> None:
        super().__init__(retry_after=retry_after, **fields)


class Unavailable(StockVerifyError):
    """{service} does not answer at the moment. Try again in {retry_after} seconds."""

    def __init__(self, *, service: str, retry_after: int = 5) -> None:
        super().__init__(service=service, retry_after=retry_after)


class SetupError(StockVerifyError):
    """{reason}"""


class BadSetting(SetupError):
    """{name}={value!r} is not usable: {reason}. It means: {doc}"""


class NotRunning(SetupError):
    """StockVerify is not running on {data_dir}. Start it with `stockverify up --data-dir {data_dir}`,
    or set MONGODB_URI and REDIS_URL to servers of your own."""
