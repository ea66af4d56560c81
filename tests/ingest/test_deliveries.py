"""Mails over HTTP: listed, looked at, sent again, cancelled."""

import shutil
import uuid
from typing import Any

import httpx
import pytest
from pymongo.database import Database

from stockverify import letters
from tests.ingest.mails import NOW, put, schedule
from tests.service import Service

Stored = Database[dict[str, Any]]
BASE = "/api/reports/deliveries"


@pytest.fixture
def boss(service: Service) -> httpx.Client:
    return service.person("supervisor")


@pytest.fixture
def mine(boss: httpx.Client, stored: Stored) -> dict[str, Any]:
    """A schedule of the boss."""
    return schedule(stored, uuid.uuid4().hex[:16], boss.get("/api/auth/me").json()["id"])


def test_a_list_says_of_each_mail_how_it_stands(service: Service, boss: httpx.Client, mine, stored: Stored) -> None:
    run_id = f"{mine['_id']}@20260105T070000Z"
    ids = put(service, stored, mine, run_id, "ann@shop.example", "bob@shop.example")
    reply = boss.get(BASE, params={"run": run_id}).json()
    assert reply["pagination"] == {"skip": 0, "limit": 100, "total": 2, "has_more": False}
    found = next(each for each in reply["deliveries"] if each["delivery_id"] == ids[0])
    (file,) = found.pop("attachments")
    assert (file["name"], file["bytes"], len(file["sha256"])) == ("rows.csv", 11, 64)
    assert found.pop("message_id").startswith("<")
    assert found == {
        "delivery_id": ids[0],
        "kind": "report",
        "state": "queued",
        "recipient": "ann@shop.example",
        "subject": "Report",
        "run_id": run_id,
        "schedule_id": mine["_id"],
        "schedule_name": mine["name"],
        "snapshot_id": None,
        "as_of": NOW.timestamp(),
        "created_at": NOW.timestamp(),
        "sent_at": None,
        "next_attempt_at": NOW.timestamp(),
        "attempts": 0,
        "smtp_reply": None,
        "error": None,
    }


def test_lists_are_narrowed_and_paged(service: Service, boss: httpx.Client, mine, stored: Stored) -> None:
    for number in range(3):
        put(service, stored, mine, f"{mine['_id']}@{number}", "ann@shop.example")
    stored["report_deliveries"].update_one({"run_id": f"{mine['_id']}@1"}, {"$set": {"state": "failed"}})

    def runs(**asked: Any) -> list[str]:
        listed = boss.get(BASE, params={"schedule": mine["_id"], **asked}).json()["deliveries"]
        return sorted(each["run_id"].rpartition("@")[2] for each in listed)

    assert runs() == ["0", "1", "2"]
    assert (runs(state="failed"), runs(state="queued"), runs(kind="notice")) == (["1"], ["0", "2"], [])
    assert len(runs(limit=2)) == 2
    assert len(runs(limit=2, skip=2)) == 1
    assert boss.get(BASE, params={"state": "lost"}).status_code == 400


def test_a_letter_is_shown_whole_and_harmless(service: Service, boss: httpx.Client, mine, stored: Stored) -> None:
    (delivery_id,) = put(service, stored, mine, f"{mine['_id']}@shown", "ann@shop.example")
    shown = boss.get(f"{BASE}/{delivery_id}/html")
    assert shown.headers["content-type"].startswith("text/html")
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "script" not in policy
    assert 'src="data:image/png;base64,iVBORw0KGgo' in shown.text
    assert "unsubscribe.invalid" not in shown.text
    text = boss.get(f"{BASE}/{delivery_id}/text")
    assert text.text == "Text. Stop: (a link that stops these mails)"
    assert boss.get(f"/api/reports/letters/{mine['_id']}@shown/html").text == shown.text
    assert boss.get(f"/api/reports/letters/{mine['_id']}@shown/text").text == text.text


def test_an_attached_file_is_given_out_as_it_was_written(
    service: Service, boss: httpx.Client, mine, stored: Stored
) -> None:
    run_id = f"{mine['_id']}@file"
    (delivery_id,) = put(service, stored, mine, run_id, "ann@shop.example")
    given = boss.get(f"{BASE}/{delivery_id}/files/rows.csv")
    assert given.content == b"item\n00123\n"
    assert given.headers["content-type"] == "application/octet-stream"
    assert given.headers["content-disposition"] == "attachment; filename*=utf-8''rows.csv"
    assert "sandbox" in given.headers["content-security-policy"]
    for name in ("letter.json", "a.png", "..%2Fletter.json", "%2e%2e", "rows.csv%00"):
        assert boss.get(f"{BASE}/{delivery_id}/files/{name}").status_code == 404, name
    (letters.folder(service.settings.mails, run_id) / "rows.csv").write_text("item\n00124\n")
    damaged = boss.get(f"{BASE}/{delivery_id}/files/rows.csv")
    assert (damaged.status_code, damaged.json()["detail"]) == (
        410,
        "The letter of this mail is damaged: rows.csv is not what was written.",
    )


