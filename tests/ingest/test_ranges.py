"""Which part of a file a Range header asks for: a table of cases, without a service."""

import pytest

from ingest.exports.ranges import BeyondTheEnd, Part, wanted

TAG = '"abc"'
SIZE = 1000
WHOLE = None


@pytest.mark.parametrize(
    ("asked", "first_and_last"),
    [
        (None, WHOLE),
        ("bytes=0-", (0, 999)),
        ("bytes=500-", (500, 999)),
        ("bytes=0-0", (0, 0)),
        ("bytes=999-999", (999, 999)),
        ("bytes=10-5000", (10, 999)),
        ("bytes=10-" + "9" * 50, (10, 999)),
        ("BYTES=1-2", (1, 2)),
        ("bytes= 1-2 ", (1, 2)),
        ("bytes=-1", (999, 999)),
        ("bytes=-5000", (0, 999)),
        ("bytes=5-4", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=", WHOLE),
        ("bytes=a-b", WHOLE),
        ("bytes=1", WHOLE),
        ("bytes=--1", WHOLE),
        ("bytes=+1-2", WHOLE),
        ("bytes=\u0661-2", WHOLE),
        ("bytes=0-1,5-6", WHOLE),
        ("lines=0-1", WHOLE),
        ("bytes=0-" + "9" * 10_000, WHOLE),
        ("", WHOLE),
    ],
)
def test_one_range_is_served_and_all_else_gets_the_whole_file(
    asked: str | None, first_and_last: tuple[int, int] | None
) -> None:
    assert wanted(asked, None, TAG, SIZE) == (first_and_last and Part(*first_and_last, SIZE))


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=" + "9" * 60 + "-"])
def test_what_lies_beyond_the_end_is_refused_with_the_size(asked: str) -> None:
    with pytest.raises(BeyondTheEnd, match="This file has 1000 bytes") as refused:
        wanted(asked, None, TAG, SIZE)
    assert refused.value.fields["size"] == SIZE


def test_an_empty_file_is_whole_or_out_of_range() -> None:
    assert wanted("bytes=-5", None, TAG, 0) is None
    with pytest.raises(BeyondTheEnd):
        wanted("bytes=0-", None, TAG, 0)


@pytest.mark.parametrize(
    ("if_range", "is_part"),
    [
        (TAG, True),
        (f" {TAG} ", True),
        ('"other"', False),
        (f"W/{TAG}", False),
        ("abc", False),
        ("", False),
        ("Wed, 21 Oct 2026 07:28:00 GMT", False),
    ],
)
def test_with_if_range_a_part_is_given_of_the_very_same_file_only(if_range: str, is_part: bool) -> None:
    found = wanted("bytes=5-9", if_range, TAG, SIZE)
    assert found == (Part(5, 9, SIZE) if is_part else None)
    assert wanted("bytes=5000-", '"other"', TAG, SIZE) is None, "of another file nothing is out of range"


def test_a_part_says_how_long_and_where_it_is() -> None:
    part = Part(10, 19, SIZE)
    assert (part.length, part.content_range) == (10, "bytes 10-19/1000")
