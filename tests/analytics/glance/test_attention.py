"""What somebody should look at."""

import polars as pl

from analytics.glance.attention import UNTOUCHED, Doubts, Notice, notices, open_lines

CLEAN = Doubts(not_in_book=0, without_cost=0, unknown_items=0, partial_records=0)


def racks(*rows: tuple[str, int, int]) -> pl.DataFrame:
    """Racks with their counted lines and lines."""
    return pl.DataFrame(rows, schema=["rack_id", "counted_lines", "lines"], orient="row")


def test_nothing_in_doubt_is_an_empty_list() -> None:
    assert notices(racks(("R1", 2, 2)), CLEAN) == []


def test_racks_are_told_apart_by_how_far_they_are() -> None:
    assert notices(racks(("R1", 0, 2), ("R2", 1, 2), ("R3", 2, 2)), CLEAN) == [
        Notice("shelves", "1 rack not counted at all", "R1.", UNTOUCHED),
        Notice("hourglass_top", "1 rack counted in part", "R2.", open_lines(["R2"])),
    ]


def test_a_long_list_says_how_many_more() -> None:
    found = notices(racks(*((f"R{number}", 0, 1) for number in range(1, 10))), CLEAN)
    said = "R1, R2, R3, R4, R5, R6 and 3 more."
    assert found == [Notice("shelves", "9 racks not counted at all", said, UNTOUCHED)]


def test_racks_are_asked_for_by_name_while_that_fits_into_an_address() -> None:
    assert open_lines(["R1", "R2"]).filters == {"counted": False, "rack_id": {"in": ["R1", "R2"]}}
    assert open_lines([f"R{number}" for number in range(41)]).filters == {"counted": False}


def test_doubts_have_their_numbers() -> None:
    doubts = Doubts(not_in_book=1, without_cost=2, unknown_items=1000, partial_records=4)
    assert [notice.title for notice in notices(racks(("R1", 1, 1)), doubts)] == [
        "1,000 records of unknown items",
        "1 line not in the book",
        "2 lines with a variance but no unit cost",
        "4 records still partial",
    ]
