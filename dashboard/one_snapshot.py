"""Draws one snapshot: where it comes from, its manifest, what its columns hold, and its rows."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import streamlit as st

from analytics.glance.numbers import NOTHING, amount
from analytics.lake.manifest import Manifest, SnapshotDamaged, SnapshotOutdated
from analytics.lake.reports import ReportManifest, Reports
from analytics.lake.store import SnapshotNotFound
from dashboard import address, drawing, loads
from dashboard.context import House
from dashboard.markup import literal
from dashboard.times import shown
from dashboard.views import snapshots as views
from dashboard.views.files import size
from dashboard.views.tables import DATASET_NAMES, column
from stockverify.datasets import DATASETS, Type
from stockverify.wire.lineage import SnapshotLineage
from stockverify.wire.reports import QuerySpec, Snapshot

PART = "snapshots_part"
ROWS, LIBRARY = "Rows of one snapshot", "All snapshots"
_PER_PAGE = 100
_LOOKS = ("Lineage", "Columns", "Rows", "Manifest")


def title(house: House, chosen: Snapshot, lineage: SnapshotLineage) -> None:
    """What it is called, of which moment it is, and whether it is pinned."""
    st.markdown(f"## {literal(chosen.name)}", anchors=False)
    as_of = shown(datetime.fromtimestamp(chosen.summary.as_of, UTC), house.zone)
    pin = f" · :material/keep: pinned by {literal(lineage.pinned_by)}" if lineage.pinned_by else ""
    st.markdown(f"{views.kind_of(chosen)} as of **{literal(as_of)}** · `{chosen.snapshot_id}`{pin}")
    st.caption(literal(chosen.description or "No description."))


def draw(house: House, chosen: Snapshot, lineage: SnapshotLineage, known: list[Snapshot]) -> None:
    """One look at it, as the person chooses."""
    look = st.segmented_control("Look at", _LOOKS, default=_LOOKS[0], required=True, key="snapshot_look")
    report = None if views.kind_of(chosen) == views.DATA else Reports(house.lake.root).manifest(chosen.snapshot_id)
    if look == "Lineage":
        _lineage(house, chosen, lineage, known)
    elif report is not None:
        _of_report(house, report, look)
    else:
        name = st.segmented_control(
            "Dataset", list(DATASET_NAMES), default="positions", required=True, format_func=DATASET_NAMES.__getitem__
        )
        _of_dataset(house, house.lake.manifest(name or "positions", chosen.snapshot_id), look)


def _of_report(house: House, report: ReportManifest, look: str | None) -> None:
    if look == "Columns":
        _profile(house, report.report_id, "")
    elif look == "Rows":
        st.caption(f"All rows come from the data snapshot `{report.freeze_id}`.")
        _rows(house, report)
    else:
        _manifest(report, report.report_id)


def _of_dataset(house: House, manifest: Manifest, look: str | None) -> None:
    if look == "Columns":
        _profile(house, manifest.snapshot_id, manifest.dataset)
    elif look == "Rows":
        _first_rows(house, manifest)
    else:
        _manifest(manifest, f"{manifest.dataset}-{manifest.snapshot_id}")


def _first_rows(house: House, manifest: Manifest) -> None:
    spec = QuerySpec(collection=manifest.dataset, limit=_PER_PAGE)
    found = loads.answer(house.settings.lake, manifest.snapshot_id, msgspec.json.encode(spec))
    drawing.table(found.frame, list(found.query.results()), house)
    st.caption(f"{drawing.part(found.row_count, manifest.rows)} rows of {DATASET_NAMES[manifest.dataset].lower()}.")
    st.button("Filter, group and export them", icon=":material/filter_alt:", on_click=_open, args=(manifest,))


def _open(manifest: Manifest) -> None:
    """Show this one in the other part of the page."""
    address.remember(manifest.snapshot_id)
    st.session_state[PART] = ROWS


def _lineage(house: House, chosen: Snapshot, lineage: SnapshotLineage, known: list[Snapshot]) -> None:
    if views.kind_of(chosen) == views.DATA:
        _incremental(house, chosen)
    else:
        _made_of(house, lineage, known)
        st.markdown("**Its query**")
        st.code(msgspec.json.format(msgspec.json.encode(chosen.query_spec), indent=1).decode(), "json", height=180)
    st.markdown("**What refers to it**")
    if not lineage.uses:
        st.caption("Nothing does.")
        return
    columns = {
        "use": st.column_config.TextColumn("What"),
        "name": st.column_config.TextColumn("Name"),
        "created_by": st.column_config.TextColumn("By"),
        "created_at": column("created_at", Type.INSTANT, house.zone),
        "id": st.column_config.TextColumn("Id"),
    }
    rows = views.uses(lineage.uses)
    st.dataframe(rows.to_arrow(), column_config=columns, hide_index=True, height=drawing.fitted(rows.height, 8))
    st.caption(f"{amount(rows.height, 'lines')} in all, of each kind the newest 100 at most.")


def _made_of(house: House, lineage: SnapshotLineage, known: list[Snapshot]) -> None:
    freeze = next((each for each in known if each.snapshot_id == lineage.freeze_id), None)
    if freeze is None:
        st.markdown(f"Made of the data snapshot `{lineage.freeze_id}`, which is gone; its rows are kept by themselves.")
    else:
        as_of = literal(shown(datetime.fromtimestamp(freeze.summary.as_of, UTC), house.zone))
        st.markdown(f"Made of the data snapshot **{literal(freeze.name)}**, as of {as_of} · `{freeze.snapshot_id}`.")
    if lineage.refreshed_from:
        st.markdown(f"Refreshed from `{lineage.refreshed_from}`: the same query, asked again.")


def _incremental(house: House, chosen: Snapshot) -> None:
    """What it took from an earlier one, and what a later one took from it."""
    manifests = [house.lake.manifest(name, chosen.snapshot_id) for name in DATASETS]
    columns = {
        "dataset": st.column_config.TextColumn("Dataset"),
        "base": st.column_config.TextColumn("Built upon"),
        "because": st.column_config.TextColumn("Taken from there, or why all was read", width="large"),
        "rows": st.column_config.NumberColumn("Rows", format="%,d"),
    }
    st.markdown("**Built upon**")
    st.dataframe(views.bases(manifests).to_arrow(), column_config=columns, hide_index=True, height="content")
    later = views.built_upon(chosen.snapshot_id, _all_manifests(house))
    shown_ids = ", ".join(f"`{each}`" for each in later[:20]) or NOTHING
    more = f" and {len(later) - 20} more" if len(later) > 20 else ""
    st.caption(f"Later snapshots built upon it: {shown_ids}{more}. Each can be read without the others.")


def _all_manifests(house: House) -> Iterator[Manifest]:
    for freeze in house.lake.freezes():
        with contextlib.suppress(SnapshotDamaged, SnapshotOutdated, SnapshotNotFound):
            yield house.lake.manifest("verification_records", freeze.snapshot_id)


def _manifest(found: Manifest | ReportManifest, stem: str) -> None:
    total = sum(part.bytes for part in found.files)
    count = len(found.files)
    files = f"{amount(count, 'lines')} file{'' if count == 1 else 's'}, {size(total)}"
    st.markdown(f"{amount(found.rows, 'lines')} rows in {files}; the manifest has a checksum of each.")
    told = msgspec.json.format(msgspec.json.encode(found), indent=1)
    st.code(told.decode(), "json", height=420)
    st.download_button("Manifest", told, f"{stem}.manifest.json", on_click="ignore", icon=":material/download:")


def _profile(house: House, place_id: str, dataset: str) -> None:
    found = views.profile(loads.profile(house.settings.lake, place_id, dataset), house.zone)
    columns = {
        "column": st.column_config.TextColumn("Column", pinned=True),
        "type": st.column_config.TextColumn("Type"),
        "rows": st.column_config.NumberColumn("Rows", format="%,d"),
        "empty": st.column_config.ProgressColumn("Empty", format="percent", min_value=0, max_value=1),
        "distinct": st.column_config.TextColumn("Different", alignment="right"),
        "smallest": st.column_config.TextColumn("Smallest"),
        "largest": st.column_config.TextColumn("Largest"),
        "mean": st.column_config.TextColumn("Mean", alignment="right"),
        "commonest": st.column_config.ListColumn("Commonest, with their rows"),
    }
    st.dataframe(found.to_arrow(), column_config=columns, hide_index=True, height=drawing.fitted(found.height, 20))
    st.caption(
        f"All {amount(found.height, 'lines')} columns. Of lists, such as serial numbers, what is in them counts."
    )


def _rows(house: House, report: ReportManifest) -> None:
    page = st.pagination(max(1, -(-report.rows // _PER_PAGE)), key=f"rows of {report.report_id}")
    before = (page - 1) * _PER_PAGE
    found = loads.report_rows(house.settings.lake, report.report_id, before, _PER_PAGE)
    first = before + 1 if found.frame.height else 0
    st.caption(f"Showing rows {first:,} to {before + found.frame.height:,} of {amount(report.rows, 'lines')}.")
    drawing.table(found.frame, report.columns, house, most_rows=12)