@pytest.mark.parametrize("path", ["..%2F..%2Fsecret.key", "%2e%2e", "nothing"])
def test_no_letter_leads_out_of_the_folder(boss: httpx.Client, path: str) -> None:
    assert boss.get(f"/api/reports/letters/{path}/text").status_code in (404, 410)


def test_a_failed_mail_is_sent_again_for_its_owner_and_admins_only(
    service: Service, boss: httpx.Client, mine, stored: Stored
) -> None:
    (delivery_id,) = put(service, stored, mine, f"{mine['_id']}@again", "ann@shop.example")
    assert boss.post(f"{BASE}/{delivery_id}/retry").status_code == 409
    gave_up = {"state": "failed", "attempts": 12, "next_attempt_at": None, "error": "451 later"}
    stored["report_deliveries"].update_one({"_id": delivery_id}, {"$set": gave_up})
    assert service.person("supervisor").post(f"{BASE}/{delivery_id}/retry").status_code == 403
    again = boss.post(f"{BASE}/{delivery_id}/retry").json()
    assert (again["state"], again["attempts"], again["readable"]) == ("queued", 0, True)
    assert again["log"][-1]["said"].endswith("asked for another attempt.")
    stored["report_deliveries"].update_one({"_id": delivery_id}, {"$set": gave_up | {"state": "unknown", "doubts": 3}})
    in_doubt = service.admin.post(f"{BASE}/{delivery_id}/retry").json()
    assert (in_doubt["state"], in_doubt["log"][-1]["said"]) == (
        "unknown",
        "admin asked for another attempt. It may have arrived before.",
    )
    assert stored["report_deliveries"].find_one({"_id": delivery_id})["doubts"] == 1  # type: ignore[index]


def test_a_mail_whose_letter_is_gone_cannot_be_sent_again(
    service: Service, boss: httpx.Client, mine, stored: Stored
) -> None:
    run_id = f"{mine['_id']}@gone"
    (delivery_id,) = put(service, stored, mine, run_id, "ann@shop.example")
    stored["report_deliveries"].update_one({"_id": delivery_id}, {"$set": {"state": "failed"}})
    shutil.rmtree(letters.folder(service.settings.mails, run_id))
    refused = boss.post(f"{BASE}/{delivery_id}/retry")
    assert (refused.status_code, refused.json()["detail"]) == (
        410,
        "The letter of this mail is not there any more: letters are kept for MAIL_KEEP_DAYS.",
    )
    assert boss.get(f"{BASE}/{delivery_id}").json()["readable"] is False
    assert boss.get(f"{BASE}/{delivery_id}/html").status_code == 410


def test_a_mail_that_waits_is_cancelled_once(service: Service, boss: httpx.Client, mine, stored: Stored) -> None:
    (delivery_id,) = put(service, stored, mine, f"{mine['_id']}@cancel", "ann@shop.example")
    assert service.person("supervisor").post(f"{BASE}/{delivery_id}/cancel").status_code == 403
    for _ in range(2):
        assert boss.post(f"{BASE}/{delivery_id}/cancel").json()["state"] == "cancelled"
    stored["report_deliveries"].update_one({"_id": delivery_id}, {"$set": {"state": "sending"}})
    assert boss.post(f"{BASE}/{delivery_id}/cancel").status_code == 409
    assert stored["activity_logs"].count_documents({"action": "delivery.cancelled", "subject": delivery_id}) == 1


def test_unknown_mails_are_404(boss: httpx.Client) -> None:
    for path, method in (
        ("", "GET"),
        ("/html", "GET"),
        ("/text", "GET"),
        ("/files/rows.csv", "GET"),
        ("/retry", "POST"),
        ("/cancel", "POST"),
    ):
        assert boss.request(method, f"{BASE}/nothing{path}").status_code == 404


def test_metrics_count_mails_by_state(service: Service, mine, stored: Stored) -> None:
    put(service, stored, mine, f"{mine['_id']}@counted", "ann@shop.example", "bob@shop.example")
    told = httpx.get(f"{service.url}/metrics").text
    waiting = stored["report_deliveries"].count_documents({"state": {"$in": ["queued", "sending"]}})
    assert f"stockverify_mails_waiting {float(waiting)}" in told or "stockverify_mails_waiting" in told
    queued = stored["report_deliveries"].count_documents({"state": "queued"})
    assert f'stockverify_mails_of_last_day{{state="queued"}} {float(queued)}' in told
