"""Compare: what changed from an earlier snapshot to the shown one, and why."""

import streamlit as st

from analytics.compare import Comparison
from dashboard import compare_form, comparing, exporting, loads, moving
from dashboard.compare_form import Asked
from dashboard.context import House, open_house
from dashboard.heading import heading
from dashboard.messages import Message, guarded
from dashboard.messages import show as show_message
from dashboard.views import tolerances
from stockverify.wire.comparisons import Compare
from stockverify.wire.exports import CreateExport

ONE_ONLY = Message(
    "Nothing to compare with yet",
    "There is but one snapshot that can be read. Take another one once more is counted; it is then compared with this.",
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
    asked = compare_form.asked(house, choice)
    root, written = house.settings.lake, tolerances.written(asked.tolerances)
    if not comparing.made(house, choice.freeze.snapshot_id, asked):
        return
    found = loads.comparison(root, asked.baseline, choice.freeze.snapshot_id, asked.dataset, written)
    comparing.draw(found, house.currency)
    with guarded("What moved it"):
        moving.draw(root, found, house.currency)
    comparing.rows(found, house)
    _export(house, found, asked)


def _export(house: House, found: Comparison, asked: Asked) -> None:
    st.header("Export this comparison", anchor=False)
    st.caption("All rows that differ, whatever is shown above, with both sides of every column.")
    pair = Compare(
        snapshot_a_id=found.baseline.snapshot_id,
        snapshot_b_id=found.comparison.snapshot_id,
        dataset=found.dataset,
        comparison_name=f"comparison of {found.dataset}",
        tolerances=tolerances.limits(asked.tolerances),
    )
    exporting.panel(house, f"comparison-{found.dataset}", lambda kind: CreateExport(format=kind, compare=pair))


if __name__ == "__main__":
    show()
