"""Deliveries: who was to get what, what became of it, and the mail itself; over the real service."""

import itertools
import shutil
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
from pymongo.database import Database
from streamlit.testing.v1 import AppTest

from stockverify import letters
from tests.dashboard.conftest import press, texts
from tests.dashboard.screens.conftest import Linked, whole
from tests.ingest.mails import put, schedule
from tests.service import Service

Stored = Database[dict[str, Any]]
Opened = Callable[..., AppTest]
_numbers = itertools.count(1)
BASE = "/api/reports/deliveries"


@pytest.fixture
def boss(service: Service) -> httpx.Client:
    return service.person("supervisor")


@pytest.fixture
def mails(service: Service, boss: httpx.Client, stored: Stored) -> dict[str, Any]:
    """Two mails of a schedule of the boss: the schedule, the run, and the ids."""
    of = schedule(stored, f"page-{next(_numbers)}", boss.get("/api/auth/me").json()["id"])
    run_id = f"{of['_id']}@run"
    ids = put(service, stored, of, run_id, "ann@shop.example", "bob@shop.example")
    return {"schedule": of["_id"], "run": run_id, "ann": ids[0], "bob": ids[1]}


@pytest.fixture
def opened(linked: Linked) -> Opened:
    """The page, as somebody sees it who followed a link."""
    return partial(linked, "deliveries")


def part(at: AppTest, name: str) -> AppTest:
    found = next(each for each in at.get("button_group") if each.label == "Part")
    return whole(found.set_value(name).run())


def labels(at: AppTest) -> set[str]:
    return {button.label for button in at.button}


def test_a_schedule_s_mails_are_listed_and_the_first_one_is_shown(
    opened: Opened, boss: httpx.Client, mails: Any
) -> None:
    at = opened(boss, schedule=mails["schedule"])
    rows = at.dataframe[0].value
    assert sorted(rows["recipient"]) == ["ann@shop.example", "bob@shop.example"]
    assert set(rows["state"]) == {"Waiting"}
    assert "All 2 shown" in texts(at)
    (frame,) = at.get("iframe")
    assert 'sandbox=""' in frame.proto.srcdoc
    assert "data:image/png;base64" in frame.proto.srcdoc
    assert "<script" not in frame.proto.srcdoc


def test_a_mail_has_its_text_its_files_and_its_log(
    opened: Opened, boss: httpx.Client, mails: Any, stored: Stored
) -> None:
    gave_up = {"state": "failed", "error": "550 <no> such user", "smtp_reply": "550 <no> such user"}
    stored["report_deliveries"].update_one({"_id": mails["bob"]}, {"$set": gave_up})
    at = opened(boss, mail=mails["bob"])
    assert r"550 \<no\> such user" in at.warning[0].value
    assert "(a link that stops these mails)" in part(at, "Plain text").code[0].value
    part(at, "Files")
    (row,) = at.dataframe[1].value.to_dict("records")
    assert (row["name"], row["bytes"], len(row["sha256"])) == ("rows.csv", 11, 64)
    assert [button.label for button in at.get("download_button")] == ["Download rows.csv"]
    part(at, "Log")
    assert at.dataframe[1].value["state"].tolist() == ["Waiting"]
    assert r"550 \<no\> such user" in texts(at)


def test_a_mail_that_waits_is_cancelled_and_one_that_failed_is_sent_again(
    opened: Opened, boss: httpx.Client, mails: Any, stored: Stored
) -> None:
    at = opened(boss, mail=mails["ann"])
    assert "Send again" not in labels(at)
    whole(press(at, "Cancel it"))
    assert boss.get(f"{BASE}/{mails['ann']}").json()["state"] == "cancelled"
    assert {"Cancel it", "Send again"} & labels(at) == set()
    stored["report_deliveries"].update_one({"_id": mails["bob"]}, {"$set": {"state": "failed"}})
    at = opened(boss, mail=mails["bob"])
    whole(press(at, "Send again"))
    assert "It will be sent again" in texts(at)
    assert boss.get(f"{BASE}/{mails['bob']}").json()["state"] == "queued"


def test_another_supervisor_is_refused_in_words(
    opened: Opened, service: Service, boss: httpx.Client, mails: Any
) -> None:
    at = opened(service.person("supervisor"), mail=mails["ann"])
    whole(press(at, "Cancel it"))
    assert "Not allowed" in texts(at)
    assert boss.get(f"{BASE}/{mails['ann']}").json()["state"] == "queued"


def test_an_auditor_reads_the_mail_and_changes_nothing(opened: Opened, service: Service, mails: Any) -> None:
    at = opened(service.person("auditor"), mail=mails["ann"])
    assert {"Cancel it", "Send again"} & labels(at) == set()
    assert len(at.get("iframe")) == 1


def test_a_letter_that_is_not_kept_any_more_is_said(
    opened: Opened, boss: httpx.Client, service: Service, mails: Any, stored: Stored
) -> None:
    shutil.rmtree(letters.folder(service.settings.mails, mails["run"]))
    stored["report_deliveries"].update_one({"_id": mails["ann"]}, {"$set": {"state": "failed"}})
    at = opened(boss, mail=mails["ann"])
    assert "not kept any more" in at.info[0].value
    assert "Send again" not in labels(at)
    assert "Waiting" in part(at, "Log").dataframe[1].value["state"].tolist()


def test_filters_narrow_and_an_empty_list_says_so(opened: Opened, boss: httpx.Client, mails: Any) -> None:
    at = opened(boss, schedule=mails["schedule"])
    at.selectbox(key="mail_state").set_value("Sent").run()
    assert "No mail here" in texts(whole(at))
    assert len(at.dataframe) == 0


def test_a_mail_that_is_not_there_is_said(opened: Opened, boss: httpx.Client) -> None:
    assert "Not found" in texts(opened(boss, mail="../../etc/passwd"))
