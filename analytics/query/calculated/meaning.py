"""Gives the names in expressions their fields, and every part its type."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from analytics.query.calculated.model import ARITHMETIC, COMPARISONS, Calculated, Field, Op, Syntax, Term
from analytics.query.calculated.syntax import KEYWORDS, NAME, BadExpression, parsed
from analytics.query.refusals import BadSpec, TwoOfOneName, UnfitField, UnknownField
from analytics.query.values import instant
from stockverify.datasets import Dataset, Type
from stockverify.errors import BadInput

MAX_CALCULATED = 20
MAX_PARTS = 1000
MAX_NUMBER = 9e12
"""Nine times what a record or a stock list may hold, and in millionths still a long integer, as sums need it. Beyond it
a calculated number is null."""

_WORDS = {
    Type.FLOAT: "a number",
    Type.BOOLEAN: "true or false",
    Type.STRING: "a text",
    Type.INSTANT: "an instant",
}


class CalculatedInACircle(BadInput):
    """The calculated fields refer to each other in a circle: {circle}."""


class TypesClash(BadInput):
    """The calculated field {name!r} has {found} where {op!r} needs {wanted}."""


def calculated_of(dataset: Dataset, texts: Mapping[str, str]) -> tuple[Calculated, ...]:
    """The calculated fields in an order in which each uses only those before it. Raises a BadInput that names the
    culprit."""
    if len(texts) > MAX_CALCULATED:
        raise BadSpec(reason=f"calculated has {len(texts)} fields; at most {MAX_CALCULATED} are allowed.")
    _names(dataset, texts)
    read = {name: parsed(name, text) for name, text in texts.items()}
    known: dict[str, Field] = {column.name: column for column in dataset.columns}
    sizes: dict[str, int] = {}
    for name in _ordered(read):
        sizes[name] = sum(sizes.get(used, 1) for used in _parts(read[name]))
        if sizes[name] > MAX_PARTS:
            raise BadExpression(name=name, reason=f"with the fields it uses it has more than {MAX_PARTS} parts.")
        term = _Meaning(name, dataset, known).whole(read[name])
        known[name] = Calculated(name, term.type, term, texts[name])
    return tuple(field for field in known.values() if isinstance(field, Calculated))


def _names(dataset: Dataset, texts: Mapping[str, str]) -> None:
    """DuckDB does not tell names apart by case, so two that differ in nothing else are one."""
    taken = {name.casefold() for name in dataset.names}
    for name in texts:
        if not NAME.fullmatch(name) or name in KEYWORDS or name == "_id":
            reason = "a name has letters, digits and _, at most 64 in all, and is no word of the language."
            raise BadExpression(name=name[:80], reason=reason)
        if name.casefold() in taken:
            raise TwoOfOneName(name=name)
        taken.add(name.casefold())


def _parts(syntax: Syntax) -> Iterator[str]:
    """Every part once: names as themselves, all else as an empty text."""
    yield str(syntax.value) if syntax.op is Op.NAME else ""
    for operand in syntax.operands:
        yield from _parts(operand)


def _ordered(read: Mapping[str, Syntax]) -> list[str]:
    done: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise CalculatedInACircle(circle=" -> ".join((*path[path.index(name) :], name)))
        if name not in done:
            for used in _parts(read[name]):
                if used in read:
                    visit(used, (*path, name))
            done.append(name)

    for name in read:
        visit(name, ())
    return done


class _Meaning:
    """Understands one expression; `known` holds the columns and the calculated fields so far."""

    def __init__(self, name: str, dataset: Dataset, known: Mapping[str, Field]) -> None:
        self._name, self._dataset, self._known = name, dataset, known

    def whole(self, syntax: Syntax) -> Term:
        """The expression, if it gives a number or true or false."""
        term = self._term(syntax)
        if term.type not in (Type.FLOAT, Type.BOOLEAN):
            reason = f"it gives {_WORDS[term.type]}; a calculated field gives a number, or true or false."
            raise BadExpression(name=self._name, reason=reason)
        return term

    def _term(self, syntax: Syntax) -> Term:
        op = syntax.op
        if op is Op.NAME:
            return self._field(str(syntax.value))
        if op is Op.LITERAL:
            return self._literal(syntax.value)
        operands = tuple(map(self._term, syntax.operands))
        if op in COMPARISONS:
            return self._comparison(op, operands)
        if op is Op.SUBTRACT and all(operand.type is Type.INSTANT for operand in operands):
            return Term(op, Type.FLOAT, operands)
        wanted = Type.FLOAT if op in (*ARITHMETIC, Op.NEGATE) else Type.BOOLEAN
        return Term(op, wanted, tuple(self._fit(op, operand, wanted) for operand in operands))

    def _field(self, name: str) -> Term:
        if (field := self._known.get(name)) is None:
            place, known = f"the calculated field {self._name!r}", ", ".join(self._known)
            raise UnknownField(name=name, place=place, dataset=self._dataset.name, known=known)
        if field.type is Type.STRINGS:
            place, reason = f"The calculated field {self._name!r}", "it holds several values."
            raise UnfitField(place=place, name=name, type=field.type.value, reason=reason)
        return Term(Op.NAME, Type.FLOAT if field.type is Type.INTEGER else field.type, field=field)

    def _literal(self, value: str | float | bool) -> Term:
        if isinstance(value, bool):
            return Term(Op.LITERAL, Type.BOOLEAN, value=value)
        if isinstance(value, str):
            return Term(Op.LITERAL, Type.STRING, value=value)
        if value == math.inf:
            raise BadExpression(name=self._name, reason="a number in it is too big.")
        return Term(Op.LITERAL, Type.FLOAT, value=value)

    def _comparison(self, op: Op, operands: tuple[Term, ...]) -> Term:
        """Of two of one type; true and false have no order. A quoted text beside an instant is read as one."""
        if any(operand.type is Type.INSTANT for operand in operands):
            operands = tuple(map(self._as_instant, operands))
        left, right = operands
        self._fit(op, right, left.type)
        if left.type is Type.BOOLEAN and op not in (Op.EQ, Op.NE):
            raise TypesClash(name=self._name, found=_WORDS[left.type], op=op.value, wanted="what has an order")
        return Term(op, Type.BOOLEAN, operands)

    def _as_instant(self, term: Term) -> Term:
        if term.op is not Op.LITERAL or not isinstance(term.value, str):
            return term
        try:
            moment: datetime = instant(term.value)
        except (ValueError, OverflowError, msgspec.ValidationError):
            reason = f"{term.value[:40]!r} is compared with an instant and is no ISO 8601 time."
            raise BadExpression(name=self._name, reason=reason) from None
        return Term(Op.LITERAL, Type.INSTANT, value=moment)

    def _fit(self, op: Op, term: Term, wanted: Type) -> Term:
        if term.type is not wanted:
            raise TypesClash(name=self._name, found=_WORDS[term.type], op=op.value, wanted=_WORDS[wanted])
        return term
