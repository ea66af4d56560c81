"""Reads CSV as ERPs write it. What the person does not say is found out, conservatively, and reported."""

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

from stockverify.errors import BadInput
from stockverify.stocklist.table import Facts, Options, Row, Table, build

if TYPE_CHECKING:
    import _csv

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GUESSES = ("utf-8", "cp1252")
_SAMPLE_ROWS = 50
_END = "\x00end of the list\x00"


class NotText(BadInput):
    """The file is neither an .xlsx workbook nor text in {tried}. Export it as CSV in UTF-8, or name its
    encoding with --encoding, for example --encoding cp1250."""


class WrongEncoding(BadInput):
    """The file is not text in the encoding {encoding!r}: {problem}. Leave --encoding out, or name another."""


class UnknownEncoding(BadInput):
    """There is no text encoding {encoding!r}. Examples: utf-8, cp1252, latin-1, cp1250, utf-16-le."""


class BadDelimiter(BadInput):
    """The delimiter {delimiter!r} is not usable. It is comma, semicolon, tab, pipe, or one other character."""


class OpenQuote(BadInput):
    """A quotation mark that opens on line {line} is never closed, so the rest of the file is one cell.
    Close it, or write it twice if it belongs to the text."""


class Unreadable(BadInput):
    """Line {line} cannot be read: {problem}. Check the quotation marks near it."""


def read(data: bytes, options: Options) -> Table:
    """A table of the bytes of a CSV file."""
    text, encoding = _decode(data, options.encoding)
    announced, body = _announced_delimiter(text)
    delimiter = _named_delimiter(options.delimiter) or announced or _likeliest_delimiter(body)
    facts = Facts(kind="csv", encoding=encoding, delimiter=delimiter)
    return build(_rows(body, delimiter, lines_before=int(announced is not None)), facts)


def _decode(data: bytes, given: str | None) -> tuple[str, str]:
    if given:
        return _decode_as(data, given), given
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode_as(data, encoding), encoding
    for encoding in _GUESSES:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text, encoding
    raise NotText(tried=" or ".join(_GUESSES))


def _decode_as(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
        text.encode()  # some codecs let through what is no text at all
    except LookupError:
        raise UnknownEncoding(encoding=encoding) from None
    except (ValueError, OSError) as error:
        problem = str(error.reason) if isinstance(error, UnicodeError) and hasattr(error, "reason") else str(error)
        raise WrongEncoding(encoding=encoding, problem=problem) from None
    return text.removeprefix("\ufeff")


def _named_delimiter(given: str | None) -> str | None:
    named = {name: mark for mark, name in DELIMITERS.items()} | {"\\t": "\t"}
    mark = named.get(given or "", given)
    if mark is not None and (len(mark) != 1 or mark in '"\r\n'):
        raise BadDelimiter(delimiter=given)
    return mark


def _announced_delimiter(text: str) -> tuple[str | None, str]:
    """Spreadsheets understand a first line `sep=;`, so exports begin with it."""
    first, newline, rest = text[:8].partition("\n")
    mark = first.strip("\r\"'")
    if newline and len(mark) == 5 and mark.lower().startswith("sep=") and mark[4] in DELIMITERS:
        return mark[4], rest + text[8:]
    return None, text


def _likeliest_delimiter(text: str) -> str:
    """The one that cuts the first rows into the most columns, all alike."""
    return max(DELIMITERS, key=lambda delimiter: _fit(text, delimiter))


def _fit(text: str, delimiter: str) -> float:
    try:
        widths = [len(row) for row in islice(_reader(text, delimiter), _SAMPLE_ROWS) if any(row)]
    except csv.Error:
        return 0
    if not widths or widths[0] == 1:
        return 0
    return widths[0] * sum(width == widths[0] for width in widths) / len(widths)


def _reader(text: str, delimiter: str, end: str = "") -> "_csv.Reader":
    return csv.reader(chain(io.StringIO(text, newline=""), [end] if end else []), delimiter=delimiter)


def _rows(text: str, delimiter: str, lines_before: int) -> Iterator[Row]:
    """Every row with the line on which it begins."""
    ended = text if text.endswith(("\n", "\r")) or not text else text + "\n"
    reader = _reader(ended, delimiter, end=_END)
    line = 1 + lines_before
    try:
        for row in reader:
            if row == [_END]:
                return
            if row and row[-1].endswith(_END):
                raise OpenQuote(line=line)
            yield line, list(row)
            line = reader.line_num + 1 + lines_before
    except csv.Error as error:
        raise Unreadable(line=line, problem=str(error)) from None
