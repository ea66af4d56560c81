"""The panel on the Snapshots page that puts a question together."""

from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.glance.words import heading
from analytics.query.model import Function
from dashboard.context import House
from dashboard.views.lines import Line, conditions_of
from dashboard.views.questions import Measure, aggregations_of, groupable, measures
from dashboard.views.relations import ALONE, SEVERAL, Relation, relations
from stockverify.datasets import Column, Dataset, Type
from stockverify.wire.reports import QuerySpec

MOST_FILTERS = 8
Labels = Literal["visible", "collapsed"]
_HINTS = {
    Type.INSTANT: "2026-01-31 18:00",
    Type.FLOAT: "2.5",
    Type.INTEGER: "1",
    Type.STRING: "text",
    Type.STRINGS: "one of the values",
}


def question(house: House, dataset: Dataset) -> QuerySpec:
    """What was put together, without a page. Raises BadInput that says what cannot be read."""
    with st.container(border=True, key="question"):
        filters = _filters(dataset)
        left, middle, right = st.columns(3)
        keys = left.multiselect(
            "Group by", groupable(dataset.columns), key=f"group_{dataset.name}", placeholder="No groups"
        )
        figures = _figures(middle, dataset, keys)
        sort = _sort(right, dataset, [*keys, *(figure.name for figure in figures)])
    return QuerySpec(
        collection=dataset.name,
        filters=conditions_of(filters, {column.name: column for column in dataset.columns}, house.zone),
        group_by=keys,
        aggregations=aggregations_of(figures),
        sort=sort,
    )


def _filters(dataset: Dataset) -> list[Line]:
    number = f"filters_{dataset.name}"
    shown = st.session_state.setdefault(number, 1)
    found = [_filter(dataset, index, number) for index in range(shown)]
    chosen = [line for line in found if line is not None]
    if not all(line.complete for line in chosen):
        st.caption("A filter without a value is not applied.")
    return chosen


def _more_or_fewer(place: DeltaGenerator, number: str) -> None:
    shown = st.session_state[number]
    with place.container(horizontal=True, horizontal_alignment="right", wrap=False, gap="xsmall"):
        _resize("Add a filter", ":material/add:", number, shown + 1, shown >= MOST_FILTERS)
        _resize("Remove the last filter", ":material/remove:", number, shown - 1, shown <= 1)


def _resize(what: str, icon: str, number: str, wanted: int, disabled: bool) -> None:
    if st.button(icon, help=what, disabled=disabled, key=f"{what} {number}"):
        st.session_state[number] = wanted
        st.rerun()


def _filter(dataset: Dataset, index: int, number: str) -> Line | None:
    where, how, what, more = st.columns([3, 3, 4, 2], vertical_alignment="bottom")
    if index == 0:
        _more_or_fewer(more, number)
    mark, labels = f"{dataset.name}_{index}", _labels(index)
    name = where.selectbox(
        "Filter",
        dataset.names,
        index=None,
        placeholder="Any row",
        format_func=heading,
        key=f"column_{mark}",
        label_visibility=labels,
    )
    column = dataset.column(name) if name else None
    if column is None:
        return None
    choices = [each for each in relations(column.type) if each is not Relation.BETWEEN]  # two lines can say that
    key = f"relation_{mark}_{column.type}"
    relation = Relation(how.selectbox("Relation", choices, key=key, label_visibility=labels) or choices[0])
    if relation in ALONE:
        return Line(column.name, relation)
    text = _value(what, column, f"value_{mark}_{column.type}", labels)
    return Line(column.name, relation, tuple(text.split(",")) if relation in SEVERAL else (text,))


def _value(place: DeltaGenerator, column: Column, key: str, labels: Labels) -> str:
    if column.type is Type.BOOLEAN:
        return place.selectbox("Value", ("yes", "no"), key=key, label_visibility=labels) or ""
    hint = _HINTS[column.type]
    return place.text_input("Value", key=key, placeholder=hint, label_visibility=labels, help=column.meaning)


def _labels(index: int) -> Labels:
    """The first line carries the headings of the panel."""
    return "visible" if index == 0 else "collapsed"


def _figures(place: DeltaGenerator, dataset: Dataset, keys: list[str]) -> list[Measure]:
    """Groups without a figure are counted."""
    words = {name: heading(name) for name in dataset.names}
    chosen: list[Measure] = place.multiselect(
        "Figures",
        measures(dataset.columns),
        format_func=lambda measure: measure.label(words),
        key=f"figures_{dataset.name}",
        placeholder="Count of rows" if keys else "No figures",
    )
    return chosen or ([Measure(dataset.key[-1], Function.COUNT)] if keys else [])


def _sort(place: DeltaGenerator, dataset: Dataset, grouped: list[str]) -> dict[str, int]:
    results = grouped or groupable(dataset.columns)
    ways = {f"{heading(name)} {arrow}": (name, way) for name in results for arrow, way in (("↑", 1), ("↓", -1))}
    mark = f"{dataset.name} {' '.join(results)}"
    chosen = place.selectbox("Sort by", ways, index=None, placeholder="Key", key=f"sort_{mark}")
    return dict([ways[chosen]]) if chosen else {}
