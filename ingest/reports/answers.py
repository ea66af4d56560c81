"""What comes back from the reports process: results, or why there is none.

They travel as MessagePack, which keeps instants apart from texts.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct

from stockverify.errors import BadInput, Forbidden, NotFound, Refused, SetupError, StockVerifyError, TooLarge
from stockverify.wire.imports import Checked
from stockverify.wire.reports import Snapshot

KINDS: dict[str, type[StockVerifyError]] = {
    kind.__name__: kind for kind in (BadInput, Forbidden, NotFound, Refused, TooLarge, SetupError)
}
"""The errors that cross, each as its kind and its sentence."""


class Previewed(Struct, frozen=True):
    """A preview; `rows` and `pipeline` are JSON."""

    rows: bytes
    pipeline: bytes
    row_count: int
    snapshot_id: str | None
    as_of: float


class Totals(Struct, frozen=True):
    """What the rows of a report add up to."""

    as_of: datetime
    row_count: int
    totals: dict[str, int | float]


class Rows(Struct, frozen=True):
    """Some rows, as JSON; and the freeze, if they are its own: a report may have outlived the one it was made of."""

    rows: bytes
    as_of: float
    freeze: Snapshot | None


class Compared(Struct, frozen=True):
    """A published comparison: its id in the lake, and the `comparison_result` of the contract."""

    comparison_id: str
    result: dict[str, Any]


class ComparedPage(Struct, frozen=True):
    """Some rows of a comparison, as JSON, and how many of their kind there are. None if it is not there (any more)."""

    rows: bytes
    total: int | None


class Made(Struct, frozen=True):
    """A finished file."""

    path: str
    rows: int
    sha256: str


class ListApplied(Struct, frozen=True):
    """A list that is in the book; or, when the book has changed since the dry run, the new one, and nothing written."""

    writes: int
    overtaken: int
    checked: Checked | None


class Done(Struct, frozen=True, tag=True):
    """The errand is done."""

    result: bytes


class Declined(Struct, frozen=True, tag=True):
    """An error of the house says why not."""

    kind: str
    message: str


class DatabaseAway(Struct, frozen=True, tag=True):
    """MongoDB did not answer."""


class Broken(Struct, frozen=True, tag=True):
    """Something unexpected; the log of the reports process has it whole."""

    error: str


AnyAnswer = Done | Declined | DatabaseAway | Broken


def kind_of(error: StockVerifyError) -> str:
    """The name of the error's kind; what is none of these is a 500 with its own sentence, as SetupError is."""
    return next((name for name, kind in KINDS.items() if isinstance(error, kind)), SetupError.__name__)


def raised(declined: Declined) -> StockVerifyError:
    """The same error on the other side: its kind and its sentence, without its class."""
    return KINDS[declined.kind](reason=declined.message)
