"""Draws lines of filters: field, relation, and as many values as it takes."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.query.calculated.model import Field
from dashboard.explorer import widgets
from dashboard.explorer.draft import Draft
from dashboard.views.lines import Line
from dashboard.views.relations import ALONE, SEVERAL, Relation, relations
from dashboard.views.values import MISSING
from stockverify.datasets import Type

MOST = 20
_HINTS = {Type.INSTANT: "2026-01-31 18:00", Type.FLOAT: "2.5", Type.INTEGER: "1", Type.STRING: "text"}
_WIDTHS = [31, 29, 40, 8]

Suggest = Callable[[Field], Sequence[str]]


class Lines:
    """Lines of one kind, `filters` or `having`, on these fields."""

    def __init__(self, draft: Draft, kind: str, fields: Mapping[str, Field], suggest: Suggest) -> None:
        self.draft, self.kind, self.fields, self.suggest = draft, kind, fields, suggest
        self.of_groups = kind == "having"

    def draw(self, lines: Sequence[Line]) -> tuple[Line, ...]:
        """All of them as they are now, without the one that was taken away."""
        drawn = [self._row(index, line) for index, line in enumerate(lines)]
        if any(line.field and not line.complete for line, _ in drawn):
            st.caption("A line without a value is not applied.")
        kept = tuple(line for line, gone in drawn if not gone)
        what = "Add a condition" if self.of_groups else "Add a filter"
        wanted = st.button(what, icon=":material/add:", key=self._key("add", 0), disabled=len(kept) >= MOST)
        return (*kept, Line()) if wanted else kept

    def _key(self, part: str, index: int) -> str:
        return self.draft.key(f"{self.kind} {part} {index}")

    def _row(self, index: int, line: Line) -> tuple[Line, bool]:
        where, how, what, gone = st.columns(_WIDTHS, vertical_alignment="bottom", gap="xsmall")
        look = {"label_visibility": "visible" if index == 0 else "collapsed"}
        words, title = widgets.names(self.fields), "Groups with" if self.of_groups else "Filter"
        name = widgets.one(
            where, title, list(self.fields), self._key("field", index), line.field or None,
            placeholder="Choose a field", format_func=lambda each: words.get(each, each), **look,
        )  # fmt: skip
        taken = gone.button(
            ":material/close:", key=self._key("gone", index), help="Take this line away", type="tertiary"
        )
        if name is None:
            return Line(), taken
        field = self.fields[name]
        choices = relations(field.type, self.of_groups)
        seed = line.relation if line.relation in choices else choices[0]
        key = self._key(f"relation {field.type}", index)
        relation = widgets.one(how, "Relation", choices, key, seed, **look) or choices[0]
        return Line(name, relation, self._values(what, index, field, relation, line.texts)), taken

    def _values(
        self, place: DeltaGenerator, index: int, field: Field, relation: Relation, typed: tuple[str, ...]
    ) -> tuple[str, ...]:
        if relation in ALONE:
            return ()
        key = self._key(f"value {field.name} {field.type}", index)
        if relation in SEVERAL:
            return self._several(place, index, field, typed)
        if field.type is Type.BOOLEAN:
            seed = typed[0] if typed else None
            return (self._yes_or_no(place, f"{key} yes", index, seed),)
        ends = ("From", "To") if relation is Relation.BETWEEN else ("Value",)
        places = place.columns(2) if len(ends) == 2 else (place,)
        seeds = (*typed, "", "")
        return tuple(
            widgets.text(
                spot, label, f"{key} {label}", seeds[number], placeholder=_HINTS.get(field.type, "one of the values"),
                help=_helps(field), max_chars=5000, label_visibility="visible" if index == 0 else "collapsed",
            )
            for number, (spot, label) in enumerate(zip(places, ends, strict=True))
        )  # fmt: skip

    def _yes_or_no(self, place: DeltaGenerator, key: str, index: int, seed: str | None) -> str:
        look = "visible" if index == 0 else "collapsed"
        return widgets.one(place, "Value", ("yes", "no"), key, seed, label_visibility=look) or ""

    def _several(self, place: DeltaGenerator, index: int, field: Field, typed: tuple[str, ...]) -> tuple[str, ...]:
        key = self._key(f"values {field.name} {field.type}", index)
        options = list(dict.fromkeys([*typed, *st.session_state.get(key, ()), *self.suggest(field), MISSING]))
        return widgets.several(
            place, "Values", options, key, typed, accept_new_options=True, placeholder="Choose or type values",
            label_visibility="visible" if index == 0 else "collapsed",
        )  # fmt: skip


def _helps(field: Field) -> str:
    meaning = getattr(field, "meaning", "") or "a calculated field"
    return f"{meaning}. Quotes keep blanks at the ends." if field.type is Type.STRING else meaning
