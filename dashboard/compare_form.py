"""What the Compare page compares: with which snapshot, which dataset, and how far numbers may move. All of it is in the
address of the page."""

from typing import NamedTuple

import streamlit as st

from analytics.compare import Tolerance, tolerable
from analytics.glance.words import heading
from dashboard.context import House
from dashboard.heading import label
from dashboard.markup import literal
from dashboard.messages import explain, show
from dashboard.picker import Choice
from dashboard.views import tolerances
from dashboard.views.tables import DATASET_NAMES
from stockverify import page_links
from stockverify.datasets import POSITIONS
from stockverify.errors import BadInput

BEFORE, ANOTHER = "The one before", "Another one"
_TOLERANCE, _DATASET = "tolerance", "dataset"
_PICKER = "compared_dataset"


class Asked(NamedTuple):
    """The question: what is compared with the shown snapshot, and how."""

    baseline: str
    dataset: str
    tolerances: dict[str, Tolerance]


def asked(house: House, choice: Choice) -> Asked:
    """Draw the choices. There are at least two snapshots."""
    with st.container(key="compare_form"):
        baseline = _baseline(house, choice)
        dataset = _dataset()
    other = next(freeze for freeze in choice.known if freeze.snapshot_id == baseline)
    st.markdown(f"From **{literal(label(other, house))}** `{baseline}` to **{literal(label(choice.freeze, house))}**")
    return Asked(baseline, dataset, _tolerances(dataset))


def _dataset() -> str:
    """That of the address, which another choice changes; positions when it names none that there is."""
    asked = str(st.query_params.get(_DATASET, ""))
    st.session_state[_PICKER] = asked if asked in DATASET_NAMES else POSITIONS.name
    names = list(DATASET_NAMES)
    picked = st.selectbox(
        "Dataset", names, format_func=DATASET_NAMES.__getitem__, key=_PICKER, on_change=_remember_dataset
    )
    return picked or POSITIONS.name


def _remember_dataset() -> None:
    st.query_params[_DATASET] = st.session_state[_PICKER]


def _baseline(house: House, choice: Choice) -> str:
    """The one before the shown one, unless the link or the reader wants another."""
    others = {freeze.snapshot_id: label(freeze, house) for freeze in choice.known if freeze != choice.freeze}
    before = choice.previous
    wanted = str(st.query_params.get(page_links.BASELINE, ""))
    start = wanted if wanted in others else (before or choice.known[-2]).snapshot_id
    ways = [BEFORE, ANOTHER] if before else [ANOTHER]
    usual = BEFORE if before and start == before.snapshot_id else ANOTHER
    way = st.segmented_control("Compare with", ways, default=usual, required=True, key=f"against_{len(ways)}")
    picked = before.snapshot_id if before and way == BEFORE else _another(others, start)
    st.query_params[page_links.BASELINE] = picked
    return picked


def _another(others: dict[str, str], start: str) -> str:
    index = list(others).index(start)
    return st.selectbox("Other snapshot", others, index=index, format_func=others.__getitem__) or start


def _tolerances(dataset: str) -> dict[str, Tolerance]:
    columns = tolerable(dataset)
    try:
        known = tolerances.read(str(st.query_params.get(_TOLERANCE, "")), columns)
    except BadInput as error:
        show(explain(error))
        known = {}
    if not columns:
        return {}
    with st.expander(tolerances.said(known)), st.form(f"tolerances_{dataset}", border=False):
        st.caption("A number that moves by no more than this counts as unchanged. Percents are of the value before.")
        with st.container(key="tolerances"):
            sizes = {column: _sizes(dataset, column, known.get(column, Tolerance())) for column in columns}
        if st.form_submit_button("Use these tolerances"):
            st.query_params[_TOLERANCE] = tolerances.in_address(tolerances.chosen(sizes))
            st.rerun()
    return known


def _sizes(dataset: str, column: str, size: Tolerance) -> tuple[float | None, float | None]:
    percent = None if size.relative is None else 100 * size.relative
    return _size(dataset, column, "by at most", size.absolute), _size(dataset, column, "by at most, %", percent)


def _size(dataset: str, column: str, words: str, value: float | None) -> float | None:
    name, key = f"{heading(column)} {words}", f"tolerance_{dataset}_{column}_{words}"
    return st.number_input(name, 0.0, tolerances.MOST, value, format="%g", key=key, placeholder="Not at all")
