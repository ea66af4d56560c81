"""Anomalies, over the real service: what is shown, and what becomes of what people say."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from pymongo.database import Database
from streamlit.testing.v1 import AppTest

from analytics.anomalies import evidence
from jobs.flags import FlagStore
from stockverify.clients import Document
from stockverify.datasets import POSITIONS, RECORDS
from stockverify.vocabulary import Collection, RunKind, RunStatus
from tests.dashboard.conftest import OpenApp, Stocked, sign_in, texts
from tests.ingest.test_flags import completed, row
from tests.service import Service, claim

Page = Callable[[str], AppTest]
Stored = Database[Document]


class Scene(NamedTuple):
    """A flag on a line of the newest snapshot, whose rack is completed; its counter has no other flags."""

    flag_id: str
    rack: str
    counter: str
    proof: list[str]


@pytest.fixture
def scan(stored: Stored, stocked: Stocked) -> Iterator[None]:
    """The worker has looked at the newest snapshot."""
    now = datetime.now(UTC)
    run = {"_id": "scanned", "kind": RunKind.ANOMALY_SCAN.value, "status": RunStatus.SUCCEEDED.value}
    run |= {"requested_by": "the schedule", "error": None}
    stored[Collection.RUNS].insert_one(
        run | {"snapshot_id": stocked.newer.snapshot_id, "requested_at": now, "finished_at": now}
    )
    yield
    stored[Collection.RUNS].delete_one({"_id": "scanned"})


@pytest.fixture
def scene(service: Service, stored: Stored, stocked: Stocked, scan: None) -> Scene:
    """One flag, kept as a scan keeps it."""
    flag_id, rack, counter = service.rack("a"), completed(service), service.rack("counter")
    record = stocked.database[Collection.RECORDS].find_one({"status": "finalized"})
    assert record is not None
    proof = [record["rack_id"], record["bin"] or "", record["item_code"]]
    why = "Counted <b>720</b> where the [book](https://example.com) says 20."
    made = row(flag_id, severity=0.75, racks=[rack], counters=[counter], proof=[proof], why=why)
    FlagStore(stored).keep([made], stocked.newer.snapshot_id, datetime.now(UTC))
    return Scene(flag_id, rack, counter, proof)


@pytest.fixture
def at(page: Page, scene: Scene) -> AppTest:
    """The page, at that flag, as a supervisor sees it."""
    at = page("anomalies")
    at.query_params["flag"] = scene.flag_id
    return at.run()


def field(at: AppTest, label: str) -> Any:
    return next(each for each in at.text_input if each.label == label)


def press(at: AppTest, label: str) -> AppTest:
    """Press a button, and see that nothing broke."""
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception
    return at


def plain(at: AppTest) -> str:
    return texts(at).replace("\\", "")


def kept(service: Service, scene: Scene) -> dict[str, Any]:
    """The flag as the service has it."""
    return dict(service.admin.get(f"/api/reports/flags/{scene.flag_id}").json())


def test_a_flag_says_why_against_what_and_shows_the_rows_that_prove_it(
    at: AppTest, scene: Scene, stocked: Stocked
) -> None:
    written = plain(at)
    assert "Counted <b>720</b> where the [book](https://example.com) says 20." in written
    assert r"\[book\]\(https" in texts(at)
    assert "severity 0.75, 4.0 times its limit" in written
    assert "Usual: 40 counted lines of Tools." in written
    assert written.count(stocked.newer.snapshot_id) >= 2
    assert ":green-badge[Latest] **Noon count** · as of **" in written
    shown = at.dataframe[-1].value
    (expected,) = evidence(stocked.lake, stocked.newer.snapshot_id, POSITIONS.name, [scene.proof]).to_dicts()
    names = ["rack_id", "bin", "item_code", "book_qty", "verified_qty", "counted_by"]
    assert shown[names].to_numpy().tolist() == [[expected[name] for name in names]]
    assert "The row that proves it, as of " in written
    (link,) = at.get("page_link")
    assert link.proto.label == "Open this line"
    assert f"snapshot={stocked.newer.snapshot_id}" in link.proto.query_string
    assert "question=" in link.proto.query_string


def test_a_recount_needs_a_reason_and_opens_the_rack(at: AppTest, scene: Scene, service: Service) -> None:
    press(at, "Ask for a recount")
    assert "give a reason of at least three letters" in plain(at)
    assert kept(service, scene)["recount"] is None
    field(at, "Reason").set_value("Looks like a typo")
    press(at, "Ask for a recount")
    assert f"Open for another counting round: {scene.rack}." in plain(at)
    assert service.admin.get(f"/api/racks/{scene.rack}/status").json()["status"] == "reverify_requested"
    assert f"asked for a recount of {scene.rack} at" in plain(at)
    assert f"Only completed racks can be opened. {scene.rack}: to be recounted." in plain(at)
    assert at.query_params["flag"] == [scene.flag_id] or at.query_params["flag"] == scene.flag_id


def test_whoever_takes_the_rack_first_stands_in_the_way_and_it_is_said(
    at: AppTest, scene: Scene, service: Service
) -> None:
    service.admin.post(f"/api/racks/{scene.rack}/reverify").raise_for_status()
    claim(service.person(), scene.rack)
    field(at, "Reason").set_value("Looks like a typo")
    press(at, "Ask for a recount")
    assert "Nothing was opened" in plain(at)
    assert f"Rack {scene.rack} is claimed; only a completed rack" in plain(at)
    assert kept(service, scene)["recount"] is None


def test_a_dismissal_needs_a_note_goes_on_and_can_be_undone(at: AppTest, scene: Scene, service: Service) -> None:
    press(at, "Dismiss")
    assert "Say why it needs no look" in plain(at)
    field(at, "Note").set_value("A pallet on the move")
    press(at, "Dismiss")
    assert "## :material/check_circle: Dismissed" in texts(at)
    assert kept(service, scene)["dismissed"]["note"] == "A pallet on the move"
    at.query_params["flag"] = scene.flag_id
    at.run()
    assert ": A pallet on the move" in plain(at)
    assert "Ask for a recount" not in [button.label for button in at.button]
    at.button_group[0].set_value("dismissed").run()
    field(at, "Counted by").set_value(scene.counter).run()
    assert at.dataframe[0].value["said"].to_list() == [
        f"Dismissed by {kept(service, scene)['dismissed']['by']}: A pallet on the move"
    ]
    press(at, "Undo")
    assert "is no longer dismissed" in plain(at)
    assert (kept(service, scene)["state"], kept(service, scene)["dismissed"]) == ("open", None)


def test_whoever_is_slower_sees_what_the_faster_one_said(at: AppTest, scene: Scene, service: Service) -> None:
    field(at, "Note").set_value("A pallet on the move")
    faster = {"note": "Was checked yesterday"}
    service.admin.post(f"/api/reports/flags/{scene.flag_id}/dismiss", json=faster).raise_for_status()
    press(at, "Dismiss")
    written = plain(at)
    assert "was dismissed before, by admin at" in written
    assert "Dismissed by admin at" in written
    assert kept(service, scene)["dismissed"]["note"] == "Was checked yesterday"


def test_a_form_is_answered_for_its_own_flag_whatever_the_address_names_by_then(
    at: AppTest, scene: Scene, service: Service, stored: Stored, stocked: Stocked
) -> None:
    other = row(f"{scene.flag_id}-other", counters=[scene.counter])
    FlagStore(stored).keep([other], stocked.newer.snapshot_id, datetime.now(UTC))
    field(at, "Note").set_value("A pallet on the move")
    at.query_params["flag"] = f"{scene.flag_id}-other"
    press(at, "Dismiss")
    assert kept(service, scene)["state"] == "dismissed"


def test_rows_of_a_snapshot_that_is_gone_are_missed_in_words(at: AppTest, scene: Scene, stored: Stored) -> None:
    gone = {"last_snapshot_id": "20200101T000000000Z-00000000", "state": "gone"}
    stored[Collection.ANOMALY_FLAGS].update_one({"_id": scene.flag_id}, {"$set": gone})
    written = plain(at.run())
    assert "The rows that prove it cannot be shown" in at.info[0].value
    assert "The latest scan did not find it any more." in written
    assert not at.get("page_link")


def test_filters_and_pages_say_how_much_they_show(
    page: Page, scene: Scene, service: Service, stored: Stored, stocked: Stocked
) -> None:
    proof = [["c-nowhere"]]
    more = [
        row(f"{scene.flag_id}-{n:03}", severity=0.5, counters=[scene.counter], dataset=RECORDS.name, proof=proof)
        for n in range(100)
    ]
    FlagStore(stored).keep(more, stocked.newer.snapshot_id, datetime.now(UTC))
    at = page("anomalies")
    field(at, "Counted by").set_value(scene.counter).run()
    assert "Showing 1 to 100 of 101, the most severe first." in texts(at)
    assert at.dataframe[0].value["severity"].to_list() == [0.75] + [0.5] * 99
    assert next(box for box in at.selectbox if box.label == "Flag").value == scene.flag_id
    press(at, "Next")
    assert at.query_params["flag"] in (f"{scene.flag_id}-000", [f"{scene.flag_id}-000"])
    field(at, "Rack").set_value(scene.rack).run()
    assert "All 1 shown, the most severe first." in texts(at)
    at.multiselect(key="filter_kind").set_value(["sudden_change"]).run()
    assert "All 0 shown, the most severe first." in texts(at)
    assert "Nothing is flagged here" in texts(at)
    assert "flag" not in at.query_params
    stored[Collection.ANOMALY_FLAGS].delete_many({"counters": scene.counter})


def test_a_link_shows_the_list_as_it_was_filtered(page: Page, scene: Scene) -> None:
    """A reload, and whoever was sent the address, saw all flags again."""
    at = page("anomalies")
    field(at, "Counted by").set_value(f" {scene.counter} ").run()
    at.multiselect(key="filter_kind").set_value(["variance_outlier"]).run()
    at.segmented_control(key="filter_state").set_value("dismissed").run()
    asked = {name: "".join(at.query_params[name]) for name in ("counted_by", "kind", "state")}
    assert asked == {"counted_by": scene.counter, "kind": "variance_outlier", "state": "dismissed"}
    assert "All 0 shown, the most severe first." in texts(at)
    at.segmented_control(key="filter_state").set_value("open").run()
    assert "state" not in at.query_params
    assert "All 1 shown, the most severe first." in texts(at)
    for name, value in {"kind": "sudden_change,<b>", "rack": scene.rack, "state": "'; --"}.items():
        at.query_params[name] = value
    at.run()
    assert "All 0 shown, the most severe first." in texts(at)
    at.query_params["kind"] = "<b>"
    at.query_params["counted_by"] = "x" * 257
    at.run()
    assert "All 1 shown, the most severe first." in texts(at)
    assert (field(at, "Rack").value, field(at, "Counted by").value) == (scene.rack, "")


def test_before_the_first_scan_the_page_says_when_there_will_be_one(page: Page, stored: Stored) -> None:
    stored[Collection.RUNS].delete_many({"kind": RunKind.ANOMALY_SCAN.value})  # tests before this one share the service
    at = page("anomalies")
    field(at, "Counted by").set_value("nobody at all").run()
    assert "Nobody has looked yet" in texts(at)
    assert "Nothing is flagged here" not in texts(at)


def test_a_link_to_no_flag_is_explained(page: Page, scan: None) -> None:
    at = page("anomalies")
    at.query_params["flag"] = "../../auth/me"
    at.run()
    assert "Not found" in texts(at)
    assert not at.exception


def test_auditors_read_and_change_nothing(open_app: OpenApp, stocked: Stocked, service: Service, scene: Scene) -> None:
    at = sign_in(open_app(stocked.settings), service.person("auditor")).switch_page("screens/anomalies.py")
    at.query_params["flag"] = scene.flag_id
    at.run()
    assert "Auditors read and change nothing." in texts(at)
    assert {button.label for button in at.button} <= {"Sign out", "Refresh", "Previous", "Next"}
