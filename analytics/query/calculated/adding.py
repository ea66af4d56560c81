"""Which numbers add up: a sum of prices, of shares or of rounds means nothing, wherever it is shown.

A number is an amount (units, money, seconds: those of two rows together are those of both) or a rate (an amount for
each unit of another one: a price, a share). They are told apart by how a number is made (docs/decisions/0047).
"""

from enum import Enum, auto

from analytics.query.calculated.model import Calculated, Field, Op, Term
from stockverify.datasets import Type


class _Kind(Enum):
    AMOUNT = auto()
    RATE = auto()
    NEITHER = auto()


def adds_up(field: Field) -> bool:
    """Whether the sum of a field over rows means something."""
    return _of_field(field) is _Kind.AMOUNT


def _of_field(field: Field) -> _Kind:
    if isinstance(field, Calculated):
        return _of_term(field.term) if field.type is Type.FLOAT else _Kind.NEITHER
    if not field.is_number:
        return _Kind.NEITHER
    return _Kind.AMOUNT if field.adds_up else _Kind.RATE


def _of_term(term: Term) -> _Kind:
    if term.field is not None:
        return _of_field(term.field)
    if term.op is Op.LITERAL:
        return _Kind.RATE
    if any(operand.type is Type.INSTANT for operand in term.operands):
        return _Kind.AMOUNT  # the seconds from one to the other
    return _together(term.op, [_of_term(operand) for operand in term.operands])


def _together(op: Op, kinds: list[_Kind]) -> _Kind:
    """An amount times a price is an amount of money; by another amount it gives a share; and a constant that is added
    to an amount counts once for each row, which is neither."""
    if _Kind.NEITHER in kinds:
        return _Kind.NEITHER
    if len(set(kinds)) == 1:
        products = {Op.MULTIPLY: _Kind.NEITHER, Op.DIVIDE: _Kind.RATE}
        return kinds[0] if kinds[0] is _Kind.RATE else products.get(op, _Kind.AMOUNT)
    if op is Op.MULTIPLY or (op is Op.DIVIDE and kinds[0] is _Kind.AMOUNT):
        return _Kind.AMOUNT
    return _Kind.NEITHER
