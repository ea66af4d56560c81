"""The overview, over real Parquet."""

import polars as pl
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import Stocked, metrics, texts
from tests.dashboard.expected import figures


def test_the_tiles_agree_with_mongodb(supervised: AppTest, stocked: Stocked) -> None:
    assert metrics(supervised) == figures(stocked.database).tiles


def test_the_page_names_its_snapshot_its_zone_and_its_age(supervised: AppTest, stocked: Stocked) -> None:
    written = texts(supervised)
    assert stocked.newer.snapshot_id in written
    assert "Noon count" in written
    assert ":green-badge[Latest]" in written
    assert any(zone in written for zone in ("CET", "CEST"))
    assert "ago" in written or "just now" in written


def test_changes_are_those_since_the_previous_snapshot(supervised: AppTest) -> None:
    deltas = {metric.label: metric.delta for metric in supervised.metric}
    assert (deltas["Lines counted"], deltas["Progress"]) == ("+139", "+23.2 pts")


def test_an_older_snapshot_says_that_it_is_not_the_latest(supervised: AppTest, stocked: Stocked) -> None:
    picker = next(box for box in supervised.selectbox if box.label == "Snapshot")
    picker.set_value(stocked.older.snapshot_id).run()
    assert supervised.query_params["snapshot"] == stocked.older.snapshot_id
    assert metrics(supervised)["Lines counted"] == "185 / 596"
    written = texts(supervised)
    assert ":orange-badge[Not the latest]" in written
    assert "There is no earlier snapshot to compare with." in written
    assert stocked.newer.snapshot_id not in written


def test_the_pace_of_counting_is_told(supervised: AppTest) -> None:
    assert any("items per hour, breaks left out. Time to sync: " in text.value for text in supervised.caption)


def test_biggest_variances_and_racks_are_tables(supervised: AppTest) -> None:
    racks, biggest = (pl.from_pandas(frame.value) for frame in supervised.dataframe)
    assert racks.height == 44
    assert biggest.columns[:3] == ["rack_id", "item_code", "variance_value"]
    assert biggest["variance_value"].abs().to_list() == sorted(biggest["variance_value"].abs().to_list(), reverse=True)
    assert f"First {biggest.height} of 70 lines" in texts(supervised)


def test_what_needs_attention_names_racks_as_plain_text(supervised: AppTest, stocked: Stocked) -> None:
    written = texts(supervised)
    assert f"**{figures(stocked.database).untouched_racks} racks not counted at all**" in written
    assert "1 record of unknown items" in written
