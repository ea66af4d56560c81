"""Links to pages of the dashboard: mails write them, and the pages read them."""

from urllib.parse import urlencode

import msgspec

from stockverify.errors import BadInput
from stockverify.wire.reports import QuerySpec

QUESTION, BASELINE, SNAPSHOT = "question", "baseline", "snapshot"
LONGEST = 1800
"""Characters that every browser and mail program takes for one address."""


class QuestionUnreadable(BadInput):
    """The question in this link cannot be read: {reason}. Copy the link whole, or put the question together here."""


def overview(snapshot_id: str) -> str:
    """The overview of a snapshot, as a path with its query."""
    return f"/?{urlencode({SNAPSHOT: snapshot_id})}"


def comparison(baseline: str, snapshot_id: str) -> str:
    """What changed from one snapshot to another."""
    return f"/compare?{urlencode({SNAPSHOT: snapshot_id, BASELINE: baseline})}"


def rows(snapshot_id: str, spec: QuerySpec) -> str:
    """The rows of a query on a snapshot, where its filters can be seen and changed; of one that is too long for an
    address, the page alone."""
    path = f"/explore?{urlencode({SNAPSHOT: snapshot_id, QUESTION: written(spec).decode()})}"
    return path if len(path) <= LONGEST else f"/explore?{urlencode({SNAPSHOT: snapshot_id})}"


def written(spec: QuerySpec) -> bytes:
    """A query as JSON, without what it leaves open."""
    return msgspec.json.encode({name: value for name, value in msgspec.to_builtins(spec).items() if value})


def question(text: str) -> QuerySpec:
    """The query of such a link. Raises QuestionUnreadable."""
    try:
        return msgspec.json.decode(text, type=QuerySpec)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise QuestionUnreadable(reason=str(error)[:200]) from None
    except RecursionError:
        raise QuestionUnreadable(reason="it goes too deep") from None
