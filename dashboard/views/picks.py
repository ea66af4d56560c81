"""What a person has picked on the Explore page: to a query, and back from any query that can be asked."""

from collections.abc import Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from analytics.query import Query, checked
from analytics.query.calculated.meaning import calculated_of
from analytics.query.calculated.model import Field
from analytics.query.model import Period
from dashboard.views.lines import Line, conditions_of, lines_of
from dashboard.views.questions import Measure, aggregations_of
from stockverify.datasets import DATASETS, POSITIONS, Column, Dataset, Type
from stockverify.errors import BadInput
from stockverify.wire.reports import GroupBy, QuerySpec


class Formula(NamedTuple):
    """A calculated field, as it was typed."""

    name: str = ""
    text: str = ""

    @property
    def complete(self) -> bool:
        """Whether there is something to be read."""
        return bool(self.name.strip() and self.text.strip())


class SortKey(NamedTuple):
    """One field to sort by."""

    name: str
    down: bool = False


class Picks(NamedTuple):
    """All of it; lines that are not complete wait, and take no part in the query."""

    collection: str = POSITIONS.name
    calculated: tuple[Formula, ...] = ()
    filters: tuple[Line, ...] = ()
    keys: tuple[str | GroupBy, ...] = ()
    measures: tuple[Measure, ...] = ()
    having: tuple[Line, ...] = ()
    sort: tuple[SortKey, ...] = ()
    limit: int | None = None
    skip: int = 0

    @property
    def dataset(self) -> Dataset:
        """What is asked."""
        return DATASETS[self.collection]

    @property
    def grouped(self) -> bool:
        """Whether rows are groups."""
        return bool(self.keys or self.measures)

    @property
    def texts(self) -> dict[str, str]:
        """The calculated fields of a query."""
        return {each.name.strip(): each.text.strip() for each in self.calculated if each.complete}


class NameTwice(BadInput):
    """Two calculated fields are called {name!r}; give one of them another name."""


def fields_of(picks: Picks) -> tuple[dict[str, Field], BadInput | None]:
    """The columns, and the calculated fields as far as they can be read; and what is wrong with the first other one."""
    known: dict[str, Field] = {column.name: column for column in picks.dataset.columns}
    try:
        _names_differ(picks)
        return known | {field.name: field for field in calculated_of(picks.dataset, picks.texts)}, None
    except BadInput as error:
        unread = {name: Column(name, Type.FLOAT, "a calculated field") for name in picks.texts if name not in known}
        return known | unread, error


def results_of(picks: Picks) -> dict[str, Field]:
    """The columns of the groups. Raises a BadInput when these cannot be made."""
    plain = QuerySpec(
        collection=picks.collection,
        calculated=picks.texts,
        group_by=picks.keys,
        aggregations=aggregations_of(picks.measures),
    )
    return {name: Column(name, kind, "of the groups") for name, kind in checked(plain).results()}


def spec_of(picks: Picks, zone: ZoneInfo) -> QuerySpec:
    """The query. Raises a BadInput that names what cannot be asked."""
    _names_differ(picks)
    fields, wrong = fields_of(picks)
    if wrong is not None:
        raise wrong
    having = conditions_of(picks.having, results_of(picks), zone) if picks.grouped else {}
    spec = QuerySpec(
        collection=picks.collection,
        calculated=picks.texts,
        filters=conditions_of(picks.filters, fields, zone),
        group_by=list(picks.keys),
        aggregations=aggregations_of(picks.measures),
        having=having,
        sort={key.name: -1 if key.down else 1 for key in picks.sort},
        limit=picks.limit,
        skip=picks.skip,
    )
    checked(spec)
    return spec


def picks_of(spec: QuerySpec, zone: ZoneInfo) -> Picks:
    """What has to be picked for a query. Raises a BadInput when it cannot be asked, or not in lines."""
    query = checked(spec)
    return Picks(
        collection=query.dataset.name,
        calculated=tuple(Formula(name, text) for name, text in spec.calculated.items()),
        filters=lines_of(query.conditions, zone),
        keys=tuple(_key(key) for key in query.group_by),
        measures=tuple(Measure(measure.column.name, measure.function) for measure in query.measures),
        having=lines_of(query.having, zone),
        sort=_sort(query, spec.sort),
        limit=spec.limit,
        skip=spec.skip,
    )


def in_zone(picks: Picks, zone: str) -> Picks:
    """The same with its days, weeks and months in another zone."""
    keys = (msgspec.structs.replace(key, zone=zone) if isinstance(key, GroupBy) else key for key in picks.keys)
    return picks._replace(keys=tuple(dict.fromkeys(keys)))


def sortable(picks: Picks, fields: Mapping[str, Field], results: Mapping[str, Field]) -> list[str]:
    """What can be sorted by."""
    if picks.grouped:
        return list(results)
    return [name for name, field in fields.items() if field.type is not Type.STRINGS]


def _names_differ(picks: Picks) -> None:
    names = [each.name.strip() for each in picks.calculated if each.complete]
    for name in names:
        if names.count(name) > 1:
            raise NameTwice(name=name[:80])


def _key(key: Field | Period) -> str | GroupBy:
    return GroupBy(field=key.column.name, by=key.by.value, zone=key.zone) if isinstance(key, Period) else key.name


def _sort(query: Query, asked: Mapping[str, int]) -> tuple[SortKey, ...]:
    """Without the key at its end, which every sort gets."""
    keys = [key.name for key in query.group_by] if query.grouped else []
    names = {name for each in asked for name in (keys if query.grouped and each == "_id" else [each])}
    return tuple(SortKey(order.name, order.descending) for order in query.order if order.name in names)
