"""Export: a whole dataset of the shown snapshot as a file, with its manifest."""

import streamlit as st

from analytics.glance.numbers import amount
from dashboard import exporting
from dashboard.context import House, open_house
from dashboard.heading import heading
from dashboard.views.tables import DATASET_NAMES
from stockverify.wire.exports import CreateExport

_MEANINGS = {
    "positions": "Book beside verified quantity, one row per item, bin and rack.",
    "verification_records": "Every accepted record, as counted.",
    "verification_sessions": "Who worked on which rack, from when to when.",
    "erp_items": "The stock list as it stood.",
}


def show() -> None:
    """Draw the page."""
    house = open_house()
    if (choice := heading(house, "Export")) is None:
        return
    names = list(DATASET_NAMES)
    meanings = [_MEANINGS[name] for name in names]
    name = st.radio("Dataset", names, format_func=DATASET_NAMES.__getitem__, captions=meanings)
    with st.container(border=True):
        _file(house, choice.freeze.snapshot_id, name)


def _file(house: House, snapshot_id: str, name: str) -> None:
    manifest = house.lake.manifest(name, snapshot_id)
    st.markdown(f"**{DATASET_NAMES[name]}** · {amount(manifest.rows, 'lines')} rows · {len(manifest.columns)} columns")
    st.caption("All rows, in every format the same. Item codes and serial numbers stay text, zeros in front included.")
    exporting.panel(house, name, lambda kind: CreateExport(format=kind, snapshot_id=snapshot_id, dataset=name))


if __name__ == "__main__":
    show()
