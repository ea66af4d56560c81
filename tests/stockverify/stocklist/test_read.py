from pathlib import Path

import polars as pl
import pytest

from stockverify.stocklist import read as reading
from stockverify.stocklist import table as tables
from stockverify.stocklist.delimited import (
    BadDelimiter,
    NotText,
    OpenQuote,
    UnknownEncoding,
    Unreadable,
    WrongEncoding,
)
from stockverify.stocklist.read import CannotOpen, FileTooLarge, read
from stockverify.stocklist.table import Facts, NothingInside, Options, Table, TooManyColumns, TooManyRows

CODES = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


def rows(table: Table) -> list[tuple[object, ...]]:
    return table.frame.drop("width").rows()


@pytest.mark.parametrize("mark", CODES.values(), ids=CODES)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_every_delimiter_and_line_end(mark: str, newline: str) -> None:
    text = newline.join(["rack;item;name", 'R1;A;"Nail, 3"" | 5\t;"', "", "R2;B;x"])
    marks = {";": mark, mark: ";"}
    table = read("".join(marks.get(letter, letter) for letter in text).encode(), Options())
    name = "".join(marks.get(letter, letter) for letter in 'Nail, 3" | 5\t;')
    assert (table.heading, table.facts.delimiter) == (("rack", "item", "name"), mark)
    assert rows(table) == [(2, "R1", "A", name), (4, "R2", "B", "x")]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("latin-1", "cp1252"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-32", "utf-32"),
    ],
)
def test_encodings_are_found(encoding: str, found: str) -> None:
    table = read("rack,name\nR1,Bügelsäge für Männer\n".encode(encoding), Options())
    assert table.facts == Facts(kind="csv", encoding=found, delimiter=",")
    assert table.heading == ("rack", "name")
    assert rows(table) == [(2, "R1", "Bügelsäge für Männer")]


def test_big_endian_with_mark() -> None:
    assert rows(read(b"\xfe\xff" + "a,b\n1,ü".encode("utf-16-be"), Options())) == [(2, "1", "ü")]


def test_an_encoding_can_be_given() -> None:
    table = read("rack,name\nR1,Łódź\n".encode("cp1250"), Options(encoding="cp1250"))
    assert (rows(table), table.facts.encoding) == ([(2, "R1", "Łódź")], "cp1250")
    with pytest.raises(WrongEncoding, match="not text in the encoding 'ascii'"):
        read("a,b\n1,ü\n".encode(), Options(encoding="ascii"))
    for unknown in ("utf-9", "hex", "zip", "a\x00b", "ü"):
        with pytest.raises((UnknownEncoding, WrongEncoding)):
            read(b"a,b\n1,2\n", Options(encoding=unknown))


@pytest.mark.parametrize("data", ["a,b\n1,2\n".encode("utf-16-le"), b"a,b\n\x00\x01,\x02\n", b"\xc3\x81\x81\xff\n1"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(NotText, match="--encoding"):
        read(data, Options())


def test_quoted_cells_keep_delimiters_quotes_and_line_ends_and_lines_are_counted_from_where_a_row_begins() -> None:
    table = read(b'a,b\n"1\n2",x\n\n"3,""4""",y\n', Options())
    assert rows(table) == [(2, "1\n2", "x"), (5, '3,"4"', "y")]


@pytest.mark.parametrize("data", [b'a,b\n1,2\n3,"4\n5,6\n7,8', b'a,b\n1,2\n3,"4\n5,6\n'])
def test_an_open_quote_is_found_where_it_opens(data: bytes) -> None:
    with pytest.raises(OpenQuote, match="on line 3"):
        read(data, Options())


def test_a_cell_as_large_as_a_book_is_refused() -> None:
    with pytest.raises(Unreadable, match="Line 2"):
        read(b"a,b\n1," + b"x" * 200_000 + b"\n", Options())


def test_a_first_line_that_announces_the_delimiter() -> None:
    table = read(b"sep=;\r\na;b,c,d\r\n1;2,3,4\r\n", Options())
    assert (table.heading, rows(table)) == (("a", "b,c,d"), [(3, "1", "2,3,4")])


def test_a_delimiter_can_be_given_by_name_or_as_itself() -> None:
    for given in ("semicolon", ";"):
        assert read(b"a,b;c,d\n1,2;3,4\n", Options(delimiter=given)).heading == ("a,b", "c,d")
    assert read(b"a\tb,c,d\n1\t2,3,4\n", Options(delimiter="\\t")).heading == ("a", "b,c,d")
    for wrong in (";;", '"', "\n", ""):
        with pytest.raises(BadDelimiter):
            read(b"a,b\n1,2\n", Options(delimiter=wrong))


def test_width_tells_shifted_rows_from_rows_with_empty_ends() -> None:
    table = read(b"a,b,c,,\n1,2,3\n1,2,,,,,\n1,2\n1,2,3,4\n,,\n", Options())
    assert table.heading == ("a", "b", "c")
    assert table.frame.select("line", "width").rows() == [(2, 3), (3, 3), (4, 2), (5, 4)]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"a,b,c\n", b"a,b,c\n,,\n\n", b"\xef\xbb\xbf", b"sep=;\n", b'"'])
def test_an_empty_list_is_refused(data: bytes) -> None:
    with pytest.raises((NothingInside, OpenQuote)):
        read(data, Options())


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooManyColumns, match="Line 2 has 1,001 columns"):
        read(b"\n" + b",".join([b"x"] * 1001) + b"\n1\n", Options())
    monkeypatch.setattr(tables, "MAX_ROWS", 2)
    assert len(read(b"a\n1\n2\n", Options()).frame) == 2
    with pytest.raises(TooManyRows):
        read(b"a\n1\n2\n3\n", Options())
    monkeypatch.setattr(reading, "MAX_BYTES", 6)
    with pytest.raises(FileTooLarge):
        read(b"a\n1\n2\n3", Options())


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"a,b\n1,2\n")
    expected = pl.DataFrame({"line": [2], "width": [2], "text0": ["1"], "text1": ["2"]})
    assert read(path, Options()).frame.equals(expected)
    for wrong in (tmp_path, tmp_path / "absent.csv"):
        with pytest.raises(CannotOpen, match=str(wrong)):
            read(wrong, Options())
