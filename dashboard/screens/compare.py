"""Compare: what changed from an earlier snapshot to the shown one."""

import streamlit as st

from analytics.compare import Comparison
from dashboard import comparing, exporting, loads
from dashboard.context import House, open_house
from dashboard.heading import heading, label
from dashboard.messages import Message
from dashboard.messages import show as show_message
from dashboard.picker import Choice
from dashboard.views.tables import DATASET_NAMES
from stockverify.datasets import POSITIONS
from stockverify.wire.comparisons import Compare
from stockverify.wire.exports import CreateExport

_BASELINE = "baseline"
ONE_ONLY = Message(
    "Nothing to compare with yet",
    "This installation has one snapshot so far. Take another one once more is counted; it is then compared with this.",
    "compare_arrows",
)


def show() -> None:
    """Draw the page."""
    house = open_house()
    if (choice := heading(house, "Compare")) is None:
        return
    if len(choice.known) < 2:
        show_message(ONE_ONLY)
        return
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        baseline = _baseline(house, choice)
    names = list(DATASET_NAMES)
    name = right.selectbox("Dataset", names, format_func=DATASET_NAMES.__getitem__) or POSITIONS.name
    found = loads.comparison(house.settings.lake, baseline, choice.freeze.snapshot_id, name)
    comparing.draw(found, house.zone)
    _export(house, found)


def _baseline(house: House, choice: Choice) -> str:
    """The other snapshot: from the link, else the one before the shown one, else the next after it."""
    others = {freeze.snapshot_id: label(freeze, house) for freeze in choice.known if freeze != choice.freeze}
    asked = str(st.query_params.get(_BASELINE, ""))
    start = asked if asked in others else (choice.previous or choice.known[-2]).snapshot_id
    index = list(others).index(start)
    picked = st.selectbox("Compare with", others, index=index, format_func=others.__getitem__) or start
    st.query_params[_BASELINE] = picked
    return picked


def _export(house: House, found: Comparison) -> None:
    st.subheader("Export this comparison", anchor=False)
    pair = Compare(
        snapshot_a_id=found.baseline.snapshot_id,
        snapshot_b_id=found.comparison.snapshot_id,
        dataset=found.dataset,
        comparison_name=f"comparison of {found.dataset}",
    )
    exporting.panel(house, f"comparison-{found.dataset}", lambda kind: CreateExport(format=kind, compare=pair))


if __name__ == "__main__":
    show()
