"""What a newcomer finds on each page of the demo: people who count at a human pace, one who has fallen silent, a
conflict that is settled, a mail that was refused."""

import re
from collections.abc import Callable, Mapping

from playwright.sync_api import expect

from tests.dashboard.pages import PATIENCE, Visit

_PACE = re.compile(r"Pace: (\d+) items per hour")


def _overview(visiting: Visit) -> None:
    pace = _PACE.search(visiting.page.inner_text("body"))
    assert pace, "the pace is a number without thousands"
    assert 150 <= int(pace[1]) <= 600


def _floor(visiting: Visit) -> None:
    expect(visiting.metric("Being counted")).to_have_text("2", timeout=PATIENCE)
    expect(visiting.metric("Paused")).to_have_text("1")
    _cells(visiting, "○ silent", "● here")
    expect(visiting.page.get_by_role("heading", name="Silent devices")).to_be_visible()
    _cells(visiting, "14")


def _conflicts(visiting: Visit) -> None:
    expect(visiting.page.get_by_text("Settled 1", exact=True)).to_be_visible()
    _cells(visiting, "Serial number in two places", "Counted twice at once")


def _anomalies(visiting: Visit) -> None:
    expect(visiting.page.get_by_text("Dismissed 1", exact=True)).to_be_visible()
    _cells(visiting, "Impossible speed", "Variance outlier", "Sudden change")


def _explore(visiting: Visit) -> None:
    """A template, so that there is a chart to look at."""
    page = visiting.page
    page.get_by_test_id("stSelectbox").filter(has_text="Start from").get_by_role("combobox").fill("Variance by cat")
    page.get_by_role("option", name=re.compile("Variance by category")).click()
    expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible(timeout=PATIENCE)
    visiting.settle()


def _compare(visiting: Visit) -> None:
    expect(visiting.page.get_by_text("For Variances by category")).to_be_visible()


def _schedules(visiting: Visit) -> None:
    _cells(visiting, "Morning summary", "Variances by category", "Draft")


def _deliveries(visiting: Visit) -> None:
    _cells(visiting, "Sent", "buying@shop.example", "Failed", "admin@home.example")


def _import(visiting: Visit) -> None:
    _cells(visiting, "Checked, not imported")


def _health(visiting: Visit) -> None:
    _cells(visiting, "sync.batch", "Take a snapshot", "rack locked")


def _nothing(visiting: Visit) -> None:
    """The figures of the snapshot are enough."""


CHECKS: Mapping[str, Callable[[Visit], None]] = {
    "Overview": _overview,
    "Live floor": _floor,
    "Conflicts": _conflicts,
    "Anomalies": _anomalies,
    "Explore": _explore,
    "Snapshots": _nothing,
    "Compare": _compare,
    "Export": _nothing,
    "Schedules": _schedules,
    "Deliveries": _deliveries,
    "Import": _import,
    "Health": _health,
}


def _cells(visiting: Visit, *texts: str) -> None:
    """Tables are drawn on a canvas; what stands in their cells is also there for screen readers."""
    for text in texts:
        cell = visiting.page.get_by_test_id("stDataFrame").locator("td").filter(has_text=re.compile(f"^{text}$"))
        expect(cell.first).to_be_attached(timeout=PATIENCE)
