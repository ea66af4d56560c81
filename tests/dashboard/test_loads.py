"""What pages read, against MongoDB read in plain Python."""

import msgspec
import polars as pl
import pytest

from analytics.figures import EXACT
from analytics.glance.attention import Doubts
from analytics.glance.findings import BIGGEST
from analytics.query import checked, run
from dashboard import loads
from stockverify.datasets import POSITIONS
from stockverify.vocabulary import Collection
from stockverify.wire.reports import QuerySpec
from tests.dashboard.conftest import Stocked


def test_doubts_of_the_newest_snapshot(stocked: Stocked) -> None:
    partial = stocked.database[Collection.RECORDS].count_documents({"status": "partial"})
    assert loads.doubts(stocked.settings.lake, stocked.newer.snapshot_id) == Doubts(
        not_in_book=1, without_cost=1, unknown_items=1, partial_records=partial
    )


@pytest.mark.parametrize("which", ["older", "newer"])
def test_the_biggest_variances_are_those_of_all_lines(stocked: Stocked, which: str) -> None:
    snapshot_id = getattr(stocked, which).snapshot_id
    rows = run(stocked.lake, snapshot_id, checked(QuerySpec(collection=POSITIONS.name))).frame
    varied = rows.filter(pl.col("variance_value") != 0)
    sizes = sorted(varied["variance_value"].abs().to_list(), reverse=True)
    found = loads.biggest(stocked.settings.lake, snapshot_id)
    assert found.rows["variance_value"].abs().to_list() == sizes[:BIGGEST]
    assert found.total == len(sizes)
    assert found.rows.select(POSITIONS.key).is_duplicated().any() is False


@pytest.mark.parametrize(
    ("spec", "number"),
    [
        (QuerySpec(collection="positions"), 597),
        (QuerySpec(collection="positions", filters={"counted": True}), 324),
        (QuerySpec(collection="positions", filters={"item_code": "nothing"}), 0),
        (QuerySpec(collection="positions", group_by=["floor"], aggregations={"item_code": "count"}), 4),
        (QuerySpec(collection="positions", skip=5, sort={"item_code": 1}), 592),
        (QuerySpec(collection="positions", limit=10, skip=5), 10),
        (QuerySpec(collection="positions", limit=10, skip=590), 7),
        (QuerySpec(collection="positions", skip=600), 0),
    ],
)
def test_sizes_are_those_of_the_whole_question(stocked: Stocked, spec: QuerySpec, number: int) -> None:
    assert loads.size(stocked.settings.lake, stocked.newer.snapshot_id, msgspec.json.encode(spec)) == number


def test_two_snapshots_never_share_what_is_kept(stocked: Stocked) -> None:
    root = stocked.settings.lake
    pages = [
        loads.overview(root, freeze.snapshot_id, EXACT).totals.counted_lines
        for freeze in (stocked.older, stocked.newer)
    ]
    assert pages == [185, 324]
