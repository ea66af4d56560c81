"""Draws how an uploaded list was read, and the forms with which a person says it better."""

import hashlib
from collections.abc import Sequence

import msgspec
import streamlit as st

from dashboard.calls import imports as calls
from dashboard.desk import Desk
from dashboard.markup import literal
from dashboard.views import imports as views
from stockverify.wire.imports import ImportJob, ImportOptions, Recognised

_NOT_THERE = "Not in the list"


def card(desk: Desk, job: ImportJob) -> None:
    """What was recognised, and both forms for those who may say it better."""
    found = job.checked.recognised
    with st.container(border=True):
        st.markdown("**How the list was read**")
        if found is not None:
            st.caption(literal(views.read_as(found)))
        if not desk.settles:
            return
        with st.expander("Read it differently", expanded=found is None):
            _reading(desk, job, found)
        if found is not None:
            # What fits needs no look at twelve boxes: the outcome stands right below.
            with st.expander("Which column holds what", expanded=job.checked.outcome is None):
                _columns(desk, job, found)


def _reading(desk: Desk, job: ImportJob, found: Recognised | None) -> None:
    """Encoding, delimiter, sheet and decimals. What is read differently has other headings, which are guessed anew."""
    said, workbook = job.options, found is not None and found.kind == "xlsx"
    with st.form(f"reading {job.import_id}", border=False), st.container(key="import_reading"):
        sheet, encoding, delimiter = said.sheet, said.encoding, said.delimiter
        if workbook and found:
            sheet = _choice("Sheet", found.sheets, said.sheet, found.sheet)
        else:
            encoding = _choice("Encoding", views.ENCODINGS, said.encoding, found.encoding if found else None)
            delimiter = _choice("Between cells", list(views.DELIMITERS.values()), said.delimiter, None)
        decimal = _choice("Decimals", list(views.DECIMALS.values()), views.DECIMALS.get(said.decimal or ""), None)
        if st.form_submit_button("Read again", icon=":material/refresh:"):
            mark = next((mark for mark, name in views.DECIMALS.items() if name == decimal), None)
            wanted = ImportOptions(sheet=sheet, encoding=encoding, delimiter=delimiter, decimal=mark)  # type: ignore[arg-type]
            if (wanted.sheet, wanted.encoding, wanted.delimiter) == (said.sheet, said.encoding, said.delimiter):
                wanted = msgspec.structs.replace(wanted, columns=said.columns)
            _check(desk, job, wanted)


def _choice(label: str, offered: Sequence[str], said: str | None, found: str | None) -> str | None:
    """One thing to say; left alone it is found out."""
    known = [*offered, *([said] if said and said not in offered else [])]
    hint = f"Found: {found}" if found else "Found out"
    return st.selectbox(label, known, known.index(said) if said else None, placeholder=hint)


def _columns(desk: Desk, job: ImportJob, found: Recognised) -> None:
    """Which heading each of our columns is read from."""
    choices = views.choices(found.headings)
    offered = ["", *choices]
    # Other headings or another guess make other widgets: a choice never slips to a heading that nobody chose.
    mark = hashlib.sha256(repr((found.headings, found.columns)).encode()).hexdigest()[:12]
    st.markdown("Those with a * must be in the list.")
    with st.form(f"columns {job.import_id}", border=False):
        with st.container(key="import_columns"):
            chosen = {
                ours: st.selectbox(
                    title,
                    offered,
                    offered.index(found.columns[ours]) if found.columns.get(ours) in choices else 0,
                    format_func=lambda name: choices.get(name, _NOT_THERE),
                    key=f"{ours} {job.import_id} {mark}",
                )
                for ours, title in views.asked_for()
            }
        if st.form_submit_button("Check with these columns", icon=":material/rule:"):
            mapped = {ours: theirs for ours, theirs in chosen.items() if theirs}
            _check(desk, job, msgspec.structs.replace(job.options, columns=mapped))


def _check(desk: Desk, job: ImportJob, options: ImportOptions) -> None:
    with st.spinner("Checking the list …", show_time=True):
        calls.check(desk, job.import_id, options)
    st.rerun()
