"""Writes the bad rows to a CSV file, reasons first, so that they can be corrected there and imported again."""

import csv
import os
from pathlib import Path

from stockverify.errors import SetupError
from stockverify.stocklist.load import StockList


class CannotWrite(SetupError):
    """The file {path} cannot be written: {problem}. Name another with --rejects."""


def write_rejects(stock: StockList, path: Path) -> None:
    """One row per rejection: line, column, value and reason, then the row as it stood in the list."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["reject_line", "reject_column", "reject_value", "reject_reason", *stock.heading])
            for rejection, row in zip(stock.rejections, stock.bad_rows.iter_rows(), strict=True):
                writer.writerow([rejection.line, rejection.column, rejection.value, rejection.reason, *row[1:]])
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise CannotWrite(path=path, problem=error.strerror) from None
