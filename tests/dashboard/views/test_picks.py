"""What is picked is a query, and any query can be picked."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings

from analytics.query import checked
from analytics.query.calculated.syntax import BadExpression
from analytics.query.model import Condition, Function, Operator, Query
from analytics.query.templates import templates
from dashboard.views.lines import Line, NothingToPick
from dashboard.views.picks import Formula, NameTwice, Picks, SortKey, fields_of, in_zone, picks_of, sortable, spec_of
from dashboard.views.questions import Measure
from dashboard.views.relations import Relation
from stockverify.datasets import POSITIONS, Type
from stockverify.errors import BadInput
from stockverify.wire.reports import GroupBy, QuerySpec
from tests.analytics.query.drawn import specs

BERLIN = ZoneInfo("Europe/Berlin")
LOSS = Formula("loss", "(verified_qty - book_qty) * unit_cost")
PICKED = Picks(
    collection="positions",
    calculated=(LOSS, Formula("", "waits")),
    filters=(Line("counted", Relation.IS, ("yes",)), Line("loss", Relation.BELOW, ("0",)), Line()),
    keys=("floor", GroupBy(field="counted_at", by="week", zone="Europe/Berlin")),
    measures=(Measure("loss", Function.SUM), Measure("item_code", Function.COUNT_DISTINCT)),
    having=(Line("loss_sum", Relation.BELOW, ("-10",)),),
    sort=(SortKey("loss_sum"), SortKey("floor", down=True)),
    limit=20,
)
ASKED = QuerySpec(
    collection="positions",
    calculated={"loss": LOSS.text},
    filters={"counted": {"eq": True}, "loss": {"lt": 0.0}},
    group_by=["floor", GroupBy(field="counted_at", by="week", zone="Europe/Berlin")],
    aggregations={"loss": "sum", "item_code": "count_distinct"},
    having={"loss_sum": {"lt": -10.0}},
    sort={"loss_sum": 1, "floor": -1},
    limit=20,
)


def meaning(query: Query) -> tuple[object, ...]:
    """A query without what is said twice in it, or in one of two ways."""
    return (
        query.calculated,
        {_plain(each) for each in query.conditions} - {None},
        query.group_by,
        set(query.measures),
        {_plain(each) for each in query.having} - {None},
        query.order,
        query.limit,
        query.skip,
    )


def _plain(condition: Condition) -> Condition | None:
    name, operator, value = condition.column, condition.operator, condition.value
    if operator is Operator.NIN and value == ():
        return None
    if operator is Operator.IS_NULL:
        return Condition(name, Operator.EXISTS, not value)
    if value is None:
        return Condition(name, Operator.EXISTS, operator is Operator.NE)
    return condition


def test_what_is_picked_is_asked_and_what_waits_is_not() -> None:
    assert spec_of(PICKED, BERLIN) == ASKED


def test_a_query_is_picked_as_it_was() -> None:
    done = PICKED._replace(calculated=(LOSS,), filters=PICKED.filters[:2])
    assert picks_of(ASKED, BERLIN) == done


@settings(max_examples=100, deadline=None)
@given(specs())
def test_any_query_can_be_picked_and_means_the_same(spec: QuerySpec) -> None:
    try:
        picks = picks_of(spec, BERLIN)
    except NothingToPick:
        assume(False)
    again = spec_of(picks, BERLIN)
    assert meaning(checked(again)) == meaning(checked(spec))
    assert picks_of(again, BERLIN) == picks


@pytest.mark.parametrize("template", templates("Europe/Berlin"), ids=lambda each: each.name)
def test_templates_can_be_picked(template) -> None:  # type: ignore[no-untyped-def]
    again = spec_of(picks_of(template.query_spec, BERLIN), BERLIN)
    assert meaning(checked(again)) == meaning(checked(template.query_spec))


def test_calculated_fields_are_offered_with_their_type() -> None:
    fields, wrong = fields_of(PICKED)
    assert wrong is None
    assert fields["loss"].type is Type.FLOAT


def test_a_formula_that_cannot_be_read_keeps_its_name_while_it_is_mended() -> None:
    fields, wrong = fields_of(Picks(calculated=(Formula("loss", "1 +"), Formula("floor", "2"))))
    assert list(fields) == [*POSITIONS.names, "loss"]
    assert isinstance(wrong, BadInput)
    with pytest.raises(BadExpression, match="it ends at character 4"):
        spec_of(Picks(calculated=(Formula("loss", "1 +"),)), BERLIN)


def test_two_formulas_of_one_name_are_refused() -> None:
    with pytest.raises(NameTwice, match="loss"):
        spec_of(Picks(calculated=(LOSS, Formula(" loss ", "1"))), BERLIN)


def test_conditions_on_groups_wait_until_there_are_groups() -> None:
    assert spec_of(Picks(having=PICKED.having), BERLIN) == QuerySpec(collection="positions")


def test_days_move_to_another_zone_together() -> None:
    moved = in_zone(PICKED, "UTC").keys
    assert moved == ("floor", GroupBy(field="counted_at", by="week", zone="UTC"))


def test_rows_sort_by_what_has_an_order() -> None:
    picks = Picks("verification_records")
    fields, _ = fields_of(picks)
    assert "serial_numbers" not in sortable(picks, fields, {})
