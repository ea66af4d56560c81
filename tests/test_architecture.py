"""The arrows of the house: dashboard | jobs | ingest -> analytics -> stockverify, and one home for each library."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "stockverify": {"stockverify"},
    "analytics": {"analytics", "stockverify"},
    "ingest": {"ingest", "analytics", "stockverify"},
    "jobs": {"jobs", "analytics", "stockverify"},
    "dashboard": {"dashboard", "analytics", "stockverify"},
}
HOMES = {
    "litestar": ("ingest/",),
    "streamlit": ("dashboard/",),
    "apscheduler": ("jobs/ticker.py",),
    "jinja2": ("jobs/reports/look.py",),
    "cronsim": ("stockverify/cron.py",),
    "xlsxwriter": ("analytics/export/xlsx_file.py",),
    "duckdb": ("analytics/",),
    "argon2": ("ingest/auth/",),
    "jwt": ("ingest/auth/",),
}


def modules() -> list[Path]:
    """All modules of the five packages."""
    return sorted(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))


@cache
def imported(path: Path) -> frozenset[str]:
    """Top-level packages that a module imports, wherever in the module, by name or by importlib."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add((node.module or "").split(".")[0])
    return frozenset(found)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = imported(path) & MAY_IMPORT.keys()
    assert ours <= MAY_IMPORT[package]


@pytest.mark.parametrize("library", HOMES)
def test_each_library_has_one_home(library: str) -> None:
    users = {str(path.relative_to(ROOT)) for path in modules() if library in imported(path)}
    assert users, f"nobody uses {library} any more; drop it from the list and from pyproject.toml"
    assert all(user.startswith(HOMES[library]) for user in users), users


@pytest.mark.parametrize("path", sorted((ROOT / "ingest").glob("*/rules.py")), ids=lambda path: path.parent.name)
def test_rules_never_import_a_store(path: Path) -> None:
    tree = ast.parse(path.read_text())
    sources = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [source for source in sources if source.endswith(".store") or source.startswith(("pymongo", "redis"))]


def test_the_check_sees_a_forbidden_import(tmp_path: Path) -> None:
    module = tmp_path / "wrong.py"
    module.write_text("def late():\n    from ingest.app import create_app\n")
    assert imported(module) == {"ingest"}
