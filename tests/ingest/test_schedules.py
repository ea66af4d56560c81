"""Schedules over HTTP: what is refused, who may do what, and what the worker then finds in MongoDB."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pymongo.database import Database

from jobs.mail.letter import enclosure, keep
from stockverify.letters import Letter
from tests.service import Service

Stored = Database[dict[str, Any]]
SPEC = {"collection": "erp_items", "filters": {"floor": "Ground"}, "limit": 5}
_names = itertools.count(1)


def body(**changes: Any) -> dict[str, Any]:
    """A schedule that is fine."""
    return {
        "name": f"Morning report {next(_names)}",
        "cron": "0 7 * * 1-5",
        "zone": "Europe/Berlin",
        "report": {"subject": "query", "query": SPEC},
        "formats": ["csv"],
        "recipients": ["a@shop.example"],
    } | changes


def made(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    reply = client.post("/api/reports/schedules", json=body(**changes))
    assert reply.status_code == 201, reply.text
    found: dict[str, Any] = reply.json()
    return found


@pytest.fixture(scope="module")
def boss(service: Service) -> httpx.Client:
    return service.person("supervisor")


def test_a_schedule_is_made_and_shown(boss: httpx.Client, stored: Stored) -> None:
    reply = made(boss)
    assert boss.get(f"/api/reports/schedules/{reply['schedule_id']}").json() == reply
    shown = {
        name: reply[name] for name in ("kind", "formats", "recipients", "state", "failures", "builtin", "revision")
    }
    assert shown == {
        "kind": "report",
        "formats": ["html", "csv"],
        "recipients": ["a@shop.example"],
        "state": "active",
        "failures": 0,
        "builtin": False,
        "revision": 1,
    }
    assert reply["report"]["query"]["filters"] == {"floor": "Ground"}
    assert len(reply["next"]) == 5
    first = datetime.fromisoformat(reply["next"][0]["local"])
    assert (first.hour, first.minute, first.utcoffset() in (timedelta(hours=1), timedelta(hours=2))) == (7, 0, True)
    assert datetime.fromisoformat(reply["next"][0]["utc"]) == first
    document = stored.report_schedules.find_one({"_id": reply["schedule_id"]}) or {}
    assert document["next_due_at"] == first
    assert document["max_attachment_bytes"] == 10 * 2**20


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cron": "0 7 * *"}, "it needs five fields"),
        ({"cron": "61 7 * * *"}, "Bad minute"),
        ({"cron": "0 0 30 2 *"}, "Bad day-of-month"),
        ({"cron": "*/2 * * * *"}, "less than 5 minutes apart"),
        ({"zone": "Mars/Base"}, "not a time zone"),
        ({"zone": "../../etc/passwd"}, "not a time zone"),
        ({"kind": "backup", "report": None, "recipients": []}, "kind: backup has its schedule already"),
        ({"report": None}, "report: say what"),
        ({"report": {"subject": "query"}}, "give either `ref`"),
        ({"report": {"subject": "query", "ref": "q-unknown"}}, "no saved query q-unknown"),
        ({"report": {"subject": "query", "query": {"collection": "nothing"}}}, "nothing"),
        ({"report": {"subject": "query", "query": SPEC, "params": {"colour": "red"}}}, "colour"),
        ({"report": {"subject": "query", "query": SPEC, "params": {"book_qty": 2**70}}}, "params"),
        (
            {"report": {"subject": "query", "query": SPEC | {"filters": {"floor": "x" * 100_001}}}},
            "report.query: it is",
        ),
        ({"report": {"subject": "template", "ref": "nope"}}, "report.ref: no such template"),
        ({"report": {"subject": "snapshot", "ref": "20010101T000000Z-nope"}}, "nope"),
        ({"report": {"subject": "summary", "ref": "latest"}}, "report.ref: summary has none"),
        ({"recipients": []}, "recipients: a report that is sent needs one or more"),
        ({"recipients": ["a@b\r\nBcc: c@d"]}, "no e-mail address"),
        ({"recipients": ["x"]}, "'x' is no e-mail address"),
        ({"condition": {"kind": "figure", "figure": "beauty", "op": "gt", "limit": 1}}, "'beauty' is none"),
        ({"condition": {"kind": "figure", "figure": "counted_lines"}}, "needs figure, op and limit"),
        ({"condition": {"kind": "rows", "limit": 3}}, "for the kind `figure` only"),
        ({"kind": "materialise"}, "for report only"),
        ({"formats": ["exe"]}, "Invalid enum value 'exe'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_work_is_refused_by_name(boss: httpx.Client, changes: dict[str, Any], said: str) -> None:
    reply = boss.post("/api/reports/schedules", json=body(**changes))
    assert reply.status_code == 400, reply.text
    assert said in reply.json()["detail"]


def test_every_subject_and_both_kinds_can_be_had(boss: httpx.Client) -> None:
    query = boss.post("/api/reports/queries", json={"name": "q", "query_spec": SPEC}).json()["query_id"]
    template = boss.get("/api/reports/templates").json()[0]["name"]
    for report in (
        {"subject": "query", "ref": query, "params": {"floor": "First"}},
        {"subject": "template", "ref": template},
        {"subject": "snapshot", "ref": "latest"},
        {"subject": "comparison"},
        {"subject": "summary"},
    ):
        assert made(boss, report=report)["report"]["subject"] == report["subject"]
    figure = {"kind": "figure", "figure": "net_variance", "op": "lt", "limit": -5}
    reply = boss.post("/api/reports/schedules", json=body(condition=figure | {"figure": "unknown"}))
    known = reply.json()["detail"].split("use one of: ")[1].split(", ")[0]
    assert made(boss, condition=figure | {"figure": known})["condition"]["limit"] == -5
    frozen = made(boss, kind="materialise", report=None, recipients=[], cron="0 */4 * * *")
    assert (frozen["kind"], frozen["report"]) == ("materialise", None)


def test_recipients_are_each_there_once_and_numbers_of_any_size_stay(boss: httpx.Client) -> None:
    huge = {"subject": "query", "query": SPEC | {"filters": {"item_code": str(2**70)}, "skip": 2**53}}
    reply = made(boss, recipients=["B@Shop.example", "b@shop.example"], report=huge)
    assert reply["recipients"] == ["b@shop.example"]
    assert reply["report"]["query"]["filters"] == {"item_code": str(2**70)}


def test_a_change_asks_for_the_revision_that_was_read(boss: httpx.Client, stored: Stored) -> None:
    old = made(boss)
    path = f"/api/reports/schedules/{old['schedule_id']}"
    stored.report_schedules.update_one({"_id": old["schedule_id"]}, {"$set": {"unsubscribed": ["a@shop.example"]}})
    changed = boss.put(path, json=body(cron="0 8 * * *", revision=1)).json()
    assert (changed["cron"], changed["revision"], changed["unsubscribed"]) == ("0 8 * * *", 2, ["a@shop.example"])
    assert changed["next"] != old["next"]
    again = boss.put(path, json=body(revision=1))
    assert (again.status_code, "revision 2 now" in again.json()["detail"]) == (409, True)
    kind = boss.put(path, json=body(kind="materialise", report=None, recipients=[], revision=2))
    assert (kind.status_code, "kind: it stays report" in kind.json()["detail"]) == (400, True)


def test_pause_resume_and_draft(boss: httpx.Client, stored: Stored) -> None:
    draft = made(boss, draft=True, recipients=[])
    path = f"/api/reports/schedules/{draft['schedule_id']}"
    assert (draft["state"], draft["next"]) == ("draft", [])
    refused = boss.post(f"{path}/resume")
    assert (refused.status_code, "recipients: a report" in refused.json()["detail"]) == (400, True)
    boss.put(path, json=body(revision=1)).raise_for_status()
    assert boss.post(f"{path}/resume").json()["state"] == "active"
    stored.report_schedules.update_one({"_id": draft["schedule_id"]}, {"$set": {"failures": 4}})
    paused = boss.post(f"{path}/pause").json()
    assert (paused["state"], paused["next"], paused["paused_reason"][:10]) == ("paused", [], "Paused by ")
    resumed = boss.post(f"{path}/resume").json()
    assert (resumed["state"], resumed["paused_reason"], resumed["failures"]) == ("active", None, 0)
    due = (stored.report_schedules.find_one({"_id": draft["schedule_id"]}) or {})["next_due_at"]
    assert due > datetime.now(UTC)
    this_second = datetime(2026, 1, 5, 7, tzinfo=UTC)
    stored.report_schedules.update_one({"_id": draft["schedule_id"]}, {"$set": {"next_due_at": this_second}})
    boss.post(f"{path}/resume").raise_for_status()
    kept = stored.report_schedules.find_one({"_id": draft["schedule_id"]}) or {}
    assert kept["next_due_at"] == this_second


def test_runs_of_people_say_what_they_are_for(service: Service, boss: httpx.Client, stored: Stored) -> None:
    path = f"/api/reports/schedules/{made(boss)['schedule_id']}"
    name = boss.get("/api/auth/me").json()["username"]
    none = boss.post(f"{path}/test")
    assert (none.status_code, "your own e-mail" in none.json()["detail"]) == (409, True)
    service.admin.patch(f"/api/auth/users/{name}", json={"email": "boss@shop.example"}).raise_for_status()
    found = [boss.post(f"{path}/{what}") for what in ("run", "test", "preview")]
    assert [reply.status_code for reply in found] == [202, 202, 202]
    assert [reply.json()["purpose"] for reply in found] == ["now", "test", "preview"]
    history = boss.get(f"{path}/runs").json()
    assert [run["run_id"] for run in history] == [reply.json()["run_id"] for reply in reversed(found)]
    document = stored.report_runs.find_one({"_id": found[1].json()["run_id"]}) or {}
    assert (document["requested_email"], document["schedule"]["recipients"]) == (
        "boss@shop.example",
        ["a@shop.example"],
    )
    assert (document["rank"], document["due_at"], document["requested_by"]) == (0, None, name)
    asked = boss.get(
        "/api/reports/runs", params={"schedule_id": path.rsplit("/", maxsplit=1)[-1], "status": "queued", "limit": 1}
    )
    assert [run["run_id"] for run in asked.json()] == [history[0]["run_id"]]
    stored.report_runs.delete_many({"schedule_id": path.rsplit("/", maxsplit=1)[-1]})


def test_nobody_fills_the_queue(service: Service, stored: Stored) -> None:
    eager = service.person("supervisor")
    path = f"/api/reports/schedules/{made(eager)['schedule_id']}"
    codes = [eager.post(f"{path}/preview").status_code for _ in range(22)]
    stored.report_runs.delete_many({"schedule_id": path.rsplit("/", maxsplit=1)[-1]})
    assert codes == [202] * 20 + [409] * 2


def test_nobody_has_more_schedules_than_they_may(service: Service, stored: Stored) -> None:
    keen = service.person("supervisor")
    first = made(keen, draft=True)
    document = stored.report_schedules.find_one({"_id": first["schedule_id"]}) or {}
    most = service.settings.schedules_per_person
    stored.report_schedules.insert_many([document | {"_id": f"many-{number}"} for number in range(most - 2)])
    made(keen)
    refused = keen.post("/api/reports/schedules", json=body())
    assert (refused.status_code, refused.json()["detail"][:23]) == (409, f"You have {most} schedules,")
    made(service.person("supervisor"))
    keen.delete(f"/api/reports/schedules/{first['schedule_id']}").raise_for_status()
    made(keen)
    stored.report_schedules.delete_many({"_id": {"$regex": "^many-"}})


def test_who_may_do_what(service: Service, boss: httpx.Client) -> None:
    path = f"/api/reports/schedules/{made(boss)['schedule_id']}"
    other, auditor, staff = (service.person(role) for role in ("supervisor", "auditor", "staff"))
    writes = [("PUT", "", body(revision=1)), ("DELETE", "", None)]
    writes += [("POST", f"/{what}", None) for what in ("pause", "resume", "run", "test", "preview")]
    for method, what, data in writes:
        for client in (other, auditor, staff):
            assert client.request(method, path + what, json=data).status_code == 403, (method, what)
    assert [client.get(path).status_code for client in (other, auditor, staff)] == [200, 200, 403]
    assert auditor.post("/api/reports/schedules", json=body()).status_code == 403
    assert service.admin.put(path, json=body(revision=1)).status_code == 200
    assert service.admin.delete(path).json()["success"]
    assert boss.get(path).status_code == 404


def test_what_belongs_to_the_house_is_paused_and_retimed_only(
    service: Service, boss: httpx.Client, stored: Stored
) -> None:
    from jobs.schedules.store import ScheduleStore

    ScheduleStore(stored).ensure_builtin("Asia/Kolkata", datetime.now(UTC))
    path = "/api/reports/schedules/sch-backup"
    assert boss.post(f"{path}/pause").status_code == 403
    assert service.admin.delete(path).status_code == 409
    retimed = service.admin.put(path, json=body(cron="15 4 * * *", zone="UTC", revision=1)).json()
    assert (retimed["cron"], retimed["kind"], retimed["name"]) == ("15 4 * * *", "backup", "Backup of the database")
    ScheduleStore(stored).ensure_builtin("Asia/Kolkata", datetime.now(UTC))
    assert service.admin.get(path).json() == retimed
    assert service.admin.post(f"{path}/pause").json()["state"] == "paused"
    assert service.admin.post(f"{path}/test").status_code == 400
    assert service.admin.post(f"{path}/run").status_code == 202
    stored.report_runs.delete_many({"schedule_id": "sch-backup"})
    stored.report_schedules.delete_many({"builtin": True})


def test_changes_are_in_the_audit_log(service: Service, boss: httpx.Client, stored: Stored) -> None:
    schedule_id = made(boss)["schedule_id"]
    path = f"/api/reports/schedules/{schedule_id}"
    boss.put(path, json=body(revision=1)).raise_for_status()
    for what in ("pause", "resume", "run"):
        boss.post(f"{path}/{what}").raise_for_status()
    boss.delete(path).raise_for_status()
    found = stored.activity_logs.find({"subject": schedule_id}).sort("at", 1)
    assert [each["action"].removeprefix("schedule.") for each in found] == [
        "made",
        "changed",
        "paused",
        "resumed",
        "run",
        "deleted",
    ]
    stored.report_runs.delete_many({"schedule_id": schedule_id})


def test_next_times_of_what_is_not_saved_yet(boss: httpx.Client) -> None:
    reply = boss.post("/api/reports/schedules/next", json={"cron": "30 7 * * *", "zone": "Asia/Kolkata"})
    assert reply.status_code == 200
    assert [each["local"][11:] for each in reply.json()] == ["07:30:00+05:30"] * 5
    assert [each["utc"][11:] for each in reply.json()] == ["02:00:00+00:00"] * 5
    assert boss.post("/api/reports/schedules/next", json={"cron": "* * * * *", "zone": "UTC"}).status_code == 400


def test_a_list_is_filtered(service: Service, boss: httpx.Client) -> None:
    mine = service.person("supervisor")
    first, second = made(mine, draft=True), made(mine)
    name = mine.get("/api/auth/me").json()["username"]
    listed = boss.get("/api/reports/schedules", params={"owner": name}).json()
    assert [each["schedule_id"] for each in listed] == [second["schedule_id"], first["schedule_id"]]
    drafts = boss.get("/api/reports/schedules", params={"owner": name, "state": "draft"}).json()
    assert [each["schedule_id"] for each in drafts] == [first["schedule_id"]]
    assert boss.get("/api/reports/schedules", params={"state": "asleep"}).status_code == 400


def test_a_preview_shows_the_letter_with_its_pictures(service: Service, boss: httpx.Client, stored: Stored) -> None:
    path = f"/api/reports/schedules/{made(boss)['schedule_id']}"
    run_id = boss.post(f"{path}/preview").json()["run_id"]
    assert boss.get(f"/api/reports/runs/{run_id}/preview").status_code == 410
    picture = service.settings.data_dir / "p.png"
    picture.write_bytes(b"\x89PNG")
    image = enclosure(picture, "p.png", "image/png")
    letter = Letter(subject="S", text="T", html='<img src="cid:p.png">', images=(image,), late=True)
    keep(service.settings.mails, run_id, letter, {"p.png": picture})
    shown = boss.get(f"/api/reports/runs/{run_id}/preview").json()
    assert (shown["html"], shown["subject"], shown["late"]) == ('<img src="data:image/png;base64,iVBORw==">', "S", True)
    assert boss.get("/api/reports/runs/run-nothing/preview").status_code == 404
    stored.report_runs.delete_many({"_id": run_id})
