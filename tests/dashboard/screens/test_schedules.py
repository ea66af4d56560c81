"""Schedules: made, changed, tried out, paused, and read; over the real service."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from pymongo.database import Database
from streamlit.testing.v1 import AppTest

from stockverify import letters
from tests.dashboard.conftest import press, texts
from tests.dashboard.screens.conftest import Linked, whole
from tests.ingest.mails import HTML, put
from tests.jobs.schedules.making import schedule
from tests.service import Service

Stored = Database[dict[str, Any]]
BASE = "/api/reports/schedules"
NOW = datetime.now(UTC).replace(microsecond=0)
_numbers = itertools.count(1)


@pytest.fixture
def boss(service: Service) -> httpx.Client:
    return service.person("supervisor")


Opened = Callable[..., AppTest]


@pytest.fixture
def opened(linked: Linked) -> Opened:
    """The page, as somebody sees it who followed a link."""
    return partial(linked, "schedules")


def made(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    body = {
        "name": f"Report {next(_numbers)}",
        "cron": "0 7 * * 1-5",
        "zone": "Europe/Berlin",
        "report": {"subject": "summary"},
        "recipients": ["manager@shop.example"],
    }
    reply = client.post(BASE, json=body | changes)
    assert reply.status_code == 201, reply.text
    found: dict[str, Any] = reply.json()
    return found


def field(at: AppTest, kind: str, label: str) -> Any:
    """A field of the form."""
    return next(found for found in at.get(kind) if found.label == label)


def part(at: AppTest, name: str) -> AppTest:
    """Another part of the schedule."""
    return whole(field(at, "button_group", "Part").set_value(name).run())


def labels(at: AppTest) -> set[str]:
    return {button.label for button in at.button}


def test_a_supervisor_makes_a_schedule_with_friendly_choices(opened: Opened, boss: httpx.Client) -> None:
    at = press(opened(boss), "New schedule")
    field(at, "text_input", "Name").set_value("Rack summary for the manager")
    field(at, "selectbox", "What").set_value("template").run()
    field(at, "selectbox", "Which").set_value("rack_summary")
    field(at, "selectbox", "When").set_value("On the last day of the month").run()
    field(at, "selectbox", "By the clock of").set_value("Asia/Kolkata")
    field(at, "text_area", "To whom").set_value("manager@shop.example, buying@shop.example")
    field(at, "selectbox", "Sent").set_value("figure").run()
    field(at, "selectbox", "Figure").set_value("accuracy")
    field(at, "number_input", "Limit").set_value(95.0)
    at.run()
    times = at.dataframe[0].value
    assert list(times.columns) == ["Asia/Kolkata", "Europe/Berlin (this dashboard)", "UTC"]
    assert times["Asia/Kolkata"].str.endswith("07:00 IST").all()
    assert times["UTC"].str.endswith("01:30 UTC").all()
    whole(press(at, "Save and start"))
    assert "Schedule made" in texts(at)
    found = boss.get(f"{BASE}/{at.query_params['schedule']}").json()
    said = {name: found[name] for name in ("name", "cron", "zone", "recipients", "condition", "state", "formats")}
    assert said == {
        "name": "Rack summary for the manager",
        "cron": "0 7 L * *",
        "zone": "Asia/Kolkata",
        "recipients": ["manager@shop.example", "buying@shop.example"],
        "condition": {"kind": "figure", "figure": "accuracy", "op": "lt", "limit": 0.95},
        "state": "active",
        "formats": ["html"],
    }
    assert found["report"]["ref"] == "rack_summary"


def test_the_next_times_follow_what_is_typed_and_say_what_is_wrong(opened: Opened, boss: httpx.Client) -> None:
    at = press(opened(boss), "New schedule")
    field(at, "selectbox", "When").set_value("By a cron expression").run()
    field(at, "text_input", "Cron expression").set_value("*/2 * * * *").run()
    assert "less than 5 minutes apart" in at.error[0].value
    assert len(at.dataframe) == 0
    field(at, "text_input", "Cron expression").set_value("30 2 29 2 *").run()
    whole(at)
    assert len(at.error) == 0
    assert at.dataframe[0].value["UTC"].str.contains("29 Feb 2028|29 Feb 2032").sum() == 2


@pytest.mark.parametrize(
    ("recipients", "button", "said"),
    [
        ("", "Save and start", "Say to whom it goes"),
        ("nobody at all", "Save and start", "no e-mail address"),
        ("a@shop.example\r\nBcc: x@y.example", "Save and start", "no e-mail address"),
        ("", "Save as draft", "It waits as a draft"),
    ],
)
def test_what_is_wrong_is_said_beside_the_form(
    opened: Opened, boss: httpx.Client, recipients: str, button: str, said: str
) -> None:
    at = press(opened(boss), "New schedule")
    field(at, "text_input", "Name").set_value("Half done")
    field(at, "text_area", "To whom").set_value(recipients)
    whole(press(at, button))
    shown = texts(at).replace("\\", "")
    assert said in shown
    if button == "Save and start":
        assert field(at, "text_area", "To whom").value == recipients


def test_a_schedule_is_changed_and_one_that_was_changed_meanwhile_is_not(opened: Opened, boss: httpx.Client) -> None:
    before = made(
        boss, max_attachment_bytes=1_234_567, report={"subject": "query", "query": {"collection": "positions"}}
    )
    at = part(opened(boss, schedule=before["schedule_id"]), "Edit")
    field(at, "text_input", "Name").set_value("Renamed")
    whole(press(at, "Save"))
    assert "Schedule changed" in texts(at)
    after = boss.get(f"{BASE}/{before['schedule_id']}").json()
    changed = {name for name in before if before[name] != after[name]} - {"updated_at"}
    assert changed == {"name", "revision"}
    field(at, "text_input", "Name").set_value("Too late")
    body = {name: after[name] for name in ("cron", "zone", "report", "recipients", "revision")}
    boss.put(f"{BASE}/{before['schedule_id']}", json=body | {"name": "Faster"}).raise_for_status()
    whole(press(at, "Save"))
    assert boss.get(f"{BASE}/{before['schedule_id']}").json()["name"] == "Faster"


def test_a_schedule_is_paused_resumed_and_deleted(opened: Opened, boss: httpx.Client) -> None:
    found = made(boss)
    at = opened(boss, schedule=found["schedule_id"])
    whole(press(at, "Pause"))
    assert boss.get(f"{BASE}/{found['schedule_id']}").json()["state"] == "paused"
    assert "Paused by" in texts(at)
    whole(press(at, "Resume"))
    assert boss.get(f"{BASE}/{found['schedule_id']}").json()["state"] == "active"
    whole(press(at, "Delete it"))
    assert boss.get(f"{BASE}/{found['schedule_id']}").status_code == 404
    assert "Deleted" in texts(at)


def test_what_the_worker_has_not_finished_is_said(
    opened: Opened, boss: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.calls.schedules.PATIENCE", 0.0)
    found = made(boss)
    at = opened(boss, schedule=found["schedule_id"])
    whole(press(at, "Run now"))
    assert "Still under way" in texts(at)
    (run,) = boss.get(f"{BASE}/{found['schedule_id']}/runs").json()
    assert (run["purpose"], run["status"]) == ("now", "queued")
    assert part(at, "Runs").dataframe[1].value[["purpose", "status"]].to_numpy().tolist() == [["Run now", "Waiting"]]


def test_a_test_without_an_address_is_refused_in_words(opened: Opened, boss: httpx.Client) -> None:
    at = opened(boss, schedule=made(boss)["schedule_id"])
    whole(press(at, "Send a test to me"))
    assert "Not possible now" in texts(at)
    assert "you have none" in texts(at)
    assert "Pause" in labels(at)


@pytest.mark.parametrize("role", ["auditor", "supervisor"])
def test_who_may_not_change_it_reads_all_of_it(opened: Opened, boss: httpx.Client, service: Service, role: str) -> None:
    found = made(boss, note="*kept* for <b>all</b>")
    at = opened(service.person(role), schedule=found["schedule_id"])
    assert {"Preview", "Send a test to me", "Run now", "Pause", "Delete it"} & labels(at) == set()
    assert ("New schedule" in labels(at)) is (role == "supervisor")
    assert field(at, "button_group", "Part").options == ["About", "Runs"]
    assert r"\*kept\* for \<b\>all\<\/b\>" in texts(at)
    assert "It has not run so far" in texts(part(at, "Runs"))


def test_an_auditor_is_not_offered_the_form_by_a_link(opened: Opened, service: Service) -> None:
    at = opened(service.person("auditor"), schedule="new")
    assert "Not found" in texts(at)
    assert len(at.text_input) == 0


def test_one_of_the_house_can_be_timed_and_nothing_else(opened: Opened, service: Service, stored: Stored) -> None:
    built = schedule(
        f"sch-house-{next(_numbers)}", NOW, kind="backup", report=None, builtin=True, owner="", owner_id=None
    )
    stored["report_schedules"].insert_one(built | {"recipients": [], "formats": []})
    at = opened(service.person("admin"), schedule=built["_id"])
    assert {"Preview", "Send a test to me", "Delete it"} & labels(at) == set()
    part(at, "Edit")
    assert [found.label for found in at.text_input] == ["Note"]
    field(at, "selectbox", "When").set_value("Monday to Friday").run()
    whole(press(at, "Save"))
    after = service.admin.get(f"{BASE}/{built['_id']}").json()
    assert (after["cron"], after["kind"], after["name"]) == ("0 7 * * 1-5", "backup", built["name"])


def test_runs_say_why_they_failed_and_that_they_were_late(opened: Opened, boss: httpx.Client, stored: Stored) -> None:
    found = made(boss)
    common = {"kind": "report", "schedule_id": found["schedule_id"], "requested_by": "the schedule", "attempts": 1}
    common |= {"finished_at": NOW, "started_at": NOW, "snapshot_id": None, "purpose": "scheduled"}
    failed = {"status": "failed", "error": "There is no snapshot <x>.", "late": False, "due_at": NOW}
    late = {"status": "succeeded", "error": None, "late": True, "note": "Put into the outbox for 1 recipient."}
    for number, each in enumerate((failed, late | {"due_at": NOW - timedelta(days=1)})):
        stored["report_runs"].insert_one(
            common | each | {"_id": f"{found['schedule_id']}@{number}", "requested_at": NOW - timedelta(minutes=number)}
        )
    rows = part(opened(boss, schedule=found["schedule_id"]), "Runs").dataframe[1].value
    assert rows[["status", "late", "said"]].to_numpy().tolist() == [
        ["Failed", "", "There is no snapshot <x>."],
        ["Done", "Late", "Put into the outbox for 1 recipient."],
    ]


def test_the_letter_of_a_run_is_shown_in_a_frame_that_runs_nothing(
    opened: Opened, boss: httpx.Client, service: Service, stored: Stored
) -> None:
    found = made(boss)
    run_id = f"{found['schedule_id']}@preview"
    stored["report_runs"].insert_one(
        {
            "_id": run_id,
            "schedule_id": found["schedule_id"],
            "kind": "report",
            "status": "succeeded",
            "requested_by": "somebody",
            "snapshot_id": None,
            "error": None,
            "purpose": "preview",
            "requested_at": NOW,
        }
    )
    put(service, stored, {"_id": found["schedule_id"], "name": "n", "owner_id": "o"}, run_id)
    at = opened(boss, schedule=found["schedule_id"], preview=run_id)
    (frame,) = at.get("iframe")
    assert 'sandbox=""' in frame.proto.srcdoc
    assert HTML[:20].replace("<", "&lt;").replace(">", "&gt;") in frame.proto.srcdoc
    assert "<script" not in frame.proto.srcdoc
    assert at.dataframe[-1].value["name"].tolist() == ["rows.csv"]
    assert "Text. Stop: #" in at.code[0].value
    words = letters.folder(service.settings.mails, run_id) / letters.WORDS
    words.unlink()
    assert "kept for MAIL" in texts(whole(at.run())).replace("\\", "")


def test_filters_narrow_and_an_empty_list_says_what_to_do(opened: Opened, boss: httpx.Client) -> None:
    at = opened(boss)
    field(at, "button_group", "Owner").set_value("Mine").run()
    assert "No schedule here" in texts(whole(at))
    found = made(boss)
    at.run()
    assert at.dataframe[0].value["name"].tolist() == [found["name"]]
    field(at, "button_group", "State").set_value("Paused").run()
    assert "No schedule here" in texts(whole(at))
    assert len(at.dataframe) == 0
