"""The panel in which a query is put together, by picking."""

from collections.abc import Mapping
from functools import partial
from zoneinfo import available_timezones

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.query import MAX_LIMIT
from analytics.query.calculated.model import Field
from analytics.query.model import Function, Unit
from dashboard import heading, loads
from dashboard.context import House
from dashboard.explorer import formula_rows, widgets
from dashboard.explorer.draft import Draft
from dashboard.explorer.line_rows import Lines
from dashboard.messages import explain
from dashboard.messages import show as show_message
from dashboard.views.picks import Picks, SortKey, fields_of, in_zone, results_of, sortable, spec_of
from dashboard.views.questions import Measure, groupable, measures
from dashboard.views.tables import DATASET_NAMES
from stockverify.datasets import Column, Type
from stockverify.errors import BadInput
from stockverify.wire.reports import GroupBy, QuerySpec

_FURTHEST = 2**53 - 1
"""The largest whole number of a browser; no snapshot has so many rows."""


def draw(house: House, draft: Draft, newest: str) -> QuerySpec | None:
    """What was put together; nothing when it cannot be asked, and that is said. `newest` is the snapshot whose values
    are suggested."""
    before = draft.picks
    with st.container(border=True, key="question"):
        picks, wrong = _picked(house, draft, newest)
    if _other_lines(before, picks) or _counts_first(before, picks):
        draft.replace(_with_count(picks) if _counts_first(before, picks) else picks)
        st.rerun()
    draft.picks = picks
    return None if wrong else _asked(house, picks)


def _asked(house: House, picks: Picks) -> QuerySpec | None:
    try:
        return spec_of(picks, house.zone)
    except BadInput as error:
        show_message(explain(error))
        return None


def dataset(draft: Draft) -> None:
    """Another dataset has other fields, so the query begins anew."""
    key = draft.key("dataset")
    st.session_state.setdefault(key, draft.picks.collection)
    words = DATASET_NAMES.__getitem__
    name = st.segmented_control("Dataset", list(DATASET_NAMES), required=True, format_func=words, key=key)
    if name and name != draft.picks.collection:
        draft.opened = None
        draft.replace(Picks(name))
        st.rerun()


def _picked(house: House, draft: Draft, newest: str) -> tuple[Picks, BadInput | None]:
    """Drawn in the order in which people think, and read in the order in which the parts need each other."""
    filters, groups, formulas = st.container(), st.container(), st.expander(
        "Calculated fields", expanded=bool(draft.picks.calculated)
    )  # fmt: skip
    conditions, limits = st.container(), st.expander("Limit")
    with formulas:
        calculated = formula_rows.draw(draft, draft.picks.calculated)
        picks = draft.picks._replace(calculated=calculated)
        fields, wrong = fields_of(picks)
        if wrong:
            formula_rows.told(wrong, picks.texts)
    suggest = partial(_suggested, house, newest, picks.collection)
    with filters:
        picks = picks._replace(filters=Lines(draft, "filters", fields, suggest).draw(picks.filters))
    shelf = groups.container(key="explore_groups")
    left, middle, right = (shelf.container() for _ in range(3))
    picks = _keys(left, house, draft, picks, fields)
    picks = _figures(middle, draft, picks, fields)
    results = _results(picks)
    if results is None:  # while the groups cannot be made, what was picked of them stays
        return picks, wrong
    picks = _sort(right, draft, picks, fields, results)
    if picks.grouped:
        with conditions.expander("Conditions on groups", expanded=bool(picks.having)):
            picks = picks._replace(having=Lines(draft, "having", results, lambda _: ()).draw(picks.having))
    with limits:
        return _limits(draft, picks), wrong


def _results(picks: Picks) -> dict[str, Field] | None:
    try:
        return results_of(picks) if picks.grouped else {}
    except BadInput:
        return None


