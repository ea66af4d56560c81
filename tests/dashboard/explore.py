"""How a person goes about the Explore page in a browser."""

from playwright.sync_api import expect

from tests.dashboard.pages import PATIENCE, Visit


def put_together(visiting: Visit) -> None:
    """Groups with a calculated field: what is missing at cost, by category."""
    page = visiting.page
    page.get_by_text("Calculated fields", exact=True).click()
    page.get_by_role("button", name="Add a calculated field").click()
    visiting.settle()
    page.get_by_label("Name", exact=True).first.fill("loss")
    page.get_by_label("Expression", exact=True).fill("(verified_qty - book_qty) * unit_cost")
    page.keyboard.press("Tab")
    visiting.settle()
    pick(visiting, "Group by", "Category")
    pick(visiting, "Figures", "Sum of loss")
    is_shown(visiting, "Item code count by category")
    page.get_by_test_id("stSelectbox").filter(has_text="The chart shows").get_by_role("combobox").click()
    page.get_by_role("option", name="Loss sum", exact=True).click()
    visiting.settle()


def pick(visiting: Visit, label: str, option: str) -> None:
    """One more of several."""
    visiting.page.get_by_test_id("stMultiSelect").filter(has_text=label).get_by_role("combobox").fill(option)
    visiting.page.get_by_role("option", name=option, exact=True).click()
    visiting.page.keyboard.press("Escape")
    visiting.settle()


def is_shown(visiting: Visit, title: str = "Loss sum by category") -> None:
    """The chart of the groups."""
    visiting.settle()
    chart = visiting.page.get_by_test_id("stVegaLiteChart")
    expect(chart).to_be_visible(timeout=PATIENCE)
    expect(visiting.page.get_by_text("Showing groups 1 to")).to_be_visible()
    expect(visiting.page.get_by_text(title).first).to_be_visible()


def shared(visiting: Visit) -> str:
    """The link that the page offers; it says the same as the address."""
    page = visiting.page
    page.get_by_role("button", name="Share").click()
    link = page.get_by_test_id("stCode").filter(has_text="question=").inner_text().strip()
    page.keyboard.press("Escape")
    return link


def save(visiting: Visit, name: str) -> None:
    """Save the query for everybody."""
    page = visiting.page
    page.get_by_role("button", name="Save").first.click()
    page.get_by_placeholder("Weekly shrinkage").fill(name)
    page.get_by_role("button", name="Save the query").click()
    expect(page.get_by_role("heading", name="Saved")).to_be_visible(timeout=PATIENCE)
    visiting.settle()


def keep(visiting: Visit, name: str) -> None:
    """Keep the rows as a report."""
    page = visiting.page
    page.get_by_role("button", name="Keep as report").click()
    page.get_by_placeholder("Shrinkage before the recount").fill(name)
    page.get_by_role("button", name="Keep the rows").click()
    expect(page.get_by_role("heading", name="Kept as a report")).to_be_visible(timeout=2 * PATIENCE)
    visiting.settle()
