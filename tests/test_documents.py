"""Documents say what is true: every setting, command and word of the vocabulary is in them."""

import re
from enum import StrEnum
from pathlib import Path

import click
import pytest

from analytics.__main__ import main as analytics
from jobs.mail.commands import outbox as mails
from stockverify import vocabulary
from stockverify.cli import main
from stockverify.environment import table

DOCS = Path(__file__).parent.parent / "docs"
README = DOCS.parent / "README.md"


@pytest.mark.parametrize("row", table(), ids=lambda row: row.env.name)
def test_every_setting_is_documented_with_its_default_and_meaning(row) -> None:  # type: ignore[no-untyped-def]
    default = "" if row.default in (None, "") else f"`{row.default}`"
    secret = " (secret)" if row.env.secret else ""
    assert f"| `{row.env.name}` | {default} | {row.env.doc}{secret} |" in (DOCS / "settings.md").read_text()


def test_no_setting_is_documented_that_does_not_exist() -> None:
    named = set(re.findall(r"^\| `([A-Z_]+)`", (DOCS / "settings.md").read_text(), re.MULTILINE))
    assert named == {row.env.name for row in table()}


@pytest.mark.parametrize("name", main.list_commands(None))  # type: ignore[arg-type]
def test_every_command_is_in_the_readme_and_teaches(name: str) -> None:
    assert f"`stockverify {name}" in README.read_text()
    command = main.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    assert command.help


def options_of(name: str) -> set[str]:
    """Those of the command itself, also where another process carries it out."""
    ours = main.get_command(None, name)  # type: ignore[arg-type]
    theirs = mails if name == "outbox" else analytics.get_command(None, name)  # type: ignore[arg-type]
    found = [each for each in (ours, theirs) if each is not None]
    found += [sub for each in found if isinstance(each, click.Group) for sub in each.commands.values()]
    return {option for each in found for parameter in each.params for option in parameter.opts} | {"--help"}


@pytest.mark.parametrize("path", [*sorted(DOCS.rglob("*.md")), README], ids=lambda path: path.name)
def test_commands_that_documents_show_exist_with_their_options(path: Path) -> None:
    shown = re.findall(r"stockverify ([a-z]+)((?: [^`\n|#;]*)?)", "\n".join(code_in(path.read_text())))
    assert [name for name, _ in shown if name not in main.list_commands(None)] == []  # type: ignore[arg-type]
    options = [(name, option) for name, rest in shown for option in re.findall(r"--[a-z][a-z-]*", rest)]
    assert [each for each in options if each[1] not in options_of(each[0])] == []


def code_in(text: str) -> list[str]:
    """What stands between backticks, in fences, and indented by four."""
    fenced = re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return fenced + re.findall(r"(?<!`)`([^`]+)`(?!`)", text) + re.findall(r"^    (.*)$", text, re.MULTILINE)


def words() -> list[str]:
    """States, roles and statuses that people meet."""
    kinds = (
        vocabulary.Role,
        vocabulary.RackState,
        vocabulary.SessionStatus,
        vocabulary.RecordStatus,
        vocabulary.DeliveryState,
    )
    return sorted({str(word) for kind in kinds if issubclass(kind, StrEnum) for word in kind})


@pytest.mark.parametrize("word", words())
def test_every_word_is_in_the_glossary(word: str) -> None:
    assert word in (DOCS / "glossary.md").read_text()


@pytest.mark.parametrize("path", [*sorted(DOCS.rglob("*.md")), README], ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []
