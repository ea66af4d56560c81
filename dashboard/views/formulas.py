"""Where a calculated field goes wrong, for the eye."""

import re
from collections.abc import Mapping

from analytics.query.refusals import UnknownField
from stockverify.errors import BadInput

_AROUND = 60


def pointed(error: BadInput, texts: Mapping[str, str]) -> str | None:
    """The expression with a mark under the character that is to blame; nothing when no single one is."""
    text, at = _place(error, texts)
    if at is None:
        return None
    begin = max(0, at - 1 - _AROUND)
    shown = re.sub(r"\s", " ", text[begin : at - 1 + _AROUND])
    return f"{shown}\n{' ' * (at - 1 - begin)}^"


def _place(error: BadInput, texts: Mapping[str, str]) -> tuple[str, int | None]:
    name = str(error.fields.get("name", ""))
    if isinstance(error, UnknownField):
        for text in texts.values():
            if found := re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", text):
                return text, found.start() + 1
    return texts.get(name, ""), error.fields.get("at")
