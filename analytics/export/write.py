"""Writes a table in a format: under a temporary name, then renamed, and with a manifest beside it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from analytics.export import csv_file, json_file, parquet_file, pdf_file, xlsx_file
from analytics.export.tables import Table
from analytics.export.watching import Watch, unwatched, watched
from analytics.lake import durable
from analytics.zones import moment
from stockverify.errors import BadInput, SetupError

_GUARD_NOTE = "One leading apostrophe of a text is a guard against formulas, and not part of the text."


class Format(StrEnum):
    """The kinds of files."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    NDJSON = "ndjson"
    PARQUET = "parquet"
    PDF = "pdf"


BARE = (Format.CSV, Format.NDJSON)
"""Those without a place for the manifest in the file itself."""
_STEPS = {Format.XLSX: 2_000}
"""Rows between two looks at whether the export is still wanted: a fraction of a second in every format."""
_STEP = 20_000
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class UnknownFormat(BadInput):
    """{name!r} is not an export format; use one of: csv, xlsx, json, ndjson, parquet, pdf."""


class DiskFull(SetupError):
    """There is no room left for {file} in {folder}; nothing was exported. Free some space, or export fewer rows."""


class Order(Struct, frozen=True):
    """Who wants the file, the IANA zone in which it shows times, and when it was asked for. `bom` counts for CSV only:
    Excel needs the mark, some programs stumble over it. `currency` is the ISO code of all amounts, if one is known."""

    requested_by: str
    zone: str
    now: datetime
    bom: bool = True
    currency: str = ""


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


def export(table: Table, kind: Format, path: Path, order: Order, watch: Watch = unwatched) -> Exported:
    """Write the file, replacing one of that name only when it is whole. Memory holds one batch of rows.

    `watch` is told of progress and ends the export by raising; then, as after any error, nothing of it is left.
    Raises UnknownZone or DiskFull.
    """
    about = _about(table, order)
    table = watched(table, watch, _STEPS.get(kind, _STEP))
    with _telling_of_a_full_disk(path), durable.replacing(path) as draft:
        rows = _write(table, kind, draft, order, about)
        size, digest = draft.stat().st_size, durable.sha256(draft)
    manifest_path = path.with_name(f"{path.name}.manifest.json")
    file = {"file": path.name, "format": kind.value, "rows": rows, "bytes": size, "sha256": digest}
    notes = {"note": _GUARD_NOTE} if kind is Format.CSV else {}
    try:
        with _telling_of_a_full_disk(path), durable.replacing(manifest_path) as draft:
            draft.write_bytes(msgspec.json.format(msgspec.json.encode(file | notes | about), indent=1) + b"\n")
    except BaseException:
        path.unlink(missing_ok=True)  # a file without its manifest does not say where it comes from
        raise
    return Exported(path, manifest_path, rows, size, digest)


@contextmanager
def _telling_of_a_full_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise DiskFull(file=path.name, folder=path.parent) from error
        raise


def _write(table: Table, kind: Format, path: Path, order: Order, about: dict[str, Any]) -> int:
    match kind:
        case Format.CSV:
            return csv_file.write(table, path, order.zone, order.bom)
        case Format.XLSX:
            return xlsx_file.write(table, path, order.zone, about)
        case Format.JSON:
            return json_file.write(table, path, order.zone, about)
        case Format.NDJSON:
            return json_file.write_lines(table, path, order.zone)
        case Format.PARQUET:
            return parquet_file.write(table, path, about)
        case Format.PDF:
            return pdf_file.write(table, path, order.zone, about)


def _about(table: Table, order: Order) -> dict[str, Any]:
    """The source, with its instants in the zone; who asked, and when."""
    source = {
        name: moment(value, order.zone) if isinstance(value, datetime) else value for name, value in table.about.items()
    }
    columns = {name: kind.value for name, kind in table.columns}
    asked = {"requested_by": order.requested_by, "requested_at": moment(order.now, order.zone), "zone": order.zone}
    money = {"currency": order.currency} if order.currency else {}
    return msgspec.to_builtins({**source, **asked, **money, "columns": columns})  # type: ignore[no-any-return]
