"""Letters in a frame in which nothing can run. tests/dashboard/test_browser_mail.py tries that in Chromium."""

from html.parser import HTMLParser

from dashboard.views.letters import framed

HOSTILE = """<h1 title='"&quot;'>&amp;</h1><script>alert(1)</script></iframe><img src=x onerror="alert(2)">"""


class Elements(HTMLParser):
    """Collects the elements of a page with their attributes, as a browser would."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_letter_is_whole_within_one_attribute_of_an_empty_sandbox() -> None:
    found = Elements(framed(HOSTILE, 'The "mail" <b>')).found
    assert [tag for tag, _ in found] == ["html", "head", "meta", "meta", "title", "style", "body", "iframe"]
    frame = found[-1][1]
    assert (frame["srcdoc"], frame["sandbox"], frame["title"]) == (HOSTILE, "", 'The "mail" <b>')


def test_the_policy_fetches_nothing_and_runs_nothing() -> None:
    (policy,) = [attrs["content"] for tag, attrs in Elements(framed("", "")).found if "http-equiv" in attrs]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
