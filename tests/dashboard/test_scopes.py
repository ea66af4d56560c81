"""The dashboard of somebody who may see some floors only: every page, and what is kept in memory for others."""

import io
import re
from pathlib import Path

import msgspec
import openpyxl
import pyarrow as pa
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from analytics.figures import EXACT, overview
from analytics.lake.removing import remove
from analytics.lake.scoped import ScopedLake, root_within
from dashboard import heading
from dashboard.app import _OF_ALL_FLOORS, _SCREENS
from stockverify.vocabulary import Collection
from tests.dashboard.conftest import OpenApp, Stocked, made, metrics, press, sign_in, texts
from tests.ingest.crowd import new_user
from tests.service import Service

DASHBOARD = Path(__file__).parent.parent.parent / "dashboard"


@pytest.fixture
def floors(stocked: Stocked) -> list[str]:
    """All floors of the stock, in order."""
    return sorted(stocked.database[Collection.ERP_ITEMS].distinct("floor"))


@pytest.fixture
def scoped(open_app: OpenApp, stocked: Stocked, office: Service, floors: list[str]) -> AppTest:
    """The overview, as a supervisor of the first floor sees it, right after somebody who sees all has looked."""
    sign_in(open_app(office.settings), office.person("supervisor"))
    name = new_user(office, office.rack("scoped").lower(), "supervisor", floors=floors[:1])
    at = sign_in(open_app(office.settings), name)
    assert not at.exception
    return at


def everything(at: AppTest) -> str:
    """All that is written, tabled, drawn or offered on a page."""
    offered = [str(option) for box in [*at.selectbox, *at.multiselect] for option in box.options]
    tables = [table.value.to_csv() for table in at.dataframe]
    return "\n".join([texts(at), *metrics(at).values(), *offered, *tables, *drawn(at)])


def drawn(at: AppTest) -> list[str]:
    """The rows of each chart."""
    charts = [chart.proto for chart in at.get("vega_lite_chart")]
    frames = [pa.ipc.open_stream(kept.data.data).read_pandas() for chart in charts for kept in chart.datasets]
    return [frame.to_csv() for frame in frames]


def test_the_first_look_says_what_it_waits_for(
    open_app: OpenApp, office: Service, stocked: Stocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page stood half drawn and still while the lines of the floors were copied."""
    said, spinner = list[str](), st.spinner
    monkeypatch.setattr(st, "spinner", lambda text, **looks: said.append(text) or spinner(text, **looks))
    floors = [office.rack("a floor of their own")]
    name = new_user(office, office.rack("first").lower(), "supervisor", floors=floors)
    at = sign_in(open_app(office.settings), name)
    assert said.count(heading._COPYING) == 1
    remove(root_within(stocked.settings.lake, floors), stocked.older.snapshot_id)
    at.switch_page("screens/compare.py").run()
    assert said.count(heading._COPYING) == 2, "the one before"
    at.switch_page("screens/explore.py").run()
    assert (said.count(heading._COPYING), at.exception) == (2, [])


def test_the_overview_has_the_figures_of_the_floors(scoped: AppTest, stocked: Stocked, floors: list[str]) -> None:
    totals = overview(ScopedLake(stocked.lake, floors[:1]), stocked.newer.snapshot_id, EXACT).totals
    whole = overview(stocked.lake, stocked.newer.snapshot_id, EXACT).totals
    assert totals.lines != whole.lines
    assert f"{totals.lines:,}" in everything(scoped).replace("\\", "")
    assert f"{whole.lines:,}" not in everything(scoped).replace("\\", "")
    assert f"Only {floors[0]}" in texts(scoped).replace("\\", "")


@pytest.mark.parametrize("name", [name for _, name, _, _ in _SCREENS if name != "people"])
def test_no_page_shows_other_floors(scoped: AppTest, floors: list[str], name: str) -> None:
    at = scoped.switch_page(str(Path("screens") / f"{name}.py")).run()
    assert not at.exception
    assert "could not be shown" not in texts(at)
    refused = name in _OF_ALL_FLOORS
    assert ("Not allowed" in texts(at)) is refused, "what is offered does not refuse"
    assert not (refused and [*at.file_uploader, *at.text_input, *at.selectbox, *at.button_group]), "nor asks first"
    shown = everything(at).replace("\\", "")
    assert [floor for floor in floors[1:] if re.search(rf"\b{re.escape(floor)}\b", shown)] == []


def test_whoever_signs_in_again_with_fewer_floors_finds_nothing_of_the_others(
    open_app: OpenApp, office: Service, floors: list[str]
) -> None:
    name = new_user(office, office.rack("narrowed").lower(), "supervisor")
    query = {"live": "1", "question": '{"collection":"verification_records","group_by":["floor"]}'}
    at = sign_in(open_app(office.settings, **query), name, "explore")
    at.query_params.update(query)
    at.run()
    assert {floors[0], floors[1]} <= set(at.dataframe[0].value["floor"])
    at.session_state["floor_seen"] = "what a wide look has left behind"
    office.admin.patch(f"/api/auth/users/{name}", json={"floors": floors[:1]}).raise_for_status()
    keeper = at.session_state["keeper"]
    keeper.login = msgspec.structs.replace(keeper.login, checked_at=keeper.login.checked_at.replace(year=2020))
    assert "Your session has ended" in texts(at.run())
    sign_in(at, name)
    assert not at.exception
    assert at.dataframe[0].value["floor"].tolist() == floors[:1]
    assert "floor_seen" not in at.session_state


def test_whoever_signs_in_after_somebody_else_begins_with_nothing(
    scoped: AppTest, office: Service, stocked: Stocked
) -> None:
    scoped.session_state["explore_live"] = {"what": "they asked"}
    press(scoped, "Sign out")
    assert "explore_live" not in scoped.session_state
    scoped.session_state["made_positions"] = "what was left while nobody was signed in"
    sign_in(scoped, office.person("auditor"))
    assert "made_positions" not in scoped.session_state


def test_a_link_with_a_question_is_answered_within_the_floors(
    open_app: OpenApp, office: Service, stocked: Stocked, floors: list[str]
) -> None:
    name = new_user(office, office.rack("linked").lower(), "supervisor", floors=floors[:1])
    question = '{"collection":"positions","group_by":["floor"],"aggregations":{"item_code":"count"}}'
    at = open_app(office.settings, snapshot=stocked.older.snapshot_id, question=question)
    at = sign_in(at, name, "snapshots")
    assert not at.exception
    values = {str(value) for table in at.dataframe for column in table.value.values.T for value in column}
    assert not values & set(floors[1:])


def test_an_export_holds_the_floors(scoped: AppTest, floors: list[str]) -> None:
    at = scoped.switch_page("screens/export.py").run()
    book = openpyxl.load_workbook(io.BytesIO(made(at).content()), read_only=True)
    cells = {str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row}
    assert floors[0] in cells
    assert not cells & set(floors[1:])


def test_the_lake_is_opened_in_one_place_which_knows_who_asks() -> None:
    """A page that found its own way to the lake would show it to everybody."""
    ways = re.compile(r"\bLake\(|\bfrom_env\(|lake_dir|\.data_dir\b")
    users = {
        path.name: ways.findall(path.read_text())
        for path in sorted(DASHBOARD.rglob("*.py"))
        if ways.search(path.read_text())
    }
    assert set(users) == {"context.py", "__main__.py", "secrets_file.py"}, users
