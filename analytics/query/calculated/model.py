"""Expressions as they were read (Syntax) and as they were understood (Term)."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from stockverify.datasets import Column, Type


class Op(StrEnum):
    """What an expression does with its operands."""

    LITERAL = "literal"
    NAME = "name"
    NEGATE = "negative"
    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    EQ = "="
    NE = "!="
    LT = "<"
    LTE = "<="
    GT = ">"
    GTE = ">="
    NOT = "not"
    AND = "and"
    OR = "or"


ARITHMETIC = (Op.ADD, Op.SUBTRACT, Op.MULTIPLY, Op.DIVIDE)
COMPARISONS = (Op.EQ, Op.NE, Op.LT, Op.LTE, Op.GT, Op.GTE)


class Syntax(Struct, frozen=True):
    """An expression whose names nobody has looked up yet. `value` is a literal or a name."""

    op: Op
    operands: "tuple[Syntax, ...]" = ()
    value: str | float | bool = ""


class Term(Struct, frozen=True):
    """An expression whose every part has a type. `value` is a literal; `field` is set for names.

    FLOAT is also what a whole-number column gives here; the difference of two INSTANTs is a FLOAT of seconds.
    """

    op: Op
    type: Type
    operands: "tuple[Term, ...]" = ()
    value: str | float | bool | datetime = ""
    field: "Field | None" = None


class Calculated(Struct, frozen=True):
    """A field that is worked out for each row: a float or a boolean, null where it has no value.

    `text` is the expression as it was written.
    """

    name: str
    type: Type
    term: Term
    text: str

    @property
    def field(self) -> str:
        """The field of the document in the pipeline, once it was made."""
        return self.name


Field = Column | Calculated
