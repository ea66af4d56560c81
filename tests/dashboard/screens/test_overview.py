"""The overview, over real Parquet."""

import json
import re
from urllib.parse import parse_qsl

import msgspec
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from analytics.query import checked, run
from dashboard.api import ServiceAway
from dashboard.desk import Desk
from dashboard.markup import literal
from dashboard.views.conflicts import waiting
from stockverify import page_links
from stockverify.wire.conflicts import ConflictStats
from tests.dashboard.conftest import OpenApp, Stocked, metrics, sign_in, texts
from tests.dashboard.expected import figures
from tests.ingest import settling
from tests.service import Service

TITLES = re.compile(r"\*\*(\d+ (?:rack|record|line)s? [^*]+)\*\*")


def test_the_tiles_agree_with_mongodb(supervised: AppTest, stocked: Stocked) -> None:
    assert metrics(supervised) == figures(stocked.database).tiles


def test_the_page_names_its_snapshot_its_zone_and_its_age(supervised: AppTest, stocked: Stocked) -> None:
    written = texts(supervised)
    assert stocked.newer.snapshot_id in written
    assert "Noon count" in written
    assert ":green-badge[Latest]" in written
    assert any(zone in written for zone in ("CET", "CEST"))
    assert "ago" in written or "just now" in written


def test_amounts_name_the_currency_of_the_house(open_app: OpenApp, stocked: Stocked, service: Service) -> None:
    at = sign_in(open_app(msgspec.structs.replace(stocked.settings, currency="EUR")), service.person("supervisor"))
    assert {"Net variance, EUR", "Gross variance, EUR", "Shrinkage, EUR"} <= set(metrics(at))
    named = [chart.proto.spec for chart in at.get("vega_lite_chart") if "EUR" in chart.proto.spec]
    assert len(named) == 3, "the waterfall, the racks and the trend"
    assert not [chart for chart in at.get("vega_lite_chart") if "currency" in chart.proto.spec]
    assert ["Variance value (EUR)" in frame.proto.columns for frame in at.dataframe] == [False, True]


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
    assert biggest.columns[:4] == ["go", "rack_id", "item_code", "variance_value"]
    assert biggest["variance_value"].abs().to_list() == sorted(biggest["variance_value"].abs().to_list(), reverse=True)
    assert f"First {biggest.height} of 70 lines" in texts(supervised)


def test_each_thing_that_needs_attention_leads_to_its_rows(supervised: AppTest, stocked: Stocked) -> None:
    said = {title: int(title.split()[0]) for title in TITLES.findall(texts(supervised))}
    assert len(said) == 6
    links = [link for link in supervised.get("page_link") if link.proto.page == "explore"]
    for link, (title, number) in zip(links, said.items(), strict=True):
        query = dict(parse_qsl(link.proto.query_string))
        assert query["snapshot"] == stocked.newer.snapshot_id
        rows = run(stocked.lake, stocked.newer.snapshot_id, checked(page_links.question(query["question"]))).frame
        assert rows["rack_id"].n_unique() == number if " counted " in title else rows.height == number, title


def test_trends_lead_up_to_the_snapshot_that_is_shown(supervised: AppTest, stocked: Stocked) -> None:
    assert "**Progress\\, snapshot by snapshot**" in texts(supervised)
    assert "One snapshot is no trend yet" not in texts(supervised)
    next(box for box in supervised.selectbox if box.label == "Snapshot").set_value(stocked.older.snapshot_id).run()
    assert texts(supervised).count("One snapshot is no trend yet") == 2


def test_titles_of_charts_are_texts_of_the_page(supervised: AppTest) -> None:
    drawn = supervised.get("vega_lite_chart")
    assert len(drawn) == 7
    for chart in drawn:
        assert "title" not in json.loads(chart.proto.spec), "it would be cut where the card ends"
        assert f"**{literal(chart.proto.alt)}**" in texts(supervised)


def test_what_needs_attention_names_racks_as_plain_text(supervised: AppTest, stocked: Stocked) -> None:
    written = texts(supervised)
    assert f"**{figures(stocked.database).untouched_racks} racks not counted at all**" in written
    assert "1 record of unknown items" in written


def test_what_waits_for_an_answer_now_is_counted_and_leads_there(supervised: AppTest, service: Service) -> None:
    pending = service.admin.get("/api/sync/conflicts/stats").json()["data"]["pending"]
    settling.concurrent_edit(service)
    supervised.run()
    ways = {link.proto.page: link.proto.label for link in supervised.get("page_link")}
    assert ways["conflicts"] == waiting(pending + 1)
    assert "look at" in ways["anomalies"]
    assert "Live" in texts(supervised)


def test_the_overview_stands_while_nobody_can_say_what_waits(
    supervised: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(desk: Desk) -> ConflictStats:
        raise ServiceAway(url="http://service.example")

    monkeypatch.setattr("dashboard.calls.conflicts.stats", away)
    supervised.run()
    assert "Nobody can say what waits just now" in texts(supervised)
    assert "Biggest variances" in texts(supervised)


def test_a_row_of_racks_leads_to_its_lines(supervised: AppTest, stocked: Stocked) -> None:
    racks = supervised.dataframe[0].value
    assert set(racks["go"]) == {":material/arrow_forward:"}, "what stands in cells comes from outside"
    supervised.session_state[f"rack of {stocked.newer.snapshot_id}"] = {"row": 3, "label": ""}
    supervised.run()
    assert supervised.title[0].value == "Explore"
    asked = page_links.question(str(supervised.query_params["question"]))
    assert asked.filters == {name: {"eq": racks[name][3]} for name in ("floor", "rack_id")}
