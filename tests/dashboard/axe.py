"""axe-core over a page: what it finds serious or critical, and what of that is not ours to mend."""

from typing import Any, NamedTuple

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

_GRAVE = ("serious", "critical")
_CONTRAST = {"runOnly": ["color-contrast"]}
_FADED = 'data-stale="true"'
"""What Streamlit is just drawing anew is pale for a moment."""


class Known(NamedTuple):
    """What Streamlit itself draws so: the rule, a text of the selector or the HTML by which it is known, and why it
    stays."""

    rule: str
    mark: str
    reason: str


KNOWN: tuple[Known, ...] = ()


def findings(page: Page, only_colours: bool = False) -> list[str]:
    """The rules that are broken gravely, each with its element, one a line."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    asked = {"resultTypes": ["violations"], **(_CONTRAST if only_colours else {})}
    for _ in range(5):
        page.wait_for_function("mark => !document.querySelector(`[${mark}]`)", arg=_FADED)
        found = _look(page, asked)
        if not any(_FADED in each for each in found):
            break
    return found


def _look(page: Page, asked: dict[str, Any]) -> list[str]:
    found: dict[str, Any] = page.evaluate("asked => axe.run(document, asked)", asked)
    return [
        f"{each['id']} ({each['impact']}): {' '.join(map(str, node['target']))} {node['html'][:200]}"
        for each in found["violations"]
        if each["impact"] in _GRAVE
        for node in each["nodes"]
        if not _is_known(each["id"], f"{node['target']} {node['html']}")
    ]


def _is_known(rule: str, where: str) -> bool:
    return any(known.rule == rule and known.mark in where for known in KNOWN)
