"""The dashboard of somebody who may see some floors only: every page, and what is kept in memory for others."""

import io
import re
from pathlib import Path

import openpyxl
import pytest
from streamlit.testing.v1 import AppTest

from analytics.figures import EXACT, overview
from analytics.lake.scoped import ScopedLake
from dashboard.app import _SCREENS
from stockverify.vocabulary import Collection
from tests.dashboard.conftest import OpenApp, Stocked, made, metrics, sign_in, texts
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
    """All that is written or tabled on a page."""
    tables = [table.value for table in at.dataframe]
    return "\n".join([texts(at), *metrics(at).values(), *(table.to_csv() for table in tables)])


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
    shown = everything(at).replace("\\", "")
    assert [floor for floor in floors[1:] if re.search(rf"\b{re.escape(floor)}\b", shown)] == []


def test_a_link_with_a_question_is_answered_within_the_floors(
    open_app: OpenApp, office: Service, stocked: Stocked, floors: list[str]
) -> None:
    name = new_user(office, office.rack("linked").lower(), "supervisor", floors=floors[:1])
    question = '{"collection":"positions","group_by":["floor"],"aggregations":{"item_code":"count"}}'
    at = open_app(office.settings, snapshot=stocked.older.snapshot_id, question=question)
    at = sign_in(at, name).switch_page("screens/snapshots.py").run()
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
