"""Uploaded lists in words and tables."""

import polars as pl
import pytest

from dashboard.views import imports as views
from stockverify.stocklist.columns import COLUMNS
from stockverify.vocabulary import ImportStatus
from stockverify.wire.imports import BadRow, ImportListed, LineChange, ListHeading, Recognised


def recognised(**columns: str) -> Recognised:
    return Recognised(
        kind="csv",
        encoding="cp1252",
        delimiter="\t",
        sheet=None,
        sheets=[],
        headings=[],
        columns=columns,
        rows=1234,
    )


def test_how_a_file_was_read() -> None:
    assert views.read_as(recognised()) == "CSV, cp1252, tab between cells, 1,234 rows below the heading"


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({}, "Choose which column holds Rack, Item code and Book quantity above."),
        ({"rack_id": "R", "book_qty": "Q"}, "Choose which column holds Item code above."),
        ({"rack_id": "R", "item_code": "I", "book_qty": "Q"}, "as it was told"),
    ],
)
def test_columns_that_were_not_chosen_are_named_as_on_the_form(columns: dict[str, str], told: str) -> None:
    assert views.problem(recognised(**columns), "as it was told").startswith(told)
    assert views.problem(None, "no text at all") == "no text at all"


def test_headings_that_cannot_be_told_apart_are_not_offered() -> None:
    headings = [
        ListHeading(name=name, samples=samples) for name, samples in [("A", ["1", "2"]), ("B", []), ("", ["x"])]
    ]
    assert views.choices([*headings, headings[1]]) == {"A": "A · 1, 2"}
    assert views.choices(headings) == {"A": "A · 1, 2", "B": "B"}


def test_every_column_of_ours_can_be_chosen_and_three_must_be() -> None:
    assert [name for name, _ in views.asked_for()] == list(COLUMNS)
    assert [title for _, title in views.asked_for() if title.endswith("*")] == [
        "Rack *",
        "Item code *",
        "Book quantity *",
    ]


def test_what_changes_is_told_value_by_value() -> None:
    changes = {"book_qty": [3.0, 4.5], "item_name": [None, "Bolt"], "mrp": [1234.5, None]}
    line = LineChange(line=2, rack_id="R", bin="", item_code="A", changes=changes)
    told = "Book quantity: 3 → 4.5, Item name: – → Bolt, List price: 1,234.5 → –"
    assert views.lines([line]).rows() == [(2, "R", "", "A", told)]


def test_a_row_that_is_bad_as_a_whole_says_so() -> None:
    row = BadRow(line=9, column="", value="11", reason="columns in this row")
    assert views.bad_rows([row]).rows() == [(9, "whole row", "11", "columns in this row")]


def test_all_states_have_words_and_no_list_is_a_table_too() -> None:
    assert set(views.STATES) == set(ImportStatus)
    assert views.listed([]).schema["created_at"] == pl.Datetime("ms", "UTC")
    one = ImportListed(import_id="i", file="f", bytes=1, status="open", created_by="ann", created_at=0.0)
    assert views.listed([one])["state"].to_list() == ["Checked, not imported"]
