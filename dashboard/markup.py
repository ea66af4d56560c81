"""Text from outside, made safe to stand within Markdown: it shows as it is, and never becomes a link or a formula."""

import re

_MARKS = re.compile(r"([!-/:-@\[-`{-~])")


def literal(text: str) -> str:
    """The text with every ASCII mark escaped, on one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def verbatim(text: str) -> str:
    """The text as code, for addresses and ids: of those, even escaped ones, the browser's Markdown makes links."""
    plain = " ".join(text.split())
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", plain)), default=0))
    return f"{fence} {plain} {fence}" if plain else ""
