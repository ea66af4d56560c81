"""Figures and groups, in words and in the query."""

from typing import Any

import pytest

from analytics.query import checked
from analytics.query.model import Function
from dashboard.views.questions import Measure, aggregations_of, groupable, measures
from stockverify.datasets import DATASETS, Column, Type
from stockverify.wire.reports import QuerySpec

BOOK = Column("book_qty", Type.FLOAT, "units in the book")


def test_figures_of_one_field_go_together() -> None:
    picked = [Measure("book_qty", Function.SUM), Measure("round", Function.MAX), Measure("book_qty", Function.AVG)]
    assert aggregations_of(picked) == {"book_qty": ["sum", "avg"], "round": "max"}


@pytest.mark.parametrize(
    ("function", "label", "name"),
    [
        (Function.SUM, "Sum of book (units)", "book_qty_sum"),
        (Function.COUNT_DISTINCT, "Different values of book (units)", "book_qty_count_distinct"),
    ],
)
def test_a_figure_has_words_and_a_column(function: Function, label: str, name: str) -> None:
    figure = Measure("book_qty", function)
    assert (figure.label({"book_qty": "Book"}), figure.name) == (label, name)
    assert Measure("unit_cost", Function.AVG).label({}) == "Average of unit_cost", (
        "whatever has no words keeps its name"
    )


def test_numbers_come_first_and_every_function_is_offered() -> None:
    offered = measures([Column("floor", Type.STRING, ""), BOOK])
    assert [each.label({"book_qty": "Book"}) for each in offered[:2]] == [
        "Sum of book (units)",
        "Average of book (units)",
    ]
    assert {each.function for each in offered if each.field == "book_qty"} == set(Function)
    assert {each.function for each in offered if each.field == "floor"} == set(Function) - {Function.SUM, Function.AVG}


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.name)
def test_every_group_and_figure_that_is_offered_can_be_asked(dataset: Any) -> None:
    checked(QuerySpec(collection=dataset.name, group_by=groupable(dataset.columns)))
    offered = measures(dataset.columns)
    assert len(offered) == len(set(offered))
    for measure in offered:
        checked(QuerySpec(collection=dataset.name, aggregations=aggregations_of([measure])))
