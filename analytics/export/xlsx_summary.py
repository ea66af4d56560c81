"""The last sheets of a workbook: a summary for people, with a native chart, and the manifest as it stands.

The book comes from xlsx_file, the one file that knows the library.
"""

from collections.abc import Iterator
from math import isfinite
from typing import Any

import msgspec

from analytics.export.insight import Breakdown, Insight, Tile
from analytics.export.xlsx_cells import Whole, pieces, text_cell
from analytics.glance.money import VALUE, cell_format

_FIRST = {
    "snapshot_name": "Snapshot",
    "snapshot_id": "Snapshot id",
    "as_of": "As of",
    "compared_with": "Compared with",
    "compared_with_as_of": "That one as of",
    "zone": "Time zone",
    "currency": "Currency",
    "rows": "Rows",
    "requested_by": "Requested by",
    "requested_at": "Requested at",
}
_COLOURS = ("#888888", "#0072B2")
_SHAPES = {"lines": "#,##0", "share": "0.00%"}
_ROW_PIXELS = 24
_LINE_POINTS, _LINE_CHARACTERS, _TALLEST_POINTS = 15, 80, 400


def add(book: Any, about: dict[str, Any], insight: Insight) -> None:
    """Both sheets, after those with rows."""
    _summary(book, about, insight)
    _manifest(book.add_worksheet("About"), about, book.add_format({"text_wrap": True, "valign": "top"}))


def _summary(book: Any, about: dict[str, Any], insight: Insight) -> None:
    sheet, bold, plain = book.add_worksheet("Summary"), book.add_format({"bold": True}), book.add_format()
    sheet.set_column(0, 0, 32)
    sheet.set_column(1, 2, 34)
    on_paper(sheet)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, "Summary", book.add_format({"bold": True, "font_size": 16}))
    row = 2
    for name, heading in _FIRST.items():
        if about.get(name) not in (None, ""):
            sheet.write_string(row, 0, heading, bold)
            text_cell(sheet, row, 1, str(about[name])[:1000], plain)
            row += 1
    row = _figures(book, sheet, insight.tiles, row + 1, cell_format(about.get("currency", "")))
    if insight.breakdown is not None:
        _breakdown(book, sheet, insight.breakdown, row + 1)


def _figures(book: Any, sheet: Any, tiles: tuple[Tile, ...], row: int, money: str) -> int:
    sheet.write_string(row, 0, "Figures", book.add_format({"bold": True, "bottom": 1}))
    for place, tile in enumerate(tiles, row + 1):
        sheet.write_string(place, 0, tile.title)
        shape = book.add_format({"num_format": money if tile.unit == VALUE else _shape(tile), "align": "left"})
        if tile.value is None:
            sheet.write_string(place, 1, "n/a")
        else:
            _number(sheet, place, 1, tile.value, shape)
    return row + 1 + len(tiles)


def _shape(tile: Tile) -> str:
    """Quantities as they are: whole ones without an empty point."""
    return _SHAPES.get(tile.unit) or ("#,##0" if float(tile.value or 0).is_integer() else "#,##0.0#####")


def on_paper(sheet: Any) -> None:
    """As wide as a page, and as many pages as it takes."""
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&RPage &P of &N")


def _breakdown(book: Any, sheet: Any, shown: Breakdown, row: int) -> None:
    """A table of the groups, and a chart that refers to its cells."""
    head, plain, first = book.add_format({"bold": True, "bottom": 1}), book.add_format(), row + 2
    numbers = book.add_format({"num_format": "#,##0.######" if _is_broken(shown) else "#,##0"})
    sheet.write_string(row, 0, shown.title, book.add_format({"bold": True}))
    right = book.add_format({"bold": True, "bottom": 1, "align": "right"})
    for column, heading in enumerate((shown.by, *shown.series)):
        sheet.write_string(row + 1, column, heading, right if column else head)
    for place, (group, *values) in enumerate(shown.rows, first):
        text_cell(sheet, place, 0, str(group)[:1000], plain)
        for column, value in enumerate(values, 1):
            _number(sheet, place, column, value or 0.0, numbers)
    last = first + len(shown.rows) - 1
    sheet.insert_chart(2, 3, _chart(book, sheet.get_name(), shown, first, last))


def _chart(book: Any, name: str, shown: Breakdown, first: int, last: int) -> Any:
    chart = book.add_chart({"type": "bar"})
    for column, series in enumerate(shown.series, 1):
        colours = _COLOURS if len(shown.series) > 1 else _COLOURS[1:]
        chart.add_series(
            {
                "name": series,
                "categories": [name, first, 0, last, 0],
                "values": [name, first, column, last, column],
                "categories_data": [str(group)[:1000] for group, *_ in shown.rows],
                "values_data": [_drawn(values[column - 1]) for _, *values in shown.rows],
                "fill": {"color": colours[(column - 1) % len(colours)]},
                "gap": 60,
            }
        )
    chart.set_title({"name": shown.title, "name_font": {"size": 12}, "overlay": False})
    # The first group on top; the numbers below all the same, and from 0 on: bars are compared by their lengths.
    chart.set_y_axis({"name": shown.by, "reverse": True, "crossing": "max", "label_position": "low"})
    lines = {"major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}, "num_format": "#,##0"}
    chart.set_x_axis(lines | ({} if any(value < 0 for value in _values(shown)) else {"min": 0}))
    chart.set_legend({"none": True} if len(shown.series) == 1 else {"position": "bottom"})
    chart.set_size({"width": 640, "height": max(260, 130 + _ROW_PIXELS * len(shown.rows) * len(shown.series))})
    return chart


def _number(sheet: Any, row: int, column: int, value: float, shape: Any) -> None:
    """Cells hold no infinite numbers and none that are not numbers: these are texts."""
    if isfinite(value):
        sheet.write_number(row, column, Whole(value), shape)
    else:
        sheet.write_string(row, column, str(value), shape)


def _drawn(value: float | None) -> float:
    return value if value is not None and isfinite(value) else 0.0


def _values(shown: Breakdown) -> Iterator[float]:
    return (value or 0.0 for _, *values in shown.rows for value in values)


def _is_broken(shown: Breakdown) -> bool:
    return any(not float(value).is_integer() for value in _values(shown))


def _manifest(sheet: Any, about: dict[str, Any], plain: Any) -> None:
    """One line for each of its entries; a long one goes on in the cells beside it."""
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, 1, 90)
    on_paper(sheet)
    for row, (name, value) in enumerate(about.items()):
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        sheet.set_row(row, min(_LINE_POINTS * (1 + len(text) // _LINE_CHARACTERS), _TALLEST_POINTS))
        sheet.write_string(row, 0, name, plain)
        for column, piece in enumerate(pieces(text), 1):
            text_cell(sheet, row, column, piece, plain)
