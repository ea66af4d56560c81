"""Draws calculated fields: a name and an expression each, and where one goes wrong."""

from collections.abc import Mapping, Sequence

import streamlit as st

from analytics.query.calculated.meaning import MAX_CALCULATED
from dashboard.explorer import widgets
from dashboard.explorer.draft import Draft
from dashboard.markup import literal
from dashboard.views.formulas import pointed
from dashboard.views.picks import Formula
from stockverify.errors import BadInput

_EXAMPLE = "(verified_qty - book_qty) * unit_cost"
LANGUAGE = (
    "Fields, numbers and 'texts in quotes'; + - * / and brackets; = != < <= > >=; and, or, not. The result is a "
    "number, or yes or no. Where a field has no value, the result has none."
)


def draw(draft: Draft, formulas: Sequence[Formula]) -> tuple[Formula, ...]:
    """All of them as they are now, without the one that was taken away."""
    drawn = [_row(draft, index, formula) for index, formula in enumerate(formulas)]
    kept = tuple(formula for formula, gone in drawn if not gone)
    full = len(kept) >= MAX_CALCULATED
    key = draft.key("calc add")
    wanted = st.button("Add a calculated field", icon=":material/add:", key=key, disabled=full)
    st.caption(literal(LANGUAGE))
    return (*kept, Formula()) if wanted else kept


def told(error: BadInput, texts: Mapping[str, str]) -> None:
    """What is wrong, where, and what to do."""
    st.error(literal(error.message), icon=":material/error:")
    if (place := pointed(error, texts)) is not None:
        st.code(place, language=None)


def _row(draft: Draft, index: int, formula: Formula) -> tuple[Formula, bool]:
    left, middle, right = st.columns([31, 69, 8], vertical_alignment="bottom", gap="xsmall")
    look = {"label_visibility": "visible" if index == 0 else "collapsed"}
    name = widgets.text(
        left, "Name", draft.key(f"calc name {index}"), formula.name, placeholder="shortage_cost", **look
    )
    text = widgets.text(
        middle, "Expression", draft.key(f"calc text {index}"), formula.text, placeholder=_EXAMPLE, **look
    )
    gone = right.button(
        ":material/close:", key=draft.key(f"calc gone {index}"), help="Take this field away", type="tertiary"
    )
    return Formula(name, text), gone
