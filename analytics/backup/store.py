"""The backups of a lake: which there are, whether one is as its manifest says, and removing old ones."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from analytics.backup import bson_file
from analytics.backup.bson_file import Amount, NoBson
from analytics.backup.manifest import FILE_NAME, MAX_BYTES, BackupDamaged, Manifest, Part, checked_id, decoded
from analytics.lake import durable
from analytics.lake.ids import is_snapshot_id
from stockverify.age import changed_before
from stockverify.errors import NotFound, Refused, StockVerifyError

FOLDER = "backups"
DRAFT_PREFIX, _GONE_PREFIX = ".draft-", ".gone-"
_LEFTOVER_AGE = timedelta(days=1)


class BackupNotFound(NotFound):
    """Backup {backup_id} is not in {root}; `stockverify backup --list` shows what is."""


class NoBackup(NotFound):
    """There is no backup in {root} yet; make one with `stockverify backup`."""


class OfAnother(Refused):
    """The newest backup, {backup_id}, is of the database {other}, not of {database}. Say which one you want by its id;
    `stockverify backup --list` shows all."""


class Damaged(Struct, frozen=True):
    """A backup that cannot be used, and why."""

    backup_id: str
    message: str


class Backups:
    """The backups in `lake/backups`. What is published is never edited."""

    def __init__(self, lake: Path) -> None:
        self.root = lake / FOLDER

    def ids(self) -> list[str]:
        """The ids of whole backups, newest first."""
        names = (path.name for path in self.root.iterdir()) if self.root.is_dir() else ()
        return sorted((name for name in names if is_snapshot_id(name)), reverse=True)

    def resolve(self, text: str, database: str) -> str:
        """An id, where `latest` stands for the newest of that database. When a copy has made one since, nobody can know
        which is meant. Raises NoBackup, OfAnother, BadBackupId or BackupDamaged."""
        if text != "latest":
            return checked_id(text)
        if not (known := self.ids()):
            raise NoBackup(root=self.root)
        if (other := self.manifest(known[0]).database) != database:
            raise OfAnother(backup_id=known[0], other=other, database=database)
        return known[0]

    def manifest(self, backup_id: str) -> Manifest:
        """What a backup says of itself. Raises BadBackupId, BackupNotFound or BackupDamaged."""
        try:
            with (self.root / checked_id(backup_id) / FILE_NAME).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            raise BackupNotFound(backup_id=backup_id, root=self.root) from None
        except OSError as error:
            raise BackupDamaged(backup_id=backup_id, reason=f"its manifest cannot be read: {error.strerror}") from None
        return decoded(data, backup_id)

    def listed(self) -> list[Manifest | Damaged]:
        """All backups, newest first; files are not read."""
        return [self._told(backup_id) for backup_id in self.ids()]

    def checked(self, backup_id: str) -> Manifest:
        """The manifest of a backup whose every file was read and is as it says. Raises as `manifest` does."""
        manifest = self.manifest(backup_id)
        for part in manifest.parts:
            if reason := self._fault(self.path(manifest, part), part):
                raise BackupDamaged(backup_id=backup_id, reason=f"its file {part.file} {reason}")
        return manifest

    def path(self, manifest: Manifest, part: Part) -> Path:
        """The file of a collection."""
        return self.root / manifest.backup_id / part.file

    def remove(self, backup_id: str) -> None:
        """Remove a backup; it is renamed first, so that there is never a part of one."""
        folder = self.root / checked_id(backup_id)
        gone = folder.with_name(f"{_GONE_PREFIX}{backup_id}")
        if folder.is_dir():
            folder.rename(gone)
            durable.sync(self.root)
        shutil.rmtree(gone, ignore_errors=True)

    def sweep(self, now: datetime) -> None:
        """Remove what killed ones left behind: drafts after a day, and at once what is on its way out."""
        for path in list(self.root.iterdir()) if self.root.is_dir() else ():
            left = path.name.startswith(DRAFT_PREFIX) and changed_before(path, now - _LEFTOVER_AGE)
            if left or path.name.startswith(_GONE_PREFIX):
                shutil.rmtree(path, ignore_errors=True)

    def _told(self, backup_id: str) -> Manifest | Damaged:
        try:
            return self.manifest(backup_id)
        except StockVerifyError as error:
            return Damaged(backup_id, error.message)

    def _fault(self, path: Path, part: Part) -> str | None:
        if path.is_symlink() or not path.is_file():
            return "is missing"
        if (size := path.stat().st_size) != part.file_bytes:
            return f"has {size} bytes instead of {part.file_bytes}"
        if durable.sha256(path) != part.sha256:
            return "does not match its checksum"
        try:
            found = bson_file.amount(path)
        except NoBson as error:
            return f"cannot be read: {error}"
        if found != Amount(part.documents, part.bytes):
            return f"holds {found.documents} documents instead of {part.documents}"
        return None
