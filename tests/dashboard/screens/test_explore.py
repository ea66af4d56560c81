"""The Explore page over real Parquet: picking, the address, charts, and what goes wrong."""

import importlib
import json

import msgspec
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from analytics.query.model import Function
from analytics.query.sql import compiled
from analytics.watching import Stopped
from dashboard import waiting
from dashboard.views.picks import SortKey
from dashboard.views.questions import Measure
from stockverify.services.child import free_port
from stockverify.wire.reports import GroupBy
from tests.analytics.query.test_limits import ENDLESS
from tests.dashboard.conftest import OpenApp, Stocked, press, sign_in, texts
from tests.dashboard.screens.conftest import Page
from tests.dashboard.stock import HOSTILE_NAME, HOSTILE_RACK
from tests.service import Service

LOSS = {
    "collection": "positions",
    "calculated": {"loss": "(verified_qty - book_qty) * unit_cost"},
    "group_by": ["floor", "category"],
    "aggregations": {"loss": "sum", "variance_value": "sum", "item_code": "count"},
    "having": {"loss_sum": {"lt": -10}},
    "sort": {"floor": -1, "loss_sum": 1},
}


@pytest.fixture
def at(page: Page) -> AppTest:
    """The page of the newest snapshot, as a supervisor sees it."""
    return page("explore")


def many(at: AppTest, label: str):  # type: ignore[no-untyped-def]
    """The box of that name in which several are chosen."""
    return next(found for found in at.multiselect if found.label == label)


def box(at: AppTest, label: str, nth: int = 0):  # type: ignore[no-untyped-def]
    """The selection box of that name."""
    return [found for found in at.selectbox if found.label == label][nth]


def switch(at: AppTest, label: str, value: object) -> AppTest:
    """Choose one of a row of buttons."""
    return next(group for group in at.segmented_control if group.label == label).set_value(value).run()


def field(at: AppTest, label: str, nth: int = 0):  # type: ignore[no-untyped-def]
    """The text box of that name."""
    return [found for found in at.text_input if found.label == label][nth]


def question(at: AppTest) -> dict[str, object]:
    """What the address asks."""
    return dict(json.loads(at.query_params["question"]))


def rows(at: AppTest) -> pl.DataFrame:
    """The table."""
    return pl.DataFrame(at.dataframe[0].value.to_dict("list"))


def linked(open_app: OpenApp, stocked: Stocked, service: Service, asked: object, **query: str) -> AppTest:
    """The page as somebody sees it who got a link."""
    text = asked if isinstance(asked, str) else json.dumps(asked)
    return sign_in(open_app(stocked.settings, question=text, **query), service.person("auditor"), "explore")


def test_a_query_is_put_together_by_picking(at: AppTest, open_app: OpenApp, stocked: Stocked, service: Service) -> None:
    press(at, "Add a calculated field")
    field(at, "Name").set_value("loss").run()
    field(at, "Expression").set_value(LOSS["calculated"]["loss"]).run()  # type: ignore[index]
    many(at, "Group by").set_value(["floor", "category"]).run()
    assert question(at)["aggregations"] == {"item_code": "count"}, "groups without a figure are counted"
    assert "Sum of loss" in many(at, "Figures").options
    sums = [Measure(name, Function.SUM) for name in ("loss", "variance_value")]
    many(at, "Figures").set_value([*sums, Measure("item_code", Function.COUNT)]).run()
    press(at, "Add a condition")
    box(at, "Groups with").set_value("loss_sum").run()
    box(at, "Relation").set_value("is below").run()
    field(at, "Value").set_value("-10").run()
    many(at, "Sort by").set_value([SortKey("floor", down=True), SortKey("loss_sum")]).run()
    assert not at.exception
    assert question(at) == LOSS
    found = rows(at)
    assert found["loss_sum"].round(6).to_list() == found["variance_value_sum"].round(6).to_list()
    assert found.height > 1
    assert found["loss_sum"].max() < -10  # type: ignore[operator]
    assert found.equals(found.sort("floor", "loss_sum", descending=[True, False]))
    other = linked(open_app, stocked, service, at.query_params["question"], snapshot=at.query_params["snapshot"])
    assert rows(other).equals(found)
    assert "Expression" in [box.label for box in other.text_input]


def test_rows_are_counted_and_paged_and_have_no_chart(at: AppTest) -> None:
    assert "Showing rows 1 to 100 of 597." in texts(at)
    assert "group them" in texts(at)
    at.pagination[0].set_value(6).run()
    assert "Showing rows 501 to 597 of 597." in texts(at)


