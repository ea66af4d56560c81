"""What the dashboard keeps in memory is kept for everybody, so nothing of it may depend on who is signed in."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import dashboard
from tests.dashboard.conftest import OpenApp, Stocked, sign_in
from tests.service import Service

ROOT = Path(dashboard.__path__[0])
# A question, and where its answer lies: the lake, a snapshot or two, and what is asked of them.
ASKED = {"root", "snapshot_id", "baseline", "dataset", "spec", "tolerance", "tolerances", "total", "by", "url", "level"}
ASKED |= {"column", "report_id", "skip", "limit", "proof", "manner", "_ask"}
PERSONAL = {"keeper", "login", "desk", "open_desk", "session_state", "query_params", "user", "token", "context"}


class Kept(NamedTuple):
    """A function whose answers are kept."""

    name: str
    places: frozenset[str]
    words: frozenset[str]


def kept() -> Iterator[Kept]:
    """All of them, with their arguments and the names that they use."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any("cache_" in ast.unparse(each) for each in node.decorator_list):
                body = [inner for line in node.body for inner in ast.walk(line)]
                names = {inner.id for inner in body if isinstance(inner, ast.Name)}
                parts = {inner.attr for inner in body if isinstance(inner, ast.Attribute)}
                arguments = frozenset(each.arg for each in (*node.args.args, *node.args.kwonlyargs))
                yield Kept(f"{path.relative_to(ROOT)}: {node.name}", arguments, frozenset(names | parts))


def test_there_is_something_to_look_at() -> None:
    assert len(list(kept())) > 10


@pytest.mark.parametrize("found", list(kept()), ids=lambda found: found.name)
def test_what_is_kept_depends_on_no_person(found: Kept) -> None:
    assert found.places <= ASKED, "a new question is fine: add its name here, unless it says who asks"
    assert not found.words & PERSONAL


def test_two_people_are_told_apart_by_the_same_process(open_app: OpenApp, stocked: Stocked, service: Service) -> None:
    first = sign_in(open_app(stocked.settings), service.person("supervisor"))
    second = sign_in(open_app(stocked.settings), service.person("auditor"))
    shown = [[button.label for button in at.button] for at in (first.run(), second.run())]
    assert ["Take snapshot now" in labels for labels in shown] == [True, False]
