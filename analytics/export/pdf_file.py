"""PDF for people: a cover with figures, charts, and a table of the rows on top. The only file that imports typst.

Typst reads what it shows as data (report.typ); its own fonts are enough, and those of the system add other scripts. The
manifest and the rows as they are, are attached to the file: that is where a program reads them.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import polars as pl
import typst
import vl_convert

from analytics.export import pdf_words
from analytics.export.cells import flat
from analytics.export.insight import Insight, of_tally
from analytics.export.tables import Table, Top
from analytics.export.tallies import Tally
from stockverify.errors import SetupError

SHOWN_ROWS = 1_000
_PLACE = "place among all rows"
_TEMPLATE = Path(__file__).with_name("report.typ")
_CHART_WIDTH = 420
_FONT = "Libertinus Serif"


class NotTypeset(SetupError):
    """The PDF could not be typeset: {reason}; nothing was exported. Export as xlsx or csv instead."""


def write(table: Table, path: Path, zone: str, about: dict[str, Any]) -> int:
    """Write figures of all rows, charts, and the 1,000 rows on top; returns how many there are in all.

    Raises NotTypeset.
    """
    tally = Tally(table.columns, table.adding)
    top = _rows_on_top(table, tally, zone)
    insight = table.insight() if table.insight else of_tally(tally)
    chosen = pdf_words.chosen(table, top.height, tally.rows)
    manifest = about | {"rows": tally.rows, "rows_shown": top.height} | ({"shown": chosen} if chosen else {})
    with TemporaryDirectory(prefix=".pdf-", dir=path.parent) as name:
        folder = Path(name)
        charts = _draw(insight, folder, zone, about.get("currency", ""))
        shown = pdf_words.document(table, manifest, tally, insight, top, charts)
        (folder / "data.json").write_bytes(msgspec.json.encode(shown))
        (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest | {"first_rows": top.to_dicts()}))
        shutil.copy(_TEMPLATE, folder / "report.typ")
        _typeset(folder / "report.typ", path)
    return tally.rows


def _rows_on_top(table: Table, tally: Tally, zone: str) -> pl.DataFrame:
    """The rows that are shown, while all of them are counted and added up: all in their order, or those on top."""
    names, kept = [name for name, _ in table.columns], pl.DataFrame()
    for batch in tally.through(table.batches):
        if batch.height and (table.top or kept.height < SHOWN_ROWS):
            placed = batch.select(names).with_row_index(_PLACE, tally.rows - batch.height)
            kept = _on_top(pl.concat([kept, placed] if kept.height else [placed]), table.top)
    if not kept.height:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    return flat(kept, table.columns, zone).select(names)


def _on_top(rows: pl.DataFrame, top: Top | None) -> pl.DataFrame:
    """Of equal ones, and of those without a size, which come last, the first."""
    if top is None or rows.height <= SHOWN_ROWS:
        return rows.head(SHOWN_ROWS)
    size = top.size.fill_nan(None)
    return rows.sort(size, _PLACE, descending=[True, False], nulls_last=True).head(SHOWN_ROWS)


def _draw(insight: Insight, folder: Path, zone: str, currency: str) -> int:
    """Each chart as a file; returns how many."""
    number = 0
    for number, spec in enumerate(insight.charts(zone, currency), 1):
        # A page has no container to fill, and the fonts of the charts must be there on every system.
        sized = spec | {"width": _CHART_WIDTH, "config": spec.get("config", {}) | {"font": _FONT}}
        svg = vl_convert.vegalite_to_svg(msgspec.json.encode(sized).decode())  # it takes no NaN, which is null here
        (folder / f"chart-{number - 1}.svg").write_text(svg)
    return number


def _typeset(source: Path, path: Path) -> None:
    try:
        typst.compile(str(source), output=str(path), root=str(source.parent), format="pdf")
    except RuntimeError as error:
        raise NotTypeset(reason=str(error)[:300]) from error
