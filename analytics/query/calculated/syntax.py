"""Reads expressions. Length and depth are bounded while reading, so that no text can exhaust the stack."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from analytics.query.calculated.model import COMPARISONS, Op, Syntax
from stockverify.errors import BadInput

MAX_CHARACTERS = 1000
MAX_DEPTH = 30
"""MongoDB takes documents of 200 levels, and one level here is up to five there."""
KEYWORDS = frozenset({"and", "or", "not", "true", "false", "null"})
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

_WORD = re.compile(
    r"""\s*(?:
        (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?(?![A-Za-z0-9_.]))
      | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<name>[A-Za-z_][A-Za-z0-9_]{0,63}(?![A-Za-z0-9_]))
      | (?P<sign><=|>=|!=|==|[-+*/()<>=])
      | (?P<end>$)
    )""",
    re.VERBOSE | re.ASCII,
)


_DEEP = f"it goes deeper than {MAX_DEPTH} levels; split it into several calculated fields."


class BadExpression(BadInput):
    """The calculated field {name!r} cannot be read: {reason}"""

    # Where one character is to blame, its number is in `fields` as `at`, so that pages can point at it.


class _Word(NamedTuple):
    kind: str
    text: str
    at: int


def parsed(name: str, text: str) -> Syntax:
    """The expression of the calculated field of that name. Raises BadExpression.

    From loosest to tightest: or, and, not, comparison (one, not a chain), + and -, * and /, the sign of a number.
    """
    if len(text) > MAX_CHARACTERS:
        reason = f"it has {len(text)} characters; at most {MAX_CHARACTERS} are allowed."
        raise BadExpression(name=name, reason=reason)
    found = _Reader(name, list(_words(name, text))).whole()
    level, depth = [found], 0
    while level:
        level, depth = [operand for each in level for operand in each.operands], depth + 1
    if depth > MAX_DEPTH:
        raise BadExpression(name=name, reason=_DEEP)
    return found


def _words(name: str, text: str) -> Iterator[_Word]:
    at = 0
    while True:
        match = _WORD.match(text, at)
        if match is None:
            rest = text[at:].lstrip()
            begin = len(text) - len(rest) + 1
            raise BadExpression(name=name, reason=f"nothing begins with {rest[:20]!r} at character {begin}.", at=begin)
        kind = match.lastgroup or ""
        yield _Word(kind, match[kind], match.start(kind) + 1)
        if kind == "end":
            return
        at = match.end()


class _Reader:
    """Goes through the words once, one method for each level of the language."""

    def __init__(self, name: str, words: list[_Word]) -> None:
        self._name, self._words, self._next, self._depth = name, words, 0, 0

    def whole(self) -> Syntax:
        """All words as one expression."""
        found = self._choice()
        if self._word.kind != "end":
            raise self._wrong("an operator or the end was expected")
        return found

    def _choice(self) -> Syntax:
        return self._several(Op.OR, self._all)

    def _all(self) -> Syntax:
        return self._several(Op.AND, self._opposite)

    def _several(self, op: Op, part: Callable[[], Syntax]) -> Syntax:
        parts = [part()]
        while self._takes(op.value):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Syntax(op, tuple(parts))

    def _opposite(self) -> Syntax:
        return Syntax(Op.NOT, (self._deeper(self._opposite),)) if self._takes("not") else self._comparison()

    def _comparison(self) -> Syntax:
        left = self._sum()
        for op in COMPARISONS:
            if self._takes(op.value) or (op is Op.EQ and self._takes("==")):
                return Syntax(op, (left, self._sum()))
        return left

    def _sum(self) -> Syntax:
        return self._chain((Op.ADD, Op.SUBTRACT), self._product)

    def _product(self) -> Syntax:
        return self._chain((Op.MULTIPLY, Op.DIVIDE), self._signed)

    def _chain(self, ops: tuple[Op, ...], part: Callable[[], Syntax]) -> Syntax:
        """a - b - c is (a - b) - c."""
        found = part()
        while op := next((op for op in ops if self._takes(op.value)), None):
            found = Syntax(op, (found, part()))
        return found

    def _signed(self) -> Syntax:
        return Syntax(Op.NEGATE, (self._deeper(self._signed),)) if self._takes("-") else self._atom()

    def _atom(self) -> Syntax:
        if self._takes("("):
            found = self._deeper(self._choice)
            if not self._takes(")"):
                raise self._wrong("')' was expected")
            return found
        word = self._word
        if (read := _ATOMS.get(word.kind)) is None or word.text in KEYWORDS - {"true", "false"}:
            raise self._wrong("a number, a quoted text, a field or '(' was expected")
        self._next += 1
        return read(word.text)

    def _deeper(self, part: Callable[[], Syntax]) -> Syntax:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadExpression(name=self._name, reason=_DEEP)
        found = part()
        self._depth -= 1
        return found

    @property
    def _word(self) -> _Word:
        return self._words[self._next]

    def _takes(self, text: str) -> bool:
        taken = self._word.text == text and self._word.kind in ("sign", "name")
        self._next += taken
        return taken

    def _wrong(self, expected: str) -> BadExpression:
        found = f"{self._word.text[:20]!r} stands" if self._word.text else "it ends"
        at = self._word.at
        return BadExpression(name=self._name, reason=f"{found} at character {at}, where {expected}.", at=at)


def _named(text: str) -> Syntax:
    return Syntax(Op.LITERAL, value=text == "true") if text in KEYWORDS else Syntax(Op.NAME, value=text)


_ATOMS: dict[str, Callable[[str], Syntax]] = {
    "number": lambda text: Syntax(Op.LITERAL, value=float(text)),
    "text": lambda text: Syntax(Op.LITERAL, value=text[1:-1].replace(text[0] * 2, text[0])),
    "name": _named,
}
