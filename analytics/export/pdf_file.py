"""PDF for people: a cover with figures, charts, and a table of the first rows. The only file that imports typst.

Typst reads what it shows as data (report.typ); its own fonts are enough, and those of the system add other scripts. The
manifest and the rows as they are, are attached to the file: that is where a program reads them.
"""

import json
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
from analytics.export.tables import Table
from analytics.export.tallies import Tally
from stockverify.errors import SetupError

SHOWN_ROWS = 1_000
_TEMPLATE = Path(__file__).with_name("report.typ")
_CHART_WIDTH = 420
_FONT = "Libertinus Serif"


class NotTypeset(SetupError):
    """The PDF could not be typeset: {reason}; nothing was exported. Export as xlsx or csv instead."""


def write(table: Table, path: Path, zone: str, about: dict[str, Any]) -> int:
    """Write figures of all rows, charts, and the first 1,000 rows; returns how many there are in all.

    Raises NotTypeset.
    """
    tally = Tally(table.columns, table.adding)
    first = _first_rows(table, tally, zone)
    insight = table.insight() if table.insight else of_tally(tally)
    manifest = about | {"rows": tally.rows, "rows_shown": first.height}
    with TemporaryDirectory(prefix=".pdf-", dir=path.parent) as name:
        folder = Path(name)
        charts = _draw(insight, folder, zone)
        shown = pdf_words.document(table, manifest, tally, insight, first, charts)
        (folder / "data.json").write_bytes(msgspec.json.encode(shown))
        (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest | {"first_rows": first.to_dicts()}))
        shutil.copy(_TEMPLATE, folder / "report.typ")
        _typeset(folder / "report.typ", path)
    return tally.rows


def _first_rows(table: Table, tally: Tally, zone: str) -> pl.DataFrame:
    """The rows that are shown, while all of them are counted and added up."""
    kept = [pl.DataFrame(schema={name: pl.String for name, _ in table.columns})]
    left = SHOWN_ROWS
    for batch in tally.through(table.batches):
        if left and batch.height:
            shown = flat(batch.head(left), table.columns, zone).select(name for name, _ in table.columns)
            kept = [*kept[1 if left == SHOWN_ROWS else 0 :], shown]
            left -= shown.height
    return pl.concat(kept)


def _draw(insight: Insight, folder: Path, zone: str) -> int:
    """Each chart as a file; returns how many."""
    number = 0
    for number, spec in enumerate(insight.charts(zone), 1):
        # A page has no container to fill, and the fonts of the charts must be there on every system.
        sized = spec | {"width": _CHART_WIDTH, "config": spec.get("config", {}) | {"font": _FONT}}
        svg = vl_convert.vegalite_to_svg(json.dumps(sized))
        (folder / f"chart-{number - 1}.svg").write_text(svg)
    return number


def _typeset(source: Path, path: Path) -> None:
    try:
        typst.compile(str(source), output=str(path), root=str(source.parent), format="pdf")
    except RuntimeError as error:
        raise NotTypeset(reason=str(error)[:300]) from error
