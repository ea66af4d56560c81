"""Writes a table in a format: under a temporary name, then renamed, and with a manifest beside it."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from analytics.export import csv_file, json_file, parquet_file, xlsx_file
from analytics.export.tables import Table
from analytics.lake import durable
from analytics.zones import moment
from stockverify.errors import BadInput

_GUARD_NOTE = "One leading apostrophe of a text is a guard against formulas, and not part of the text."


class Format(StrEnum):
    """The kinds of files."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    PARQUET = "parquet"


class UnknownFormat(BadInput):
    """{name!r} is not an export format; use one of: csv, xlsx, json, parquet."""


class Order(Struct, frozen=True):
    """Who wants the file, the IANA zone in which it shows times, and when it was asked for."""

    requested_by: str
    zone: str
    now: datetime


class Exported(Struct, frozen=True):
    """A finished file and its manifest, `{file}.manifest.json`."""

    path: Path
    manifest_path: Path
    rows: int
    bytes: int
    sha256: str


def format_of(name: str) -> Format:
    """The format of that name. Raises UnknownFormat."""
    try:
        return Format(name.lower())
    except ValueError:
        raise UnknownFormat(name=name[:40]) from None


def export(table: Table, kind: Format, path: Path, order: Order) -> Exported:
    """Write the file, replacing one of that name only when it is whole. Memory holds one batch of rows.

    Raises UnknownZone.
    """
    about = _about(table, order)
    with durable.replacing(path) as draft:
        rows = _write(table, kind, draft, order.zone, about)
        size, digest = draft.stat().st_size, durable.sha256(draft)
    manifest_path = path.with_name(f"{path.name}.manifest.json")
    file = {"file": path.name, "format": kind.value, "rows": rows, "bytes": size, "sha256": digest}
    notes = {"note": _GUARD_NOTE} if kind is Format.CSV else {}
    with durable.replacing(manifest_path) as draft:
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(file | notes | about), indent=1) + b"\n")
    return Exported(path, manifest_path, rows, size, digest)


def _write(table: Table, kind: Format, path: Path, zone: str, about: dict[str, Any]) -> int:
    match kind:
        case Format.CSV:
            return csv_file.write(table, path, zone)
        case Format.XLSX:
            return xlsx_file.write(table, path, zone, about)
        case Format.JSON:
            return json_file.write(table, path, zone, about)
        case Format.PARQUET:
            return parquet_file.write(table, path, about)


def _about(table: Table, order: Order) -> dict[str, Any]:
    """The source, with its instants in the zone; who asked, and when."""
    source = {
        name: moment(value, order.zone) if isinstance(value, datetime) else value for name, value in table.about.items()
    }
    columns = {name: kind.value for name, kind in table.columns}
    asked = {"requested_by": order.requested_by, "requested_at": moment(order.now, order.zone), "zone": order.zone}
    return msgspec.to_builtins({**source, **asked, "columns": columns})  # type: ignore[no-any-return]
