from pathlib import Path

import pytest

from stockverify.stocklist.load import load
from stockverify.stocklist.rejects import CannotWrite, write_rejects
from stockverify.stocklist.table import Options

DATA = b'Rack,SKU,Qty,"Name, long"\nR1,A,1,x\nR1,B,-2,"y, z"\nR1,,3,\n'


def test_bad_rows_are_written_with_their_reasons(tmp_path: Path) -> None:
    write_rejects(load(DATA), tmp_path / "bad.csv")
    assert (tmp_path / "bad.csv").read_text("utf-8-sig").splitlines() == [
        'reject_line,reject_column,reject_value,reject_reason,Rack,SKU,Qty,"Name, long"',
        '3,book_qty,-2,is negative,R1,B,-2,"y, z"',
        "4,item_code,,is missing,R1,,3,",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]


def test_the_file_can_be_corrected_and_imported(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    write_rejects(load(DATA), path)
    path.write_text(path.read_text("utf-8-sig").replace("R1,B,-2", "R1,B,2").replace("R1,,3", "R1,C,3"), "utf-8-sig")
    again = load(path, Options(columns={"item_name": "Name, long"}))
    assert again.rejections == ()
    assert again.rows.select("item_code", "item_name", "book_qty").rows() == [("B", "y, z", 2), ("C", None, 3)]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="absent"):
        write_rejects(load(DATA), tmp_path / "absent" / "bad.csv")
