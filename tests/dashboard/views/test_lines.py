"""Lines of filters: what they ask, and the lines of a query."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.query import checked
from analytics.query.model import Operator
from dashboard.views.lines import Line, NothingToPick, TwiceTheSame, conditions_of, lines_of
from dashboard.views.relations import ALONE, OPERATORS, Relation, relations
from dashboard.views.values import UnreadableValue, read, written
from stockverify.datasets import DATASETS, POSITIONS, RECORDS, Column, Type
from stockverify.wire.reports import QuerySpec

BERLIN = ZoneInfo("Europe/Berlin")
FIELDS = {column.name: column for column in (*POSITIONS.columns, *RECORDS.columns)}


def line(name: str, relation: Relation, *texts: str) -> Line:
    """A line on a column of the records or the positions."""
    return Line(name, relation, texts)


@pytest.mark.parametrize(
    ("wanted", "spec"),
    [
        (line("item_code", Relation.IS, " 00123 "), {"item_code": {"eq": "00123"}}),
        (line("item_code", Relation.IS, '" 00123 "'), {"item_code": {"eq": " 00123 "}}),
        (line("item_code", Relation.IS, '""'), {"item_code": {"eq": ""}}),
        (line("item_code", Relation.CONTAINS, "a.b (1)"), {"item_code": {"contains": "a.b (1)"}}),
        (line("item_code", Relation.FINDS, "a.b (1)"), {"item_code": {"regex": r"a\.b\ \(1\)"}}),
        (line("item_code", Relation.STARTS_WITH, "00"), {"item_code": {"starts_with": "00"}}),
        (line("item_code", Relation.MATCHES, "^A"), {"item_code": {"regex": "^A"}}),
        (line("item_code", Relation.ANY_OF, "a, b", " ", "(empty)"), {"item_code": {"in": ["a, b", None]}}),
        (line("item_code", Relation.NONE_OF, "a", '"(empty)"'), {"item_code": {"nin": ["a", "(empty)"]}}),
        (line("bin", Relation.EMPTY), {"bin": {"in": ["", None]}}),
        (line("bin", Relation.FILLED), {"bin": {"nin": ["", None]}}),
        (line("book_qty", Relation.AT_LEAST, "2.5"), {"book_qty": {"gte": 2.5}}),
        (line("book_qty", Relation.BETWEEN, "1", "1e3"), {"book_qty": {"between": [1.0, 1000.0]}}),
        (line("verified_qty", Relation.MISSING), {"verified_qty": {"is_null": True}}),
        (line("verified_qty", Relation.PRESENT), {"verified_qty": {"exists": True}}),
        (line("counted", Relation.IS, "yes"), {"counted": {"eq": True}}),
        (line("counted_at", Relation.BELOW, "2026-01-31 18:00"), {"counted_at": {"lt": "2026-01-31T17:00:00+00:00"}}),
        (line("counted_at", Relation.BELOW, "2026-01-31T18:00Z"), {"counted_at": {"lt": "2026-01-31T18:00:00+00:00"}}),
    ],
)
def test_what_a_line_asks(wanted: Line, spec: dict[str, Any]) -> None:
    assert conditions_of([wanted], FIELDS, BERLIN) == spec


@pytest.mark.parametrize(
    "waiting",
    [
        Line(),
        line("item_code", Relation.IS, "  "),
        line("item_code", Relation.IS),
        line("book_qty", Relation.BETWEEN, "1", ""),
        line("item_code", Relation.ANY_OF, " "),
        line("gone", Relation.IS, "a"),
    ],
)
def test_a_line_without_a_field_or_a_value_waits(waiting: Line) -> None:
    assert conditions_of([waiting], FIELDS, BERLIN) == {}


def test_two_questions_about_one_field_go_together() -> None:
    both = [line("book_qty", Relation.AT_LEAST, "1"), line("book_qty", Relation.BELOW, "5")]
    assert conditions_of(both, FIELDS, BERLIN) == {"book_qty": {"gte": 1.0, "lt": 5.0}}


def test_the_same_question_twice_is_refused() -> None:
    twice = [line("book_qty", Relation.IS, "1"), line("book_qty", Relation.IS, "2")]
    with pytest.raises(TwiceTheSame, match="book_qty"):
        conditions_of(twice, FIELDS, BERLIN)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("book_qty", "many", "a number"),
        ("book_qty", "nan", "a number"),
        ("book_qty", "-inf", "a number"),
        ("counted_at", "noon", "Europe/Berlin"),
        ("counted_at", "0001-01-01 00:00", "a time"),
        ("counted", "perhaps", "yes or no"),
    ],
)
def test_a_value_that_cannot_be_read_is_named_with_what_is_needed(name: str, text: str, wanted: str) -> None:
    with pytest.raises(UnreadableValue, match=wanted) as error:
        conditions_of([line(name, Relation.IS, text)], FIELDS, BERLIN)
    assert name in error.value.message


_SAMPLES = {Type.FLOAT: "1.5", Type.INTEGER: "1", Type.BOOLEAN: "no", Type.INSTANT: "2026-01-31"}


@pytest.mark.parametrize(
    ("dataset", "column"),
    [(dataset, column) for dataset in DATASETS.values() for column in dataset.columns],
    ids=lambda part: part.name,
)
def test_everything_that_is_offered_can_be_asked_and_is_the_same_line_again(dataset: Any, column: Column) -> None:
    sample = _SAMPLES.get(column.type, "x")
    for relation in relations(column.type):
        texts = () if relation in ALONE else (sample, sample) if relation is Relation.BETWEEN else (sample,)
        wanted = Line(column.name, relation, texts)
        filters = conditions_of([wanted], {column.name: column}, BERLIN)
        [again] = lines_of(checked(QuerySpec(collection=dataset.name, filters=filters)).conditions, BERLIN)
        assert conditions_of([again], {column.name: column}, BERLIN) == filters
        assert again.relation is (Relation.FINDS if relation is Relation.MATCHES else relation)


def test_every_operator_of_a_query_can_be_picked() -> None:
    offered = {OPERATORS[relation] for kind in Type for relation in relations(kind)}
    assert offered == set(Operator)


def test_a_list_without_values_cannot_be_picked_and_none_of_them_asks_nothing() -> None:
    query = checked(QuerySpec(collection="positions", filters={"floor": {"nin": []}}))
    assert lines_of(query.conditions, BERLIN) == ()
    with pytest.raises(NothingToPick, match="floor"):
        lines_of(checked(QuerySpec(collection="positions", filters={"floor": {"in": []}})).conditions, BERLIN)


@given(st.text())
def test_any_text_is_written_so_that_it_is_read_again(text: str) -> None:
    assert read(Column("floor", Type.STRING, ""), written(text, BERLIN), BERLIN) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_is_written_so_that_it_is_read_again(number: float) -> None:
    assert read(Column("mrp", Type.FLOAT, ""), written(number, BERLIN), BERLIN) == number


@given(st.datetimes(timezones=st.just(UTC)))
def test_any_instant_is_written_so_that_it_is_read_again(moment: datetime) -> None:
    again = read(Column("received_at", Type.INSTANT, ""), written(moment, BERLIN), BERLIN)
    assert datetime.fromisoformat(again) == moment


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-01-31T17:00:00+00:00", "2026-01-31 18:00"),
        ("2026-01-31T17:00:00.250+00:00", "2026-01-31 18:00:00.250000"),
        ("2026-10-25T00:30:00+00:00", "2026-10-25 02:30"),
        ("2026-10-25T01:30:00+00:00", "2026-10-25 01:30:00+00:00"),
    ],
    ids=["winter", "milliseconds", "the first half past two", "the second one"],
)
def test_instants_are_those_of_the_clock_on_the_wall(moment: str, text: str) -> None:
    assert written(datetime.fromisoformat(moment), BERLIN) == text