def test_lines_can_be_added_and_taken_away_and_keep_what_was_typed(at: AppTest) -> None:
    for number, name in enumerate(("item_code", "rack_id", "floor")):
        press(at, "Add a filter")
        box(at, "Filter", number).set_value(name).run()
    field(at, "Value", 0).set_value("=1+1").run()
    field(at, "Value", 1).set_value(HOSTILE_RACK).run()
    assert "A line without a value is not applied." in texts(at)
    assert question(at)["filters"] == {"item_code": {"eq": "=1+1"}, "rack_id": {"eq": HOSTILE_RACK}}
    assert rows(at)["item_name"].to_list() == [HOSTILE_NAME]
    next(button for button in at.button if button.help == "Take this line away").click().run()
    assert [found.value for found in at.text_input if found.label == "Value"] == [HOSTILE_RACK, ""]
    assert question(at)["filters"] == {"rack_id": {"eq": HOSTILE_RACK}}


def test_values_are_suggested_and_others_can_be_typed(at: AppTest) -> None:
    press(at, "Add a filter")
    box(at, "Filter").set_value("floor").run()
    box(at, "Relation").set_value("is any of").run()
    assert set(many(at, "Values").options) >= {"Ground Floor", "Warehouse", "(empty)"}
    many(at, "Values").set_value(["Warehouse", "Roof, north"]).run()
    assert question(at)["filters"] == {"floor": {"in": ["Warehouse", "Roof, north"]}}
    assert "of 220." in texts(at)


def test_days_are_grouped_in_a_zone(at: AppTest) -> None:
    switch(at, "Dataset", "verification_records")
    day = GroupBy(field="received_at", by="day", zone="Europe/Berlin")
    many(at, "Group by").set_value([day]).run()
    box(at, "Days in the zone").set_value("Pacific/Auckland").run()
    assert question(at)["group_by"] == [{"field": "received_at", "by": "day", "zone": "Pacific/Auckland"}]
    assert rows(at).columns == ["received_at_day", "client_record_id_count"]
    assert not at.exception


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ("book_qty +", "it ends at character 11", "book_qty +\n          ^"),
        ("bok_qty * 2", "is not a field of positions", "bok_qty * 2\n^"),
    ],
)
def test_a_formula_that_is_wrong_shows_where(at: AppTest, text: str, said: str, place: str) -> None:
    before = question(at)
    press(at, "Add a calculated field")
    field(at, "Name").set_value("x").run()
    field(at, "Expression").set_value(text).run()
    assert said in at.error[0].value.replace("\\", "")
    assert at.code[0].value == place
    assert (question(at), len(at.dataframe)) == (before, 0)
    field(at, "Expression").set_value("book_qty * 2").run()
    assert (len(at.error), "x" in at.dataframe[0].value.columns) == (0, True)


def test_a_value_that_cannot_be_read_is_explained(at: AppTest) -> None:
    press(at, "Add a filter")
    box(at, "Filter").set_value("book_qty").run()
    field(at, "Value").set_value("many").run()
    assert "It needs a number such as 12" in texts(at).replace("\\", "")
    assert len(at.dataframe) == 0


@pytest.mark.parametrize(
    "asked", ["{", '{"collection": "users"}', '{"collection": "positions", "filters": {"floor": {"$where": "1"}}}']
)
def test_a_damaged_link_says_so_and_leads_on(open_app: OpenApp, stocked: Stocked, service: Service, asked: str) -> None:
    at = linked(open_app, stocked, service, asked)
    assert "That cannot be asked" in texts(at)
    assert (len(at.dataframe), at.query_params["question"]) == (0, asked)
    press(at, "Start with an empty query")
    assert "of 597." in texts(at)


def test_a_limit_of_a_link_holds_and_one_beyond_all_rows_shows_none(
    open_app: OpenApp, stocked: Stocked, service: Service
) -> None:
    asked = {"collection": "positions", "limit": 7, "skip": 590}
    at = linked(open_app, stocked, service, asked)
    assert "Showing rows 1 to 7 of 7." in texts(at)
    at.query_params["question"] = json.dumps(asked | {"skip": 2**53})
    at.run()
    assert not at.exception
    assert "Showing rows 0 to 0 of 0." in texts(at)


