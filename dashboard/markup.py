"""Text from outside, made safe to stand within Markdown: it shows as it is, and never becomes a link or a formula."""

import re

_MARKS = re.compile(r"([!-/:-@\[-`{-~])")


def literal(text: str) -> str:
    """The text with every ASCII mark escaped, on one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
