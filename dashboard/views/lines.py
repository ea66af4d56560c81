"""Lines of a filter, as they were picked: to the conditions of a query, and back."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from analytics.query.calculated.model import Field
from analytics.query.model import Condition, Operator
from dashboard.views.relations import ALONE, OPERATORS, SEVERAL, Relation
from dashboard.views.values import read, read_or_missing, written
from stockverify.datasets import Type
from stockverify.errors import BadInput

_EMPTY = ["", None]
_PLAIN = {operator: relation for relation, operator in OPERATORS.items() if operator is not Operator.REGEX} | {
    Operator.IN: Relation.ANY_OF,
    Operator.NIN: Relation.NONE_OF,
}


class TwiceTheSame(BadInput):
    """Two filters ask {field} the same kind of question; use one of them, or `any of` with several values."""


class NothingToPick(BadInput):
    """The filter on {field} asks for any of no values, which nothing is. Take it out of the query."""


class Line(NamedTuple):
    """One line. `texts` is what was typed: one text, two for `between`, any number for lists."""

    field: str = ""
    relation: Relation = Relation.IS
    texts: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether it can be applied; one without a field or a value waits."""
        filled = [text for text in self.texts if text.strip()]
        needed = 2 if self.relation is Relation.BETWEEN else 1
        return bool(self.field) and (self.relation in ALONE or len(filled) >= needed)


def conditions_of(lines: Iterable[Line], fields: Mapping[str, Field], zone: ZoneInfo) -> dict[str, dict[str, Any]]:
    """The filters of a query. Lines that are not complete, or whose field is gone, are left out. Raises UnreadableValue
    or TwiceTheSame."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        if not line.complete or line.field not in fields:
            continue
        operators = found.setdefault(line.field, {})
        operator = OPERATORS[line.relation].value
        if operator in operators:
            raise TwiceTheSame(field=line.field)
        operators[operator] = _value(line, fields[line.field], zone)
    return found


def lines_of(conditions: Iterable[Condition], zone: ZoneInfo) -> tuple[Line, ...]:
    """The lines that give these conditions. Raises NothingToPick for a list without values, which no line has."""
    found = (_line(condition, zone) for condition in conditions)
    return tuple(dict.fromkeys(line for line in found if line is not None))


def _value(line: Line, field: Field, zone: ZoneInfo) -> Any:
    match line.relation:
        case Relation.MISSING | Relation.PRESENT:
            return True
        case Relation.EMPTY | Relation.FILLED:
            return _EMPTY  # an empty text is as good as none to whoever asks
        case Relation.ANY_OF | Relation.NONE_OF:
            return [read_or_missing(field, text, zone) for text in line.texts if text.strip()]
        case Relation.BETWEEN:
            return [read(field, text, zone) for text in line.texts[:2]]
    value = read(field, line.texts[0], zone)
    return re.escape(value) if line.relation is Relation.FINDS else value


def _line(condition: Condition, zone: ZoneInfo) -> Line | None:
    name, value = condition.column.name, condition.value
    if condition.operator in (Operator.EXISTS, Operator.IS_NULL):
        there = value == (condition.operator is Operator.EXISTS)
        return Line(name, Relation.PRESENT if there else Relation.MISSING)
    if value is None:
        return Line(name, Relation.PRESENT if condition.operator is Operator.NE else Relation.MISSING)
    if condition.operator is Operator.REGEX:
        return _searching(name, str(value), zone)
    relation = _PLAIN[condition.operator]
    if not isinstance(value, tuple):
        return Line(name, relation, (written(value, zone),))
    if relation in SEVERAL and list(value) == _EMPTY and condition.column.type is Type.STRING:
        return Line(name, Relation.EMPTY if relation is Relation.ANY_OF else Relation.FILLED)
    if not value and relation is Relation.NONE_OF:
        return None  # everything is none of nothing
    if not value:
        raise NothingToPick(field=name)
    return Line(name, relation, tuple(written(each, zone) for each in value))


def _searching(name: str, pattern: str, zone: ZoneInfo) -> Line:
    plain = re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)
    finds = re.escape(plain) == pattern
    return Line(name, Relation.FINDS if finds else Relation.MATCHES, (written(plain if finds else pattern, zone),))
