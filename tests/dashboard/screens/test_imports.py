"""Importing a stock list on the page, over the real service."""

import time
from collections.abc import Callable
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import OpenApp, Stocked, metrics, press, sign_in, texts
from tests.dashboard.screens.conftest import Linked, SeenBy
from tests.ingest import lists
from tests.ingest.lists import csv
from tests.service import Service

Opened = Callable[[str], AppTest]


@pytest.fixture
def opened(seen_by: SeenBy) -> Opened:
    """The page, as somebody with this role sees it."""
    return partial(seen_by, "imports")


def upload(at: AppTest, data: bytes, name: str = "list.csv") -> AppTest:
    """Choose a file and send it."""
    at.file_uploader[0].set_value((name, data, "text/csv"))
    press(at, "Check this list")
    assert not at.exception
    return at


def choose(at: AppTest, **headings: str) -> AppTest:
    """Say which heading each of our columns is read from, and check."""
    for ours, theirs in headings.items():
        next(box for box in at.selectbox if str(box.key).startswith(f"{ours} imp-")).set_value(theirs)
    return press(at, "Check with these columns")


def imported(at: AppTest) -> AppTest:
    """Press the button and wait until the list is in the book."""
    next(button for button in at.button if button.label.startswith("Import ")).click().run()
    deadline = time.monotonic() + 30
    while "In the book since" not in texts(at):
        assert time.monotonic() < deadline, texts(at)
        time.sleep(0.2)
        at.run()
    return at


def test_a_list_with_bad_rows_is_mapped_checked_and_imported(opened: Opened, service: Service) -> None:
    at, rack = opened("supervisor"), service.rack("PAGE")
    data = csv(
        f"{rack};00123;größe 3;1,5", f"{rack};B;x;zwölf", f"{rack};C;y;2", heading="rack_id;Artikel;Text;Bestand"
    )
    upload(at, data.decode().encode("cp1252"))
    assert "CSV\\, cp1252\\, semicolon between cells\\, 3 rows" in texts(at)
    assert "Choose which column holds Item code and Book quantity above" in texts(at)
    choose(at, item_code="Artikel", book_qty="Bestand")
    assert {name: metrics(at)[name] for name in ("New", "Changed", "Bad rows")} == {
        "New": "2",
        "Changed": "0",
        "Bad rows": "1",
    }
    assert at.dataframe[0].value.to_dict("records") == [
        {"line": 3, "column": "Book quantity", "value": "zwölf", "reason": "is not a number with a decimal comma"}
    ]
    button = next(button for button in at.button if button.label.startswith("Import "))
    assert (button.label, button.disabled) == ("Import 2 new and 0 changed lines", True)
    at.checkbox[0].check().run()
    imported(at)
    stored = service.admin.get("/api/imports/").json()
    assert next(each for each in stored if each["added"] == 2)["status"] == "done"


def test_the_list_is_read_in_another_way_when_a_person_says_so(opened: Opened, service: Service) -> None:
    at, rack = opened("admin"), service.rack("PAGE")
    upload(at, csv(f"{rack},A,1.234", heading="rack_id,item_code,book_qty"))
    assert "can be read in two ways" in texts(at)
    next(box for box in at.selectbox if box.label == "Decimals").set_value("comma")
    press(at, "Read again")
    assert metrics(at)["New"] == "1"
    assert "Book quantity\\: decimal comma" in texts(at)
    press(at, "Discard")
    assert "Discarded" in texts(at)
    assert len(at.file_uploader) == 1


def test_another_import_in_between_is_told(opened: Opened, service: Service) -> None:
    at, rack = opened("supervisor"), service.rack("PAGE")
    upload(at, csv(f"{rack},F,A,Bolt,3,0.5"))
    other = service.person("supervisor")
    job = lists.upload(other, csv(f"{rack},F,A,Bolt,4,0.5"))
    lists.commit(other, job).raise_for_status()
    lists.ended(other, job)
    next(button for button in at.button if button.label.startswith("Import ")).click().run()
    deadline = time.monotonic() + 30
    while "The book has changed since the dry run" not in texts(at):
        assert time.monotonic() < deadline, texts(at)
        time.sleep(0.2)
        at.run()
    assert (metrics(at)["New"], metrics(at)["Changed"]) == ("0", "1")
    assert at.dataframe[0].value["changes"].tolist() == ["Book quantity: 4 → 3"]


def test_a_list_that_changes_nothing_offers_no_button(opened: Opened, service: Service) -> None:
    at, data = opened("supervisor"), csv(f"{service.rack('PAGE')},F,A,Bolt,3,0.5")
    imported(upload(at, data))
    press(at, "All lists")
    upload(at, data)
    assert "Nothing to import" in " ".join(str(each.value) for each in at.info)
    assert not [button for button in at.button if button.label.startswith("Import ")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04 not really", "is not a workbook that can be read"),
        (b"a\x00b,c\n", "neither an .xlsx workbook nor"),
    ],
)
def test_hostile_files_are_explained(opened: Opened, data: bytes, words: str) -> None:
    assert words in texts(upload(opened("supervisor"), data)).replace("\\", "")


def test_the_form_is_not_sent_empty_and_lists_are_shown(opened: Opened, service: Service) -> None:
    at = opened("supervisor")
    press(at, "Check this list")
    assert "Uploaded lists" in texts(at)
    upload(at, csv(f"{service.rack('PAGE')},F,A,Bolt,3,0.5"), "March.csv")
    press(at, "All lists")
    row = at.dataframe[0].value.iloc[0]
    assert (row["file"], row["state"], row["added"]) == ("March.csv", "Checked, not imported", 1)


def test_auditors_see_lists_and_what_they_would_do_and_change_nothing(
    opened: Opened, linked: Linked, service: Service
) -> None:
    data = csv(f"{service.rack('PAGE')},F,A,Bolt,3,0.5", f"{service.rack('PAGE')},F,B,Nut,many,0.5")
    job = lists.upload(service.person("supervisor"), data)
    at = opened("auditor")
    assert at.dataframe[0].value["state"].iloc[0] == "Checked, not imported"
    assert len(at.file_uploader) == 0
    at = linked("imports", service.person("auditor"), **{"import": job["import_id"]})
    assert metrics(at)["Bad rows"] == "1"
    assert at.dataframe[0].value["value"].tolist() == ["many"]
    assert [button.label for button in at.download_button] == ["All bad rows (csv)"]
    assert {button.label for button in at.button} == {"Refresh", "All lists", "Sign out"}
    assert (len(at.selectbox), len(at.checkbox)) == (0, 0)
    assert "Auditors read and change nothing" in texts(at)


def test_an_unknown_list_is_said(open_app: OpenApp, stocked: Stocked, service: Service) -> None:
    at = sign_in(open_app(stocked.settings), service.person("supervisor"))
    at.query_params["import"] = "imp-../../etc"
    at.switch_page("screens/imports.py").run()
    assert not at.exception
