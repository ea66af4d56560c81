"""Conflicts, over the real service: what is shown, and what settling does."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import OpenApp, Stocked, sign_in, texts
from tests.ingest import settling
from tests.ingest.settling import Scene
from tests.service import Service

Page = Callable[[str], AppTest]


def look(at: AppTest, scene: Scene) -> AppTest:
    """The page as a link to one conflict opens it."""
    at.query_params["conflict"] = scene.conflict_id
    return at.run()


def pick(at: AppTest, resolution: str) -> AppTest:
    """Choose how to settle."""
    (choice,) = [radio for radio in at.radio if radio.label == "Resolution"]
    return choice.set_value(resolution).run()


def press(at: AppTest, label: str) -> AppTest:
    """Press a button, and see that nothing broke."""
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception
    return at


def stored(service: Service, scene: Scene) -> dict[str, Any]:
    """The conflict as the service has it."""
    return dict(service.admin.get(f"/api/sync/conflicts/{scene.conflict_id}").json()["data"])


@pytest.fixture
def scene(service: Service) -> Scene:
    """Two sessions have counted one item."""
    return settling.concurrent_edit(service)


@pytest.fixture
def at(page: Page, scene: Scene) -> AppTest:
    """The page, at that conflict, as a supervisor sees it."""
    return look(page("conflicts"), scene)


def test_both_versions_stand_side_by_side_with_marks(at: AppTest, scene: Scene) -> None:
    sides = at.dataframe[1].value.set_index("field")
    assert sides.loc["Verified"].tolist() == ["≠", "8", "10"]
    assert sides.loc["Item code"].tolist() == ["", "ITEM-1", "ITEM-1"]
    assert next(box for box in at.selectbox if box.label == "Conflict").value == scene.conflict_id
    assert "0 earlier versions" in at.expander[0].label


def test_settling_takes_the_device_s_version_and_goes_on(at: AppTest, scene: Scene, service: Service) -> None:
    pick(at, "accept_local")
    next(field for field in at.text_input if field.label == "Note").set_value("Recounted by hand")
    press(at, "Settle")
    assert "## :material/check_circle: Settled" in texts(at)
    assert at.query_params.get("conflict") != scene.conflict_id
    found = stored(service, scene)
    assert (found["status"], found["resolution"]) == ("resolved", "accept_local")
    assert found["resolution_note"] == "Recounted by hand"


def test_a_merge_sends_the_corrected_fields(at: AppTest, scene: Scene, service: Service) -> None:
    pick(at, "merge")
    next(field for field in at.number_input if field.label.startswith("Verified")).set_value(9.0)
    press(at, "Settle")
    assert stored(service, scene)["merged_data"] == {"verified_qty": 9.0}


def test_a_merge_that_corrects_nothing_is_explained_and_not_sent(at: AppTest, scene: Scene, service: Service) -> None:
    press(pick(at, "merge"), "Settle")
    assert "Nothing was corrected" in texts(at)
    assert stored(service, scene)["status"] == "pending"


def test_a_merge_against_the_rules_is_said_in_the_service_s_words(at: AppTest, scene: Scene, service: Service) -> None:
    pick(at, "merge")
    next(field for field in at.number_input if field.label.startswith("Damaged")).set_value(99.0)
    press(at, "Settle")
    assert "breaks a rule" in texts(at)
    assert stored(service, scene)["status"] == "pending"


def test_whoever_is_slower_sees_the_outcome_of_the_faster(at: AppTest, scene: Scene, service: Service) -> None:
    pick(at, "accept_local")
    faster = {"resolution": "ignore", "resolution_note": "a duplicate"}
    service.admin.post(f"/api/sync/conflicts/{scene.conflict_id}/resolve", json=faster).raise_for_status()
    press(at, "Settle")
    written = texts(at).replace("\\", "")
    assert "was settled before, as ignore by admin" in written
    assert "Settled by admin at" in written
    assert "Ignore. Note: a duplicate" in written
    assert stored(service, scene)["resolution"] == "ignore"


def test_ticked_conflicts_are_settled_together(page: Page, service: Service) -> None:
    scenes = [settling.concurrent_edit(service) for _ in range(2)]
    users = {stored(service, scene)["user"] for scene in scenes}
    at = page("conflicts")
    ticked = at.dataframe[0]
    rows = [row for row, user in enumerate(ticked.value["counted_by"]) if user in users]
    assert len(rows) == 2
    at.session_state[ticked.key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    at.run()
    press(at, "Settle all ticked")
    assert "2 settled\\, 0 not" in texts(at)
    assert {stored(service, scene)["resolution"] for scene in scenes} == {"accept_server"}


def test_a_row_that_is_ticked_is_looked_at_and_settled_by_itself(page: Page, service: Service) -> None:
    """Below the queue stood the first conflict, whichever row was ticked, and between them a form for `1 alike`."""
    older, newer = (settling.concurrent_edit(service).conflict_id for _ in range(2))
    at = page("conflicts")
    for rows, looked_at, alike in (([1], older, False), ([1, 0], newer, True), ([1], newer, False)):
        at.session_state[at.dataframe[0].key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
        at.run()
        assert at.query_params["conflict"] in (looked_at, [looked_at])
        assert ("Settle all ticked" in [button.label for button in at.button]) is alike


def test_ticks_never_slip_to_another_conflict_when_the_queue_changes(page: Page, service: Service) -> None:
    mine, other = settling.concurrent_edit(service), settling.concurrent_edit(service)
    at = page("conflicts")
    at.session_state[at.dataframe[0].key] = {"selection": {"rows": [0, 1], "columns": [], "cells": []}}
    at.run()
    newer = settling.concurrent_edit(service)
    press(at, "Settle all ticked")
    assert "The queue has changed" in texts(at)
    assert {stored(service, scene)["status"] for scene in (mine, other, newer)} == {"pending"}


def test_filters_say_how_much_they_let_through(at: AppTest, scene: Scene, service: Service) -> None:
    next(field for field in at.text_input if field.label == "Counted by").set_value(
        stored(service, scene)["user"]
    ).run()
    assert "All 1 shown." in texts(at)
    at.multiselect[0].set_value(["rack_locked"]).run()
    assert "All 0 shown." in texts(at)
    del at.query_params["conflict"]
    assert "No conflict here" in texts(at.run())


def test_a_link_shows_the_queue_as_it_was_filtered(at: AppTest, scene: Scene, service: Service) -> None:
    """A reload, and whoever was sent the address, saw all that waits again."""
    user = stored(service, scene)["user"]
    next(field for field in at.text_input if field.label == "Counted by").set_value(f" {user} ").run()
    at.multiselect[0].set_value(["rack_locked", "concurrent_edit"]).run()
    at.segmented_control(key="filter_state").set_value("all").run()
    asked = {name: "".join(at.query_params[name]) for name in ("counted_by", "reason", "state")}
    assert asked == {"counted_by": user, "reason": "rack_locked,concurrent_edit", "state": "all"}
    assert "All 1 shown." in texts(at)
    at.query_params["state"] = "resolved"
    assert "All 0 shown." in texts(at.run())
    for name, value in {"state": "'; --", "reason": "<b>", "session": "x" * 129}.items():
        at.query_params[name] = value
    assert "All 1 shown." in texts(at.run())
    assert at.segmented_control(key="filter_state").value == "pending"
    at.query_params["counted_by"] = "\0[x](y)"
    at.run()
    assert not at.exception


def test_a_link_to_no_conflict_is_explained(page: Page) -> None:
    at = page("conflicts")
    at.query_params["conflict"] = "../../auth/me"
    at.run()
    assert "Not found" in texts(at)
    assert not at.exception


def test_auditors_read_and_settle_nothing(open_app: OpenApp, stocked: Stocked, service: Service, scene: Scene) -> None:
    at = sign_in(open_app(stocked.settings), service.person("auditor"))
    look(at.switch_page("screens/conflicts.py"), scene)
    assert "Auditors read and change nothing" in texts(at)
    assert not [button for button in at.button if button.label.startswith("Settle")]
