"""Text from outside stays text."""

import pytest

from dashboard.markup import literal, verbatim


def test_every_mark_of_markdown_is_escaped() -> None:
    assert literal("a*b_[c](d)$e$:red[f]<g>`h`") == r"a\*b\_\[c\]\(d\)\$e\$\:red\[f\]\<g\>\`h\`"


def test_lines_become_one_so_that_no_list_or_heading_begins() -> None:
    assert literal("one\n\n# two\n- three") == r"one \# two \- three"


def test_letters_digits_and_other_scripts_stay() -> None:
    assert literal("Regal 12 – Größe 漢字") == "Regal 12 – Größe 漢字"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a@shop.example", "` a@shop.example `"), ("a`b``c\n", "``` a`b``c ```"), ("", "")],
)
def test_addresses_stand_as_code_of_which_nothing_becomes_a_link(text: str, shown: str) -> None:
    assert verbatim(text) == shown
