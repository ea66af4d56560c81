from datetime import UTC, datetime
from typing import Any

import polars as pl

from stockverify.stocklist.load import StockList, load
from stockverify.stocklist.plan import BOOK_SCHEMA, RACK_SCHEMA, Book, Plan, plan
from tests.stockverify.stocklist.samples import csv_bytes

THEN = datetime(2026, 1, 5, 8, tzinfo=UTC)


def stock(*rows: str, heading: str = "floor,rack_id,bin,item_code,item_name,unit_cost,book_qty") -> StockList:
    return load(csv_bytes(*rows, heading=heading))


def line(rack: str, item: str, **values: Any) -> dict[str, Any]:
    given = {"floor": "G", "rack_id": rack, "bin": "", "item_code": item, "valid_from": THEN} | values
    return dict.fromkeys(BOOK_SCHEMA) | given


def book(*lines: dict[str, Any], racks: tuple[tuple[str, str, int], ...] = ()) -> Book:
    return Book(pl.DataFrame(lines, schema=BOOK_SCHEMA), pl.DataFrame(racks, schema=RACK_SCHEMA, orient="row"))


def numbers(planned: Plan) -> tuple[int, int, int, int]:
    return len(planned.added), len(planned.changed), planned.unchanged, planned.no_longer_listed


def test_into_an_empty_book_all_is_new() -> None:
    planned = plan(stock("G,R1,,A,Nail,1.5,3", "G,R1,,B,,,4", "F,R2,,A,,,5"), book())
    assert numbers(planned) == (3, 0, 0, 0)
    assert planned.added.row(0) == (2, "G", "R1", "", "A", "Nail", 1.5, 3.0)
    assert planned.new_racks.rows() == [("R1", "G", 2), ("R2", "F", 1)]
    assert planned.changed_racks.rows() == []


def test_what_is_stored_already_is_unchanged() -> None:
    stored = book(line("R1", "A", item_name="Nail", unit_cost=1.5, book_qty=3.0), racks=(("R1", "G", 1),))
    planned = plan(stock("G,R1,,A,Nail,1.5,3"), stored)
    assert (numbers(planned), planned.writes) == ((0, 0, 1, 0), 0)


def test_a_new_value_is_told_from_a_new_name() -> None:
    stored = book(
        line("R1", "A", item_name="Nail", unit_cost=1.5, book_qty=3.0),
        line("R1", "B", item_name="Bolt", unit_cost=None, book_qty=3.0),
        line("R1", "C", item_name="Nut", unit_cost=2.0, book_qty=3.0),
        racks=(("R1", "G", 3),),
    )
    planned = plan(stock("G,R1,,A,Nail 3in,1.5,3", "G,R1,,B,Bolt,0,3", "G,R1,,C,Nut,,3"), stored)
    assert planned.changed.select("item_code", "revalued").rows() == [("A", False), ("B", True), ("C", True)]
    assert planned.changed.select("stored_item_name", "stored_unit_cost", "stored_valid_from").row(0) == (
        "Nail",
        1.5,
        THEN,
    )


def test_lines_that_left_the_list_are_only_counted() -> None:
    stored = book(line("R1", "A", book_qty=3.0), line("R9", "A", book_qty=1.0), racks=(("R1", "G", 1), ("R9", "G", 1)))
    planned = plan(stock("G,R1,,A,,,3"), stored)
    assert (numbers(planned), planned.writes) == ((0, 0, 1, 1), 0)


def test_a_column_that_the_list_lacks_is_no_change() -> None:
    stored = book(line("R1", "A", item_name="Nail", unit_cost=1.5, book_qty=3.0), racks=(("R1", "G", 1),))
    planned = plan(stock("R1,A,3", heading="rack,sku,qty"), stored)
    assert (numbers(planned), planned.writes) == ((0, 0, 1, 0), 0)


def test_the_same_item_in_another_bin_is_another_line() -> None:
    planned = plan(stock("G,R1,2,A,,,3"), book(line("R1", "A", bin="1", book_qty=3.0), racks=(("R1", "G", 1),)))
    assert numbers(planned) == (1, 0, 0, 1)
    assert planned.changed_racks.rows() == [("R1", "G", 2)]


def test_a_rack_follows_the_list_in_floor_and_in_number_of_lines() -> None:
    stored = book(line("R1", "A", book_qty=3.0), racks=(("R1", "", 0), ("R2", "X", 7)))
    planned = plan(stock("F,R1,,A,,,3"), stored)
    assert planned.changed_racks.rows() == [("R1", "F", 1)]
    assert planned.new_racks.rows() == []
