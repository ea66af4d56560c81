"""The whole way from bytes to a checked list: real lists, and bytes that are none."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockverify.errors import StockVerifyError
from stockverify.stocklist.load import load
from stockverify.stocklist.table import Options
from tests.stockverify.stocklist.samples import csv_bytes, xlsx_bytes

ROOT = Path(__file__).parents[3]
REAL = ROOT.parent / "shared" / "data" / "adventureworks_stock.csv"

cells = st.one_of(
    st.sampled_from(["", "R1", "A", "1", "2.5", "1,5", "1.234", "-1", "NaN", "1e999", '"', "\x00", "\n", "=1+1"]),
    st.text(max_size=8),
)


# The list is not part of the repository. Where it lies beside a checkout it is read too; the acceptance test reads
# `data/sample_stock.csv` elsewhere.
@pytest.mark.skipif(not REAL.exists(), reason="the real list is not beside this checkout")
def test_a_real_list_is_taken_as_it_is() -> None:
    stock = load(REAL)
    assert (stock.rows_read, stock.rejections, stock.ignored) == (1069, (), ())
    assert stock.rows.select("rack_id", "bin", "item_code").row(0) == ("L01-A", "1", "AR-5381")
    assert stock.rows["book_qty"].sum() == 335974


def test_the_sample_list_is_clean() -> None:
    stock = load(ROOT / "data" / "sample_stock.csv")
    assert stock.rejections == ()
    assert (len(stock.rows), stock.rows["rack_id"].n_unique(), stock.rows["floor"].n_unique()) == (594, 43, 4)
    assert stock.rows["item_code"].str.starts_with("0").any()


def test_headings_that_nobody_takes_are_named() -> None:
    assert load(b"rack,sku,qty,colour\nR1,A,1,red\n").ignored == ("colour",)


def test_bad_rows_are_kept_as_they_stood() -> None:
    stock = load(b"rack,sku,qty,colour\nR1,A,1,red\nR1,B,x,blue\n")
    assert stock.bad_rows.rows() == [(3, "R1", "B", "x", "blue")]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_a_list_or_a_clear_error(data: bytes) -> None:
    try:
        load(data)
    except StockVerifyError as error:
        assert error.message


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.integers(min_value=0), st.integers(min_value=0))
def test_any_damage_to_a_workbook_gives_a_list_or_a_clear_error(noise: bytes, start: int, length: int) -> None:
    data = xlsx_bytes(("S", [["rack", "sku", "qty"], ["R1", "A", 1]]))
    start %= len(data)
    try:
        load(data[:start] + noise + data[start + length % 80 :])
    except StockVerifyError as error:
        assert error.message


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(cells, max_size=5), max_size=12),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([None, ".", ","]),
)
def test_every_row_is_good_or_rejected(rows: list[list[str]], delimiter: str, decimal: str | None) -> None:
    quoted = [[cell.replace('"', '""') for cell in row] for row in rows]
    lines = [delimiter.join(f'"{cell}"' for cell in row) for row in quoted]
    data = csv_bytes(*lines, heading=delimiter.join(("rack", "sku", "qty", "cost")))
    try:
        stock = load(data, Options(delimiter=delimiter, encoding="utf-8", decimal=decimal))
    except StockVerifyError as error:
        assert error.message
        return
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    assert len(stock.rows) + len(stock.rejections) == len(filled)
    assert {*stock.rows["line"], *(bad.line for bad in stock.rejections)} >= set(stock.bad_rows["line"])
    assert stock.rows.select("rack_id", "item_code").is_unique().all()


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20), st.text(max_size=3), st.text(max_size=2), st.text(max_size=10))
def test_any_options_give_a_list_or_a_clear_error(encoding: str, delimiter: str, decimal: str, heading: str) -> None:
    options = Options(columns={"book_qty": heading}, encoding=encoding, delimiter=delimiter, decimal=decimal)
    try:
        load(b"rack,sku,qty\nR1,A,1\n", options)
    except StockVerifyError as error:
        assert error.message
