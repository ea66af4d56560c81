"""Makes a file from what a page shows and hands it out, with the manifest that says where its numbers come from."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from analytics.export import Exported, Format, Order, Table, export
from analytics.glance.numbers import amount
from dashboard.context import House, keeper

# Downloads pass through the memory of this process; larger files are fetched from the exports folder.
MOST_BYTES = 100 * 2**20
_WORDS = {
    Format.XLSX: "Excel workbook (xlsx)",
    Format.CSV: "Text table (csv)",
    Format.JSON: "JSON",
    Format.NDJSON: "JSON, one row a line (ndjson)",
    Format.PARQUET: "Parquet",
    Format.PDF: "PDF",
}


def panel(house: House, stem: str, about: str, table: Callable[[], Table]) -> None:
    """Format, a button that makes the file, and then its download.

    `about` names all that the file holds (snapshot and question): a file that was made for another one is not offered.
    """
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    kind = Format(
        left.segmented_control("Format", list(Format), default=Format.XLSX, required=True, key=f"kind_{stem}")
    )
    mark = f"{about} {kind}"
    if right.button("Make the file", icon=":material/draft:", width="stretch", key=f"make_{stem}"):
        with st.spinner(f"Writing {_WORDS[kind]} …"):
            st.session_state[f"made_{stem}"] = mark, make(house, stem, kind, table())
    made_for, made = st.session_state.get(f"made_{stem}", ("", None))
    if made is not None and made_for == mark:
        _hand_out(made, stem)


def make(house: House, stem: str, kind: Format, table: Table) -> Exported:
    """Write a file of its own name into the exports folder."""
    now, login = datetime.now(UTC), keeper().login
    name = f"{stem}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}.{kind}"
    who = login.user.username if login else ""
    return export(table, kind, house.settings.exports / name, Order(who, house.settings.time_zone, now))


def _hand_out(made: Exported, stem: str) -> None:
    st.success(f"{amount(made.rows, 'lines')} rows, {made.bytes / 1024:,.0f} KiB.", icon=":material/check_circle:")
    if made.bytes > MOST_BYTES:
        st.info(f"Too large to send through this page. Fetch `{made.path.name}` from the folder `exports`.")
    with st.container(horizontal=True):
        if made.bytes <= MOST_BYTES:
            _download("Download", made.path.read_bytes, made.path.name, f"file_{stem}", first=True)
        _download("Manifest", made.manifest_path.read_bytes, made.manifest_path.name, f"manifest_{stem}")
    with st.expander("What the manifest says", icon=":material/description:"):
        st.code(made.manifest_path.read_text(), language="json", height=320)


def _download(label: str, data: Callable[[], bytes], name: str, key: str, first: bool = False) -> None:
    st.download_button(
        label,
        data,
        name,
        key=key,
        on_click="ignore",
        icon=":material/download:",
        type="primary" if first else "secondary",
    )
