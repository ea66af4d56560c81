import pytest

from analytics.query.regex import BadPattern, matching, usable


@pytest.mark.parametrize(
    ("pattern", "texts", "found"),
    [
        ("", ["", "a"], ["", "a"]),
        ("^a.c$", ["abc", "ABC", "a\nc", "abc\n", "xabc"], ["abc", "ABC"]),
        ("é", ["É", "e"], ["É"]),
        (r"a\$", ["a$", "a"], ["a$"]),
        (r"^\s$", [" ", "\t", "\x0b"], [" ", "\t"]),
        (".*.*.*.*[xy]|a$", ["a" * 4096], ["a" * 4096]),
        ("^(?:(?:a+)+)+b", ["a" * 4096], []),
        ("x", [], []),
    ],
)
def test_what_patterns_find(pattern: str, texts: list[str], found: list[str]) -> None:
    assert matching(usable(pattern, "floor"), texts) == found


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (1, "it must be a text of at most 200 printable characters."),
        (None, "it must be a text"),
        ("a" * 201, "it must be a text"),
        ("a\nb", "it must be a text"),
        ("\ud800", "it must be a text"),
        ("(?=a)", "invalid perl operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("\\", "trailing \\"),
        ("a{2000}", "invalid repetition size"),
        ("[a", "missing ]"),
        ("(a", "missing"),
        ("*", "no argument for repetition operator"),
        ("((((a{100}){100}){100}){100})", ""),
    ],
)
def test_what_is_refused(pattern: object, reason: str) -> None:
    with pytest.raises(BadPattern) as caught:
        usable(pattern, "floor")
    assert reason in caught.value.message
    assert "in the filter on 'floor' cannot be used" in caught.value.message
