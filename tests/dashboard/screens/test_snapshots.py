"""The explorer: rows, filters, groups, pages and files."""

import csv
import io
import json
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from stockverify import page_links
from stockverify.wire.reports import QuerySpec
from tests.dashboard.conftest import OpenApp, Stocked, made, sign_in, texts
from tests.dashboard.expected import figures
from tests.dashboard.stock import HOSTILE_NAME, HOSTILE_RACK
from tests.service import Service


def box(at: AppTest, label: str, nth: int = 0):  # type: ignore[no-untyped-def]
    """The selection box of that name."""
    return [found for found in at.selectbox if found.label == label][nth]


def filtered(at: AppTest, column: str, relation: str, value: str) -> AppTest:
    """Fill in the first filter."""
    box(at, "Filter").set_value(column).run()
    box(at, "Relation").set_value(relation).run()
    return next(field for field in at.text_input if field.label == "Value").set_value(value).run()


@pytest.fixture
def at(page: Callable[[str], AppTest]) -> AppTest:
    """The page."""
    return page("snapshots")


@pytest.mark.parametrize("name", ["Positions", "Records", "Sessions", "Stock list"])
def test_every_dataset_shows_its_rows_and_says_how_many_there_are(at: AppTest, stocked: Stocked, name: str) -> None:
    names = {
        "Positions": "positions",
        "Records": "verification_records",
        "Sessions": "verification_sessions",
        "Stock list": "erp_items",
    }
    next(group for group in at.segmented_control if group.label == "Dataset").set_value(names[name]).run()
    total = figures(stocked.database).rows[name]
    shown = min(100, total)
    assert f"Showing rows 1 to {shown} of {total:,}." in texts(at)
    assert len(at.dataframe[0].value) == shown


def test_identifiers_and_hostile_texts_arrive_as_they_are(at: AppTest) -> None:
    rows = filtered(at, "rack_id", "is", HOSTILE_RACK).dataframe[0].value
    assert rows["item_code"].tolist() == ["00123", "=1+1"]
    assert rows["item_name"].tolist() == ["=HYPERLINK(0)", HOSTILE_NAME]


def test_contains_takes_marks_literally(at: AppTest) -> None:
    assert "Showing rows 1 to 1 of 1." in texts(filtered(at, "item_code", "contains", "=1+"))


def test_a_filter_that_nothing_passes_says_so(at: AppTest) -> None:
    assert "Showing rows 0 to 0 of 0." in texts(filtered(at, "item_code", "is", "nothing"))


def test_a_value_that_cannot_be_read_is_explained_on_the_page(at: AppTest) -> None:
    written = texts(filtered(at, "book_qty", "is above", "many"))
    assert "That cannot be asked" in written
    assert "It needs a number such as 12" in written.replace("\\", "")


def test_a_filter_without_a_value_is_not_applied_and_that_is_said(at: AppTest) -> None:
    box(at, "Filter").set_value("item_code").run()
    assert "A filter without a value is not applied." in texts(at)
    assert "of 597." in texts(at)


def test_two_filters_go_together(at: AppTest) -> None:
    next(button for button in at.button if button.help == "Add a filter").click().run()
    filtered(at, "floor", "is", "Ground Floor")
    box(at, "Filter", 1).set_value("counted").run()
    box(at, "Value").set_value("no").run()
    rows = at.dataframe[0].value
    assert set(rows["floor"]) == {"Ground Floor"}
    assert set(rows["counted"]) == {False}


def test_groups_are_counted_unless_figures_are_chosen(at: AppTest) -> None:
    next(found for found in at.multiselect if found.label == "Group by").set_value(["floor"]).run()
    rows = at.dataframe[0].value
    assert rows.columns.tolist() == ["floor", "item_code_count"]
    assert rows["item_code_count"].sum() == 597
    assert "Showing groups 1 to 4 of 4." in texts(at)


def test_pages_follow_each_other_without_gaps(at: AppTest) -> None:
    found = []
    for page in range(1, 7):
        at.pagination[0].set_value(page).run()
        found += at.dataframe[0].value[["rack_id", "bin", "item_code"]].itertuples(index=False, name=None)
    assert "Showing rows 501 to 597 of 597." in texts(at)
    assert len(found) == len(set(found)) == 597
    assert found == sorted(found)


def test_the_file_holds_all_rows_of_the_question_and_not_only_the_page(
    working_page: Callable[[str], AppTest], stocked: Stocked
) -> None:
    at = working_page("snapshots")
    box(at, "Filter").set_value("counted").run()
    next(group for group in at.segmented_control if group.label == "Format").set_value("csv").run()
    offered = made(at)
    manifest, rows = offered.manifest, list(csv.DictReader(io.StringIO(offered.content().decode("utf-8-sig"))))
    assert len(rows) == manifest["rows"] == 324
    assert manifest["snapshot_id"] == stocked.newer.snapshot_id
    assert manifest["query"]["filters"] == {"counted": {"eq": True}}


def test_a_file_of_another_question_is_not_offered(working_page: Callable[[str], AppTest]) -> None:
    at = working_page("snapshots")
    made(at)
    assert len(filtered(at, "item_code", "is", "00123").download_button) == 0


def test_groups_sort_by_their_figures(at: AppTest) -> None:
    next(found for found in at.multiselect if found.label == "Group by").set_value(["floor"]).run()
    box(at, "Sort by").set_value("Item code count ↓").run()
    counts = at.dataframe[0].value["item_code_count"].tolist()
    assert counts == sorted(counts, reverse=True)


def linked(open_app: OpenApp, stocked: Stocked, service: Service, question: str) -> AppTest:
    """The page as somebody sees it who follows a link from a mail and signs in."""
    at = open_app(stocked.settings, snapshot=stocked.older.snapshot_id, question=question)
    return sign_in(at, service.person("supervisor"), "snapshots")


@pytest.mark.parametrize(("limit", "shown"), [(None, "rows 1 to 100 of 411"), (7, "rows 1 to 7 of 7")])
def test_a_link_asks_its_question_of_its_snapshot(
    open_app: OpenApp, stocked: Stocked, service: Service, limit: int | None, shown: str
) -> None:
    asked = QuerySpec(collection="positions", filters={"counted": False}, sort={"book_qty": -1}, limit=limit)
    path = page_links.rows(stocked.older.snapshot_id, asked)
    question = dict(parse_qsl(urlsplit(path).query))["question"]
    at = linked(open_app, stocked, service, question)
    assert f"Showing {shown}." in texts(at)
    assert json.loads(at.code[0].value)["filters"] == {"counted": False}
    assert stocked.older.snapshot_id in texts(at)
    next(button for button in at.button if button.label == "Ask something else").click().run()
    assert "of 596." in texts(at)


@pytest.mark.parametrize("question", ["{", '{"collection": "users"}', '{"collection": "positions", "limit": 0}', "[]"])
def test_a_link_that_cannot_be_read_says_so_and_leaves_the_page_usable(
    open_app: OpenApp, stocked: Stocked, service: Service, question: str
) -> None:
    at = linked(open_app, stocked, service, question)
    assert "That cannot be asked" in texts(at)
    assert "of 596." in texts(at)
