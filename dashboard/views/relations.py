"""How a line of a filter compares, in words, and which operator of a query each word stands for."""

from enum import StrEnum

from analytics.query.model import Operator
from stockverify.datasets import Type


class Relation(StrEnum):
    """What can be asked of a field, as people would say it."""

    IS = "is"
    IS_NOT = "is not"
    ABOVE = "is above"
    AT_LEAST = "is at least"
    BELOW = "is below"
    AT_MOST = "is at most"
    BETWEEN = "is between"
    CONTAINS = "contains"
    FINDS = "contains, in any case"
    STARTS_WITH = "starts with"
    MATCHES = "matches the regular expression"
    ANY_OF = "is any of"
    NONE_OF = "is none of"
    EMPTY = "is empty"
    FILLED = "is not empty"
    MISSING = "has no value"
    PRESENT = "has a value"


OPERATORS = {
    Relation.IS: Operator.EQ,
    Relation.IS_NOT: Operator.NE,
    Relation.ABOVE: Operator.GT,
    Relation.AT_LEAST: Operator.GTE,
    Relation.BELOW: Operator.LT,
    Relation.AT_MOST: Operator.LTE,
    Relation.BETWEEN: Operator.BETWEEN,
    Relation.CONTAINS: Operator.CONTAINS,
    Relation.FINDS: Operator.REGEX,
    Relation.STARTS_WITH: Operator.STARTS_WITH,
    Relation.MATCHES: Operator.REGEX,
    Relation.ANY_OF: Operator.IN,
    Relation.NONE_OF: Operator.NIN,
    Relation.EMPTY: Operator.IN,
    Relation.FILLED: Operator.NIN,
    Relation.MISSING: Operator.IS_NULL,
    Relation.PRESENT: Operator.EXISTS,
}
ALONE = frozenset({Relation.EMPTY, Relation.FILLED, Relation.MISSING, Relation.PRESENT})
"""These take no value."""
SEVERAL = frozenset({Relation.ANY_OF, Relation.NONE_OF})
"""These take any number of values, and a missing one among them."""

_VALUES = [Relation.MISSING, Relation.PRESENT]
_LISTS = [Relation.ANY_OF, Relation.NONE_OF]
_PIECES = [Relation.CONTAINS, Relation.STARTS_WITH]
_ORDER = [Relation.ABOVE, Relation.AT_LEAST, Relation.BELOW, Relation.AT_MOST, Relation.BETWEEN]


def relations(kind: Type, of_groups: bool = False) -> list[Relation]:
    """What can be asked of a field of that type. Regular expressions search in rows and not in groups, so these cannot
    be found in any case."""
    match kind:
        case Type.STRING:
            searches = [] if of_groups else [Relation.FINDS, Relation.MATCHES]
            ends = [Relation.EMPTY, Relation.FILLED]
            return [Relation.IS, *_PIECES, *_LISTS, Relation.IS_NOT, *searches, *ends, *_ORDER, *_VALUES]
        case Type.STRINGS:
            return [Relation.IS, *_PIECES, *_LISTS, Relation.IS_NOT, *_VALUES]
        case Type.BOOLEAN:
            return [Relation.IS, Relation.IS_NOT, *_LISTS, *_VALUES]
    return [Relation.IS, *_ORDER, Relation.IS_NOT, *_LISTS, *_VALUES]
