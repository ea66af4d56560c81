"""What a backup says about itself, and what must hold before it is believed."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from analytics.backup.contents import KEPT
from analytics.lake.ids import is_snapshot_id
from stockverify.errors import BadInput, SetupError

FILE_NAME = "manifest.json"
MAX_BYTES = 2**20
FORMAT = 1

Count = Annotated[int, Meta(ge=0)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Instant = Annotated[datetime, Meta(tz=True)]


class BackupDamaged(SetupError):
    """Backup {backup_id} is damaged: {reason}. It is not used, and nothing was changed. `stockverify backup --list`
    shows the others."""


class BadBackupId(BadInput):
    """{text!r} is not the id of a backup. Ids look like 20260131T235959123Z-0a1b2c3d; `stockverify backup --list`
    shows yours."""


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One collection: its documents, how many bytes of BSON they are, and the compressed file that holds them."""

    collection: str
    documents: Count
    bytes: Count
    file_bytes: Count
    sha256: Sha256

    @property
    def file(self) -> str:
        """The name of the file: BSON documents one after the other, as mongodump writes them, in Zstandard."""
        return f"{self.collection}.bson.zst"


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All collections of a database at one cluster time, which is told as seconds and increment."""

    format: int
    backup_id: str
    database: str
    as_of: Instant
    created_at: Instant
    cluster_time: tuple[int, int]
    parts: tuple[Part, ...]

    @property
    def documents(self) -> int:
        """How many documents there are in all."""
        return sum(part.documents for part in self.parts)

    @property
    def file_bytes(self) -> int:
        """How much room it takes."""
        return sum(part.file_bytes for part in self.parts)


def checked_id(text: str) -> str:
    """An id that came from outside. Raises BadBackupId."""
    if not is_snapshot_id(text):
        raise BadBackupId(text=text[:80])
    return text


def encoded(manifest: Manifest) -> bytes:
    """The bytes of manifest.json, made for people to read too."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decoded(data: bytes, backup_id: str) -> Manifest:
    """The manifest of that backup. Raises BackupDamaged with what is wrong."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BackupDamaged(backup_id=backup_id, reason=f"its manifest cannot be read: {error}") from None
    if reason := _fault(manifest, backup_id):
        raise BackupDamaged(backup_id=backup_id, reason=reason)
    return manifest


def _fault(manifest: Manifest, backup_id: str) -> str | None:
    names = [part.collection for part in manifest.parts]
    if manifest.format != FORMAT:
        return f"it has format {manifest.format}, and this version of StockVerify reads {FORMAT}"
    if manifest.backup_id != backup_id:
        return f"its manifest is that of {manifest.backup_id}"
    if strange := sorted(set(names) - set(KEPT)):
        return f"its manifest names {strange[0]!r}, which no backup holds"
    return "its manifest names a collection twice" if len(set(names)) != len(names) else None
