"""Why a total moved: which floors, categories, counters or items moved it, step by step."""

from pathlib import Path

import streamlit as st

from analytics import charts
from analytics.compare import Comparison, of_dataset
from analytics.figures import FIGURES
from analytics.glance.numbers import amount
from analytics.glance.words import heading
from dashboard import drawing, loads
from stockverify.datasets import DATASETS, POSITIONS

_TITLES = {figure.name: figure.title for figure in FIGURES}
_UNITS = {figure.name: figure.unit for figure in FIGURES}
_USUAL = "net_variance_value"
_BY = {"floor": "Floor", "category": "Category", "counted_by": "Counter", "item_code": "Item"}


def draw(root: Path, found: Comparison, currency: str) -> None:
    """The chart, and what it divides by what."""
    st.header("What moved it", anchor=False)
    rows = of_dataset(DATASETS[found.dataset])
    totals, parts = list(rows.figures), [name for name in _BY if name in rows.parts] or list(rows.parts)
    with st.container(horizontal=True, vertical_alignment="top"):
        usual = totals.index(_USUAL) if found.dataset == POSITIONS.name else 0
        total = st.selectbox("Total", totals, index=usual, format_func=_title, key=f"moved_{found.dataset}", width=260)
        by = st.segmented_control("By", parts, default=parts[0], required=True, format_func=_part, key="moved_by")
    why = loads.contributions(
        root,
        found.baseline.snapshot_id,
        found.comparison.snapshot_id,
        found.dataset,
        total or totals[usual],
        by if by in parts else parts[0],
    )
    steps = len(why.parts) + bool(why.other.change or why.other.groups)
    if why.parts:
        drawing.chart(charts.contributions_waterfall(why, currency), steps + 2)
    else:
        unit = _UNITS.get(total or "", "units")
        st.caption(f"Nothing moved it: it is {amount(why.change.comparison, unit)} on both sides.")


def _title(name: str) -> str:
    return _TITLES.get(name, heading(name))


def _part(name: str) -> str:
    return _BY.get(name, heading(name))
