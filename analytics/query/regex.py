"""Regular expressions, which RE2 reads for both engines: it takes linear time, whatever the pattern.

MongoDB's own engine is not asked: on `.*.*[xy]|a$` and a text of a thousand characters MongoDB 6 gives up and answers
that nothing matches, without an error. So live queries fetch the different texts of the field, and RE2 chooses.
"""

from collections.abc import Sequence

import duckdb

from analytics.engine import engine
from stockverify.errors import BadInput

MAX_PATTERN = 200


class BadPattern(BadInput):
    """The regular expression {pattern!r} in the filter on {field!r} cannot be used: {reason}"""


def usable(pattern: object, field: str) -> str:
    """The pattern, if RE2 can read it. Raises BadPattern."""
    if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN or not pattern.isprintable():
        reason = f"it must be a text of at most {MAX_PATTERN} printable characters."
        raise BadPattern(pattern=str(pattern)[:80], field=field, reason=reason)
    try:
        matching(pattern, [""])
    except duckdb.Error as error:
        raise BadPattern(pattern=pattern, field=field, reason=str(error)) from None
    return pattern


def matching(pattern: str, texts: Sequence[str]) -> list[str]:
    """The texts in which the pattern is found, without regard to case."""
    sql = "SELECT text FROM (SELECT unnest($texts::VARCHAR[]) AS text) WHERE regexp_matches(text, $pattern, 'i')"
    with engine([]) as connection:
        found = connection.execute(sql, {"texts": list(texts), "pattern": pattern}).fetchall()
    return [text for (text,) in found]
