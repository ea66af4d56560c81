"""Reads exported files back, with other libraries than wrote them, into rows of records."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pypdf
from openpyxl.utils.escape import unescape

from analytics.export import Format


def unguarded(text: str) -> str:
    """What the note in the manifest says."""
    return text.removeprefix("'")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def read_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    return [
        row
        | {
            "item_code": unguarded(row["item_code"]),
            "verified_qty": float(row["verified_qty"]),
            "received_at": instant(row["received_at"]),
            "serial_numbers": json.loads(row["serial_numbers"]),
        }
        for row in found
    ]


def read_xlsx(path: Path, sheet: str = "verification_records") -> list[dict[str, Any]]:
    book = openpyxl.load_workbook(path, read_only=True)
    header, *found = book[sheet].iter_rows(values_only=True)
    rows = [dict(zip(header, cells, strict=True)) for cells in found]
    for row in rows:
        row["item_code"] = unescape(str(row["item_code"] or ""))
        if "serial_numbers" in row:
            row["serial_numbers"] = json.loads(str(row["serial_numbers"]))
    return rows


def read_json(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text())["rows"]
    return [row | {"received_at": instant(row["received_at"])} for row in rows]


def read_parquet(path: Path) -> list[dict[str, Any]]:
    return pl.read_parquet(path).to_dicts()


def read_ndjson(path: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [row | {"received_at": instant(row["received_at"])} for row in rows]


def attached(path: Path) -> dict[str, Any]:
    """The manifest that is attached to a PDF, with the rows that it shows."""
    manifest: dict[str, Any] = json.loads(pypdf.PdfReader(path).attachments["manifest.json"][0])
    return manifest


def read_pdf(path: Path) -> list[dict[str, Any]]:
    rows = attached(path)["first_rows"]
    return [
        row | {"received_at": instant(row["received_at"]), "serial_numbers": json.loads(row["serial_numbers"])}
        for row in rows
    ]


def pdf_text(path: Path) -> str:
    """All text of a PDF in one line, without the places where a long word may be broken."""
    pages = (page.extract_text() for page in pypdf.PdfReader(path).pages)
    return " ".join(" ".join(pages).replace("\u200b", "").split())


READERS = {
    Format.CSV: read_csv,
    Format.XLSX: read_xlsx,
    Format.JSON: read_json,
    Format.NDJSON: read_ndjson,
    Format.PARQUET: read_parquet,
    Format.PDF: read_pdf,
}
