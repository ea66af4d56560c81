"""Has a file made of what a page shows: the service makes it in the background and gives it out by a signed link, so
that no file ever passes through the memory of this process. The manifest says where its numbers come from."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import streamlit as st

from analytics.export import Format
from analytics.glance.numbers import amount
from dashboard.context import House, keeper
from dashboard.markup import literal
from dashboard.messages import Message, guarded, show
from dashboard.times import shown
from dashboard.views.files import progress, share, size
from stockverify.vocabulary import ExportStatus
from stockverify.wire.exports import CreateExport, ExportJob

LOOK_SECONDS = 1.0
_OPEN = (ExportStatus.QUEUED, ExportStatus.RUNNING)
_NAMES = {
    Format.XLSX: "Excel (xlsx)",
    Format.CSV: "CSV",
    Format.PDF: "PDF",
    Format.JSON: "JSON",
    Format.NDJSON: "NDJSON",
    Format.PARQUET: "Parquet",
}
"""Those that people open come first, then those for programs."""
_WORDS = {
    Format.XLSX: "Excel workbook (xlsx)",
    Format.CSV: "Text table (csv)",
    Format.JSON: "JSON",
    Format.NDJSON: "JSON, one row a line (ndjson)",
    Format.PARQUET: "Parquet",
    Format.PDF: "PDF",
}

Request = Callable[[Format], CreateExport]


def panel(house: House, stem: str, request: Request) -> None:
    """Format, a button that has the file made, how far it is, and then its download.

    A file that was made of another request (snapshot, question, format) is not offered.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names, key = _NAMES.__getitem__, f"kind_{stem}"
        kind = Format(
            st.segmented_control("Format", list(_NAMES), default=Format.XLSX, required=True, format_func=names, key=key)
        )
        pressed = st.button("Make the file", icon=":material/draft:", type="primary", key=f"make_{stem}")
    asked, place = request(kind), f"made_{stem}"
    if pressed:
        st.session_state[place] = asked, house.api.create_export(_token(), asked).job_id
    made_for, job_id = st.session_state.get(place, (None, ""))
    if made_for == asked:
        _made(house, job_id, stem, kind)


def _made(house: House, job_id: str, stem: str, kind: Format) -> None:
    job = house.api.export(_token(), job_id)
    match job.status:
        case ExportStatus.DONE if job.download_url:
            _hand_out(house, job, stem)
        case ExportStatus.QUEUED | ExportStatus.RUNNING:
            _under_way(house, job, stem, kind)
        case ExportStatus.CANCELLED:
            show(Message("The export was cancelled", "Nothing of it was kept.", "cancel"))
        case ExportStatus.FAILED:
            show(Message("The file was not made", job.error or "The log of the service says why.", "error"))
        case _:
            show(Message("The file is deleted", "Its time was over. Make it again.", "schedule"))


@st.fragment(run_every=LOOK_SECONDS)
def _under_way(house: House, job: ExportJob, stem: str, kind: Format) -> None:
    """Looks again every second, and draws the whole page anew when it is over."""
    with guarded("Export"):
        state = house.api.export(_token(), job.job_id)
        if state.status not in _OPEN:
            st.rerun()
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.progress(share(state), f"{_WORDS[kind]}: {progress(state)}")
        if right.button("Cancel", icon=":material/cancel:", width="stretch", key=f"cancel_{stem}"):
            house.api.cancel_export(_token(), job.job_id)
            st.rerun()


def _hand_out(house: House, job: ExportJob, stem: str) -> None:
    manifest = msgspec.json.encode(house.api.export_manifest(_token(), job.job_id))
    st.success(f"{amount(job.rows_done, 'lines')} rows, {size(job.bytes or 0)}.", icon=":material/check_circle:")
    with st.container(horizontal=True):
        link = f"{house.settings.api_link()}{job.download_url}"
        st.link_button("Download", link, icon=":material/download:", type="primary")
        _manifest(manifest, f"{job.file}.manifest.json", f"manifest_{stem}")
    if job.expires_at is not None:
        until = shown(datetime.fromtimestamp(job.expires_at, UTC), house.zone)
        st.caption(f"Whoever has the link has the file, without signing in, until {until}. {literal(job.file or '')}")
    with st.expander("What the manifest says"):
        st.code(msgspec.json.format(manifest, indent=1).decode(), language="json", height=320)


def _manifest(told: bytes, name: str, key: str) -> None:
    pretty = msgspec.json.format(told, indent=1)
    st.download_button("Manifest", pretty, name, key=key, on_click="ignore", icon=":material/download:")


def _token() -> str:
    login = keeper().login
    return login.access_token if login else ""
