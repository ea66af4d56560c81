"""Why a total moved: the parts add up to the change, exactly."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.compare import compare, contributions, moved, moved_between
from analytics.compare.contributions import (
    BY,
    Contribution,
    Contributions,
    NotSummable,
    Rest,
    UnknownPart,
    UnknownTotal,
    of_dataset,
)
from analytics.compare.summary import summary
from analytics.lake import Lake
from analytics.schema import arrow_schema
from stockverify.datasets import DATASETS, ITEMS, POSITIONS, RECORDS
from tests.analytics.conftest import Store, Take
from tests.analytics.stock import item, record

OF_POSITIONS = of_dataset(POSITIONS)
quantities = st.one_of(
    st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.1, 0.2, 1 / 3, 1e-7, -0.0, float("nan"), float("inf")])
)
NUMBERS = ("book_qty", "verified_qty", "damage_qty", "variance_qty", "variance_value", "unit_cost")
rows = st.fixed_dictionaries(
    {
        **{name: st.sampled_from(["a", "b", "c", "", None]) for name in BY},
        **dict.fromkeys(NUMBERS, quantities),
        "counted": st.booleans(),
    }
)
positions = st.lists(rows, max_size=12).map(
    lambda found: pl.DataFrame(found, schema_overrides=_SCHEMA).select(
        pl.col(name) if found and name in found[0] else pl.lit(None, kind).alias(name) for name, kind in _SCHEMA.items()
    )
)
_SCHEMA = dict(pl.DataFrame(arrow_schema(POSITIONS).empty_table()).schema)


def exact(found: Contributions) -> Decimal:
    """What the parts and the rest add up to."""
    return sum((Decimal(repr(part.change)) for part in (*found.parts, found.other)), Decimal())


@settings(deadline=None, max_examples=60)
@given(
    before=positions,
    after=positions,
    total=st.sampled_from(sorted(OF_POSITIONS.figures)),
    by=st.sampled_from(BY),
    limit=st.integers(0, 6),
)
def test_the_parts_add_up_to_the_change_of_the_total(
    before: pl.DataFrame, after: pl.DataFrame, total: str, by: str, limit: int
) -> None:
    sides = before.lazy(), after.lazy()
    found = contributions(OF_POSITIONS, *sides, total, by, limit)
    assert found.change == summary(POSITIONS, *sides)[total]
    assert exact(found) == Decimal(repr(found.change.absolute_diff))
    whole = contributions(OF_POSITIONS, *sides, total, by, 1000)
    assert found.parts == whole.parts[:limit]
    assert found.other.groups == len(whole.parts) - len(found.parts)
    assert [abs(part.change) for part in whole.parts] == sorted(
        (abs(part.change) for part in whole.parts), reverse=True
    )
    assert all(part.change != 0 for part in whole.parts)
    assert abs(whole.other.change) <= 1e-5, "what is left without others is only what rounding left"
    back = contributions(OF_POSITIONS, *reversed(sides), total, by, 1000)
    assert {part.group: -part.change for part in back.parts} == {part.group: part.change for part in whole.parts}


def test_a_recount_an_added_and_a_removed_line(take: Take, lake: Lake, db: Store) -> None:
    first = take(
        erp_items=[
            item("R1", "a", 10),
            item("R2", "b", 10, category="Paint"),
            item("R1", "gone", 1),
            item("R1", "c", 5),
        ],
        verification_records=[
            record("c-1", "R1", "a", 8),
            record("c-2", "R2", "b", 11),
            record("c-3", "R1", "gone", 0),
        ],
    ).snapshot_id
    db["verification_records"].update_one({"_id": "c-1"}, {"$set": {"verified_qty": 9.0, "username": "bob"}})
    db["erp_items"].delete_one({"item_code": "gone"})
    db["verification_records"].delete_one({"_id": "c-3"})
    second = take(verification_records=[record("c-4", "R1", "c", 4.5, username="bob")]).snapshot_id
    sides = [pl.scan_parquet(lake.files("positions", snapshot_id)) for snapshot_id in (first, second)]
    compared = compare(lake, first, second)
    change = compared.summary["net_variance_value"]
    assert (change.baseline, change.comparison) == (-5.0, -1.25)

    def divided(by: str, limit: int = 10) -> tuple[list[Contribution], Rest]:
        found = contributions(OF_POSITIONS, *sides, "net_variance_value", by, limit)
        assert (found.change, found.total, found.by) == (change, "net_variance_value", by)
        assert moved(lake, compared, None, by, limit) == found, "the rows that differ tell the same"
        assert moved_between(lake, (second, first), by=by).change.absolute_diff == -3.75, "nobody compared these"
        return found.parts, found.other

    by_item = [
        Contribution("a", -5.0, -2.5, 2.5),
        Contribution("gone", -2.5, 0.0, 2.5),
        Contribution("c", 0.0, -1.25, -1.25),
    ]
    assert divided("item_code") == (by_item, Rest(0, 0.0))
    assert divided("item_code", 1) == (by_item[:1], Rest(2, 1.25))
    assert divided("counted_by") == (
        [Contribution("ann", -5.0, 2.5, 7.5), Contribution("bob", 0.0, -3.75, -3.75)],
        Rest(0, 0.0),
    )
    assert divided("floor") == ([Contribution("Ground", -5.0, -1.25, 3.75)], Rest(0, 0.0))
    assert divided("category") == ([Contribution("Tools", -7.5, -3.75, 3.75)], Rest(0, 0.0))


def test_lines_that_nobody_counted_are_a_group_without_a_name(take: Take, lake: Lake) -> None:
    first = take(erp_items=[item("R1", "a", 10)]).snapshot_id
    second = take(verification_records=[record("c-1", "R1", "a", 8)]).snapshot_id
    sides = [pl.scan_parquet(lake.files("positions", snapshot_id)) for snapshot_id in (first, second)]
    found = contributions(OF_POSITIONS, *sides, "lines", "counted_by")
    assert found.parts == [Contribution(None, 1.0, 0.0, -1.0), Contribution("ann", 0.0, 1.0, 1.0)]
    assert (found.change.absolute_diff, found.other) == (0.0, Rest(0, 0.0))


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=list(DATASETS))
def test_every_total_of_a_comparison_that_adds_up_can_be_divided(dataset) -> None:  # type: ignore[no-untyped-def]
    empty = pl.DataFrame(arrow_schema(dataset).empty_table()).lazy()
    rows = of_dataset(dataset)
    assert list(rows.figures) == list(summary(dataset, empty, empty))
    assert not {"unit_cost_sum", "mrp_sum", "round_sum"} & rows.figures.keys(), "a sum of prices means nothing"
    assert set(rows.parts) <= set(dataset.names)
    for total in rows.figures:
        found = contributions(rows, empty, empty, total, rows.parts[0])
        assert (found.parts, found.other) == ([], Rest(0, 0.0))


def test_unknown_names_and_endless_totals_are_named() -> None:
    empty = pl.DataFrame(arrow_schema(ITEMS).empty_table()).lazy()
    with pytest.raises(UnknownTotal, match=r"'accuracy' is no total of erp_items .* use one of: rows, book_qty_sum\.$"):
        contributions(of_dataset(ITEMS), empty, empty, "accuracy", "floor")
    with pytest.raises(UnknownPart, match="cannot be divided by 'book_qty'; use one of: floor, rack_id"):
        contributions(of_dataset(ITEMS), empty, empty, "rows", "book_qty")
    records = pl.DataFrame(arrow_schema(RECORDS).empty_table()).lazy()
    endless = pl.DataFrame({"floor": ["G"], "verified_qty": [float("inf")]}).lazy()
    with pytest.raises(
        NotSummable, match=r"verified_qty_sum has no change that could be divided: it goes from 0\.0 to inf"
    ):
        contributions(of_dataset(RECORDS), records, endless, "verified_qty_sum", "floor")
