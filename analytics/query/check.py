"""From what a client wrote to a checked query. Every refusal names what is wrong and what there is instead."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from analytics.query.calculated.meaning import calculated_of
from analytics.query.calculated.model import Calculated, Field
from analytics.query.conditions import conditions
from analytics.query.model import MAX_LIMIT, Function, Key, Measure, Order, Period, Query, Unit, key_path, queryable
from analytics.query.refusals import (
    BadSpec,
    TwoOfOneName,
    UnfitField,
    UnknownCollection,
    UnknownField,
    UnknownFunction,
    UnknownPeriod,
    UnknownZoneOfGroup,
)
from analytics.zones import UnknownZone, zone_of
from stockverify.datasets import Column, Dataset, Type, find
from stockverify.wire.reports import GroupBy, QuerySpec

MAX_KEYS = 50  # more than any dataset has columns
MAX_MEASURES = 100

_NUMERIC = (Type.FLOAT, Type.INTEGER)
_COUNTS = (Function.COUNT, Function.COUNT_DISTINCT)


def checked(spec: QuerySpec, default_limit: int | None = None) -> Query:
    """The query of a client's spec. Raises a BadInput that names the culprit.

    `default_limit` counts when the spec has no limit; None is all rows.
    """
    dataset = _dataset(spec.collection)
    if spec.limit is not None and spec.limit > MAX_LIMIT:
        raise BadSpec(reason=f"limit {spec.limit} is above {MAX_LIMIT}; page with skip, or export a snapshot.")
    _bound(spec)
    fields = _Fields(dataset, calculated_of(dataset, spec.calculated))
    group_by = tuple(fields.key(wanted) for wanted in dict.fromkeys(spec.group_by))
    measures = tuple(fields.measures(spec.aggregations))
    _tell_apart([each.name for each in (*group_by, *measures)])
    return Query(
        dataset=dataset,
        calculated=fields.calculated,
        conditions=conditions("filters", spec.filters, lambda name: fields.find(name, "filters")),
        group_by=group_by,
        measures=measures,
        having=conditions("having", spec.having, _results(group_by, measures)),
        order=_order(fields, spec.sort, group_by, measures),
        limit=default_limit if spec.limit is None else spec.limit,
        skip=spec.skip,
    )


def _dataset(name: str) -> Dataset:
    if (dataset := find(name)) is None:
        raise UnknownCollection(name=name, known=", ".join(dataset.name for dataset in queryable()))
    return dataset


def _bound(spec: QuerySpec) -> None:
    if len(spec.group_by) > MAX_KEYS:
        raise BadSpec(reason=f"group_by has {len(spec.group_by)} fields; at most {MAX_KEYS} are allowed.")
    asked = sum(len(_functions(functions)) for functions in spec.aggregations.values())
    if asked > MAX_MEASURES:
        raise BadSpec(reason=f"aggregations asks for {asked} results; at most {MAX_MEASURES} are allowed.")
    if spec.having and not (spec.group_by or spec.aggregations):
        raise BadSpec(
            reason="having looks at groups, and there are none; give group_by or aggregations, or use filters."
        )


def _functions(asked: str | list[str]) -> list[str]:
    return [asked] if isinstance(asked, str) else list(dict.fromkeys(asked))


class _Fields:
    """The columns of a dataset and what is calculated from them."""

    def __init__(self, dataset: Dataset, calculated: tuple[Calculated, ...]) -> None:
        self.dataset, self.calculated = dataset, calculated
        fields: tuple[Field, ...] = (*dataset.columns, *calculated)
        self._known = {field.name: field for field in fields}

    @property
    def names(self) -> tuple[str, ...]:
        """All names."""
        return tuple(self._known)

    def find(self, name: str, place: str) -> Field:
        """The field of that name. Raises UnknownField."""
        if (field := self._known.get(name)) is None:
            raise UnknownField(name=name, place=place, dataset=self.dataset.name, known=", ".join(self._known))
        return field

    def single(self, name: str, place: str) -> Field:
        """The field of that name, which holds one value. Raises UnknownField or UnfitField."""
        field = self.find(name, place)
        if field.type is Type.STRINGS:
            reason = "it holds several values; filters, count and count_distinct can use it."
            raise UnfitField(place=place, name=name, type=field.type.value, reason=reason)
        return field

    def key(self, wanted: str | GroupBy) -> Key:
        """A group key. Raises a BadInput that names the culprit."""
        if isinstance(wanted, str):
            return self.single(wanted, "group_by")
        field = self.single(wanted.field, "group_by")
        if not isinstance(field, Column) or field.type is not Type.INSTANT:
            reason = "only instants fall into a day, week or month."
            raise UnfitField(place=f"group_by {wanted.by}", name=field.name, type=field.type.value, reason=reason)
        if wanted.by not in list(Unit):
            raise UnknownPeriod(name=wanted.by, field=field.name, known=", ".join(Unit))
        try:
            zone_of(wanted.zone)
        except UnknownZone:
            raise UnknownZoneOfGroup(zone=wanted.zone[:80], field=field.name) from None
        return Period(field, Unit(wanted.by), wanted.zone)

    def measures(self, asked: Mapping[str, str | list[str]]) -> Iterator[Measure]:
        """All aggregations. Raises a BadInput that names the culprit."""
        for name, functions in asked.items():
            if not functions:
                raise BadSpec(reason=f"aggregations of {name!r} is empty; name one of: {', '.join(Function)}.")
            yield from (self._measure(name, function) for function in _functions(functions))

    def _measure(self, name: str, function: str) -> Measure:
        if function not in list(Function):
            raise UnknownFunction(name=function, field=name, known=", ".join(Function))
        kind = Function(function)
        if kind in _COUNTS:
            return Measure(self.find(name, "aggregations"), kind)
        field = self.single(name, "aggregations")
        if kind in (Function.SUM, Function.AVG) and field.type not in _NUMERIC:
            raise UnfitField(place=function, name=name, type=field.type.value, reason="it adds up numbers.")
        return Measure(field, kind)


def _tell_apart(names: list[str]) -> None:
    """DuckDB does not tell names apart by case."""
    seen = Counter(name.casefold() for name in names)
    for name in names:
        if seen[name.casefold()] > 1 or name == "_id":
            raise TwoOfOneName(name=name)


def _results(group_by: tuple[Key, ...], measures: tuple[Measure, ...]) -> Callable[[str], Field]:
    """Finds fields of the result. A single key is `_id` in the pipeline, several are inside of it."""
    known = {key.name: Column(key.name, key.type, "a group key", key_path(group_by, key.name)) for key in group_by}
    known |= {measure.name: Column(measure.name, measure.type, "a measure") for measure in measures}

    def find_result(name: str) -> Field:
        wanted = group_by[0].name if name == "_id" and len(group_by) == 1 else name
        if wanted not in known:
            raise UnknownField(name=name, place="having", dataset="the result", known=", ".join(sorted(known)))
        return known[wanted]

    return find_result


def _order(
    fields: _Fields, sort: dict[str, int], group_by: tuple[Key, ...], measures: tuple[Measure, ...]
) -> tuple[Order, ...]:
    """The sort that was asked for, then the key. `_id` stands for all group keys in their order."""
    grouped = bool(group_by or measures)
    keys = [key.name for key in group_by] if grouped else list(fields.dataset.key)
    allowed = {*keys, *(measure.name for measure in measures)} if grouped else set(fields.names)
    asked: dict[str, bool] = {}
    for name, direction in sort.items():
        if direction not in (1, -1):
            raise BadSpec(reason=f"sort by {name!r} needs 1 (upwards) or -1 (downwards); it has {direction}.")
        names = keys if grouped and name == "_id" else [name]
        for wanted in names:
            if wanted not in allowed:
                known = ", ".join(sorted(allowed | ({"_id"} if grouped else set())))
                raise UnknownField(name=wanted, place="sort", dataset="the result", known=known)
            if not grouped:
                fields.single(wanted, "sort")
            asked.setdefault(wanted, direction == -1)
    return tuple(Order(name, down) for name, down in (asked | {key: asked.get(key, False) for key in keys}).items())