def test_the_chart_shows_the_figure_of_the_link(open_app: OpenApp, stocked: Stocked, service: Service) -> None:
    at = linked(open_app, stocked, service, LOSS, figure="item_code_count")
    assert box(at, "The chart shows").value == "item_code_count"
    box(at, "The chart shows").set_value("variance_value_sum").run()
    assert at.query_params["figure"] == "variance_value_sum"
    box(at, "The chart shows").set_value("loss_sum").run()
    assert "figure" not in at.query_params


def test_the_question_is_still_there_after_looking_at_another_page(at: AppTest) -> None:
    many(at, "Group by").set_value(["floor"]).run()
    asked = at.query_params["question"]
    at.switch_page("screens/export.py").run()
    del at.query_params["question"]
    at.run()
    at.switch_page("screens/explore.py").run()
    assert at.query_params["question"] == asked
    assert rows(at).columns == ["floor", "item_code_count"]


def test_another_address_is_another_question(at: AppTest) -> None:
    many(at, "Group by").set_value(["floor"]).run()
    before = at.query_params["question"]
    many(at, "Group by").set_value(["floor", "category"]).run()
    at.query_params["question"] = before  # as the browser's button does that goes back
    at.run()
    assert rows(at).columns == ["floor", "item_code_count"]
    assert many(at, "Group by").value == ["floor"]


def test_one_that_takes_long_is_followed_cancelled_and_asked_for_again(
    at: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page stood still until the query was stopped by its limit; whoever picked something else waited as well."""
    run = importlib.import_module("analytics.query.run")
    monkeypatch.setattr(run, "compiled", lambda query: ENDLESS if "stubborn" in str(query) else compiled(query))
    monkeypatch.setattr(waiting, "GRACE_SECONDS", 0.0)
    works = []
    for item in ("stubborn", "stubborn, too"):
        at.query_params["question"] = json.dumps({"collection": "positions", "filters": {"item_code": {"ne": item}}})
        at.run()
        [bar] = at.get("progress")
        assert bar.proto.text.startswith("Asking the snapshot: about ")
        works.append(at.session_state["explore_waited_for"].work)
    assert isinstance(works[0].outcome.exception(30), Stopped), "nobody waits for it any more"
    press(at, "Cancel")
    assert "The query was cancelled" in texts(at)
    assert isinstance(works[1].outcome.exception(30), Stopped)
    monkeypatch.setattr(run, "compiled", compiled)
    monkeypatch.setattr(waiting, "GRACE_SECONDS", 30.0)
    press(at, "Ask again")
    assert "Showing rows 1 to 100 of 597." in texts(at)


def test_who_goes_back_to_what_is_answered_waits_no_more_for_what_is_not(
    at: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, long = ({"collection": "positions", "filters": {"item_code": {"ne": name}}} for name in ("x", "stubborn"))
    at.query_params["question"] = json.dumps(answered)
    at.run()
    run = importlib.import_module("analytics.query.run")
    monkeypatch.setattr(run, "compiled", lambda query: ENDLESS if "stubborn" in str(query) else compiled(query))
    monkeypatch.setattr(waiting, "GRACE_SECONDS", 0.0)
    at.query_params["question"] = json.dumps(long)
    at.run()
    work = at.session_state["explore_waited_for"].work
    at.query_params["question"] = json.dumps(answered)
    at.run()
    assert "Showing rows 1 to 100 of 597." in texts(at)
    assert isinstance(work.outcome.exception(30), Stopped)
    assert "explore_waited_for" not in at.session_state


def test_a_template_is_opened_and_can_be_changed(at: AppTest) -> None:
    starts = box(at, "Start from")
    starts.set_value(
        next(label for label in starts.options if label.startswith("Rack summary") and label.endswith("template"))
    ).run()
    assert "What does each rack hold" in texts(at).replace("\\", "")
    assert question(at)["group_by"] == ["floor", "rack_id"]
    assert box(at, "The chart shows").value == "variance_value_sum", "what the groups are sorted by, and not the first"
    assert "figure" not in at.query_params
    many(at, "Group by").set_value(["floor"]).run()
    assert rows(at).height == 4


def test_while_the_service_is_away_snapshots_can_be_asked(
    open_app: OpenApp, stocked: Stocked, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = linked(open_app, stocked, service, LOSS)
    away = msgspec.structs.replace(stocked.settings, api_port=free_port())
    monkeypatch.setenv("STOCKVERIFY_API_PORT", str(away.api_port))
    del at.session_state["explore_saved"]
    at.run()
    assert rows(at).height > 1
    assert "Saved queries cannot be listed" in texts(at)
    switch(at, "Data", True)
    assert "The service does not answer" in texts(at)
    assert not at.exception
