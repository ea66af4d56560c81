"""From the filter panel to a query spec."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics.query import checked
from dashboard.views.questions import (
    Filter,
    Measure,
    OneFunctionEach,
    Relation,
    TwiceTheSame,
    UnreadableValue,
    aggregations_of,
    filters_of,
    groupable,
    measures,
    relations,
)
from stockverify.datasets import DATASETS, POSITIONS, RECORDS, Column, Type
from stockverify.wire.reports import QuerySpec

BERLIN = ZoneInfo("Europe/Berlin")


def line(name: str, relation: Relation, text: str = "") -> Filter:
    """A filter on a column of the records or the positions."""
    column = POSITIONS.column(name) or RECORDS.column(name)
    assert column is not None
    return Filter(column, relation, text)


@pytest.mark.parametrize(
    ("wanted", "spec"),
    [
        (line("item_code", Relation.IS, " 00123 "), {"item_code": {"eq": "00123"}}),
        (line("item_code", Relation.CONTAINS, "a.b (1)"), {"item_code": {"regex": r"a\.b\ \(1\)"}}),
        (line("item_code", Relation.MATCHES, "^A"), {"item_code": {"regex": "^A"}}),
        (line("item_code", Relation.ANY_OF, "a, b,,"), {"item_code": {"in": ["a", "b"]}}),
        (line("item_code", Relation.NONE_OF, "a"), {"item_code": {"nin": ["a"]}}),
        (line("bin", Relation.EMPTY), {"bin": {"in": ["", None]}}),
        (line("bin", Relation.FILLED), {"bin": {"nin": ["", None]}}),
        (line("book_qty", Relation.AT_LEAST, "2.5"), {"book_qty": {"gte": 2.5}}),
        (line("verified_qty", Relation.EMPTY), {"verified_qty": {"exists": False}}),
        (line("counted", Relation.IS, "yes"), {"counted": {"eq": True}}),
        (line("counted_at", Relation.BELOW, "2026-01-31 18:00"), {"counted_at": {"lt": "2026-01-31T18:00:00+01:00"}}),
        (line("counted_at", Relation.BELOW, "2026-01-31T18:00Z"), {"counted_at": {"lt": "2026-01-31T18:00:00+00:00"}}),
        (line("item_code", Relation.IS, "  "), {}),
    ],
)
def test_filters(wanted: Filter, spec: dict[str, Any]) -> None:
    assert filters_of([wanted], BERLIN) == spec


def test_two_questions_about_one_column_go_together() -> None:
    both = [line("book_qty", Relation.AT_LEAST, "1"), line("book_qty", Relation.BELOW, "5")]
    assert filters_of(both, BERLIN) == {"book_qty": {"gte": 1.0, "lt": 5.0}}


def test_the_same_question_twice_is_refused() -> None:
    twice = [line("book_qty", Relation.IS, "1"), line("book_qty", Relation.IS, "2")]
    with pytest.raises(TwiceTheSame, match="book_qty"):
        filters_of(twice, BERLIN)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [("book_qty", "many", "a number"), ("counted_at", "noon", "Europe/Berlin"), ("counted", "perhaps", "yes or no")],
)
def test_a_value_that_cannot_be_read_is_named_with_what_is_needed(name: str, text: str, wanted: str) -> None:
    with pytest.raises(UnreadableValue, match=wanted) as error:
        filters_of([line(name, Relation.IS, text)], BERLIN)
    assert name in error.value.message


def test_one_function_per_column() -> None:
    assert aggregations_of([Measure("book_qty", "sum"), Measure("round", "max")]) == {"book_qty": "sum", "round": "max"}
    with pytest.raises(OneFunctionEach, match="book_qty"):
        aggregations_of([Measure("book_qty", "sum"), Measure("book_qty", "avg")])


_SAMPLES = {Type.FLOAT: "1.5", Type.INTEGER: "1", Type.BOOLEAN: "no", Type.INSTANT: "2026-01-31"}


@pytest.mark.parametrize(
    ("dataset", "column"),
    [(dataset, column) for dataset in DATASETS.values() for column in dataset.columns],
    ids=lambda part: part.name,
)
def test_everything_that_the_panel_offers_can_be_asked(dataset: Any, column: Column) -> None:
    for relation in relations(column.type):
        wanted = Filter(column, relation, _SAMPLES.get(column.type, "x"))
        checked(QuerySpec(collection=dataset.name, filters=filters_of([wanted], BERLIN)))


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.name)
def test_every_group_and_figure_that_the_panel_offers_can_be_asked(dataset: Any) -> None:
    checked(QuerySpec(collection=dataset.name, group_by=groupable(dataset)))
    for measure in measures(dataset):
        checked(QuerySpec(collection=dataset.name, aggregations=aggregations_of([measure])))