def _keys(place: DeltaGenerator, house: House, draft: Draft, picks: Picks, fields: Mapping[str, Field]) -> Picks:
    zones = [key.zone for key in picks.keys if isinstance(key, GroupBy)]
    zone = zones[0] if zones else house.zone.key
    days = [
        GroupBy(field=field.name, by=unit.value, zone=zone)
        for field in fields.values()
        if isinstance(field, Column) and field.type is Type.INSTANT
        for unit in Unit
    ]
    options: list[str | GroupBy] = list(dict.fromkeys([*groupable(fields.values()), *days, *picks.keys]))
    words = widgets.names(fields)
    keys = widgets.several(
        place, "Group by", [each for each in options if isinstance(each, GroupBy) or each in fields],
        draft.key("keys"), picks.keys, placeholder="No groups", format_func=partial(_key_words, words),
    )  # fmt: skip
    picks = picks._replace(keys=keys)
    if any(isinstance(key, GroupBy) for key in keys):
        _zone(place, draft, picks, zone)
    return picks


def _key_words(words: Mapping[str, str], key: str | GroupBy) -> str:
    if isinstance(key, GroupBy):
        return f"{words.get(key.field, key.field)}, by {key.by} ({key.zone})"
    return words.get(key, key)


def _zone(place: DeltaGenerator, draft: Draft, picks: Picks, zone: str) -> None:
    """In which zone days begin."""
    key = draft.key("zone")
    known = sorted(available_timezones() | {zone})
    chosen = widgets.one(place, "Days in the zone", known, key, zone)
    if chosen and chosen != zone:
        draft.replace(in_zone(picks, chosen))
        st.rerun()


def _figures(place: DeltaGenerator, draft: Draft, picks: Picks, fields: Mapping[str, Field]) -> Picks:
    words = widgets.names(fields)
    chosen = widgets.several(
        place, "Figures", measures(fields.values()), draft.key("figures"), picks.measures,
        format_func=lambda measure: measure.label(words), placeholder="No figures",
    )  # fmt: skip
    return picks._replace(measures=chosen)


def _sort(
    place: DeltaGenerator, draft: Draft, picks: Picks, fields: Mapping[str, Field], results: Mapping[str, Field]
) -> Picks:
    known = sortable(picks, fields, results)
    words = widgets.names(known)
    ways = [SortKey(name, down) for name in known for down in (False, True)]
    chosen = widgets.several(
        place, "Sort by", ways, draft.key("sort"), picks.sort, placeholder="Key",
        format_func=lambda key: f"{words.get(key.name, key.name)} {'↓' if key.down else '↑'}",
    )  # fmt: skip
    once = {key.name: key for key in reversed(chosen)}
    return picks._replace(sort=tuple(key for key in chosen if once[key.name] is key))


def _limits(draft: Draft, picks: Picks) -> Picks:
    left, right = st.columns(2)
    keys = draft.key("limit"), draft.key("skip")
    st.session_state.setdefault(keys[0], picks.limit)
    st.session_state.setdefault(keys[1], min(picks.skip, _FURTHEST) or None)
    limit = left.number_input("At most so many rows", 1, MAX_LIMIT, value=None, placeholder="All", key=keys[0])
    skip = right.number_input("After so many others", 0, _FURTHEST, value=None, placeholder="None", key=keys[1])
    return picks._replace(limit=limit, skip=skip or 0)


def _suggested(house: House, snapshot_id: str, collection: str, field: Field) -> tuple[str, ...]:
    if field.type is Type.BOOLEAN:
        return "yes", "no"
    if not snapshot_id or field.type is not Type.STRING or not isinstance(field, Column):
        return ()
    heading.at_hand(house, snapshot_id)
    return loads.values(house.settings.lake, snapshot_id, collection, field.name)


def _other_lines(before: Picks, after: Picks) -> bool:
    """Whether a line came or went, so that the others have other places."""
    parts = ("calculated", "filters", "having")
    return any(len(getattr(before, part)) != len(getattr(after, part)) for part in parts)


def _counts_first(before: Picks, after: Picks) -> bool:
    """Whether the first group was picked, which wants a figure; it may be taken away again."""
    return bool(after.keys) and not before.grouped and not after.measures


def _with_count(picks: Picks) -> Picks:
    return picks._replace(measures=(Measure(picks.dataset.key[-1], Function.COUNT),))
