"""Where expressions go wrong."""

import pytest

from dashboard.views.formulas import pointed
from dashboard.views.picks import Formula, Picks, fields_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("book_qty +", "book_qty +\n          ^"),
        ("(book_qty", "(book_qty\n         ^"),
        ("book_qty # 2", "book_qty # 2\n         ^"),
        ("1 + nothing * 2", "1 + nothing * 2\n    ^"),
        ("a\tb", "a b\n  ^"),
        ("book_qty + floor", None),
        ("'text'", None),
        ("1 + " * 50 + "* 2" + " + 1" * 50, f"{('1 + ' * 50)[-60:]}* 2{' + 1' * 14} \n{' ' * 60}^"),
    ],
)
def test_the_place_is_marked(text: str, shown: str | None) -> None:
    picks = Picks(calculated=(Formula("fine", "book_qty * 2"), Formula("wrong", text)))
    _, error = fields_of(picks)
    assert error is not None
    found = pointed(error, picks.texts)
    assert (found and found.rstrip()) == (shown and shown.rstrip())
