"""Draws any rows of a snapshot, filtered, grouped and sorted, with their whole number always said."""

import msgspec
import streamlit as st

from analytics.glance.numbers import amount
from dashboard import drawing, exporting, loads
from dashboard.context import House
from dashboard.filter_panel import question
from dashboard.paging import page
from dashboard.views.tables import DATASET_NAMES
from stockverify.datasets import DATASETS
from stockverify.wire.exports import CreateExport
from stockverify.wire.reports import QuerySpec


def draw(house: House, snapshot_id: str, asked: QuerySpec | None) -> None:
    """The rows of the question that came with a link, or of one that is put together here."""
    _rows(house, snapshot_id, asked or _put_together(house))


def _put_together(house: House) -> QuerySpec:
    names, words = list(DATASET_NAMES), DATASET_NAMES.__getitem__
    name = st.segmented_control("Dataset", names, default=names[0], required=True, format_func=words) or names[0]
    return question(house, DATASETS[name])


def _rows(house: House, snapshot_id: str, spec: QuerySpec) -> None:
    root, whole = house.settings.lake, msgspec.json.encode(spec)
    total = loads.size(root, snapshot_id, whole)
    before, size = page(total, f"{snapshot_id} {whole.decode()}")
    wanted = msgspec.structs.replace(spec, limit=max(1, min(size, total - before)), skip=spec.skip + before)
    result = loads.answer(root, snapshot_id, msgspec.json.encode(wanted))
    what, first = "groups" if result.query.grouped else "rows", before + 1 if result.row_count else 0
    st.caption(f"Showing {what} {first:,} to {before + result.row_count:,} of {amount(total, 'lines')}.")
    drawing.table(result.frame, list(result.query.results()), house, most_rows=15)
    st.header(f"Export these {amount(total, 'lines')} {what}", anchor=False)
    exporting.panel(
        house,
        spec.collection,
        lambda kind: CreateExport(format=kind, snapshot_id=snapshot_id, query_spec=spec),
    )
