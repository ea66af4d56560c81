"""Taking a backup: all collections as they were at one cluster time, published by renaming a folder."""

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import cast

from pymongo.database import Database
from pymongo.errors import OperationFailure

from analytics.backup import bson_file
from analytics.backup.contents import KEPT
from analytics.backup.manifest import FILE_NAME, FORMAT, Manifest, Part, encoded
from analytics.backup.store import DRAFT_PREFIX, Backups
from analytics.extract import Abandoned
from analytics.extract.moment import BATCH, WHOLE_COLLECTION, Moment, moment_of
from analytics.lake import durable
from stockverify.clients import Document
from stockverify.errors import Refused
from stockverify.vocabulary import Collection

_SNAPSHOT_TOO_OLD = 239


class NothingToBackUp(Refused):
    """The database {database} is empty, so there is nothing to back up."""


class BackupTooSlow(Refused):
    """MongoDB's history window ended before everything was read, so nothing was backed up: all of a backup is of one
    moment. Raise minSnapshotHistoryWindowInSeconds on the server, or back up when it has less to do."""


def _never() -> bool:
    return False


def back_up(
    backups: Backups,
    database: Database[Document],
    backup_id: str,
    now: datetime,
    stopping: Callable[[], bool] = _never,
) -> Manifest:
    """Publish a backup, or give the one of this id that exists. It is visible whole or not at all.

    `stopping` is asked before each batch; once it says true, Abandoned is raised. Raises NothingToBackUp or
    BackupTooSlow.
    """
    if backup_id in backups.ids():
        return backups.manifest(backup_id)
    with moment_of(database, KEPT) as at:
        if at is None:
            raise NothingToBackUp(database=database.name)
        with _draft(backups.root / backup_id) as draft:
            parts = tuple(_part(database, name, at, draft, stopping) for name in KEPT)
            manifest = _manifest(database, backup_id, at, now, parts)
            durable.write_file(draft / FILE_NAME, encoded(manifest))
    return backups.manifest(backup_id)


def _manifest(
    database: Database[Document], backup_id: str, at: Moment, now: datetime, parts: tuple[Part, ...]
) -> Manifest:
    return Manifest(
        format=FORMAT,
        backup_id=backup_id,
        database=database.name,
        as_of=at.as_of,
        created_at=now,
        cluster_time=(at.cluster_time.time, at.cluster_time.inc),
        parts=parts,
    )


def _part(
    database: Database[Document], name: Collection, at: Moment, draft: Path, stopping: Callable[[], bool]
) -> Part:
    path = draft / f"{name}.bson.zst"
    documents, size = bson_file.write(path, _batches(database, name, at, stopping))
    return Part(
        collection=str(name),
        documents=documents,
        bytes=size,
        file_bytes=path.stat().st_size,
        sha256=durable.sha256(path),
    )


def _batches(
    database: Database[Document], name: Collection, at: Moment, stopping: Callable[[], bool]
) -> Iterator[bytes]:
    """The stored bytes themselves: nothing is decoded, so nothing can come out differently."""
    found = database[name].find_raw_batches(batch_size=BATCH, session=at.session, comment=WHOLE_COLLECTION)
    try:
        for batch in found:
            if stopping():
                raise Abandoned()
            yield cast(bytes, batch)
    except OperationFailure as error:
        if error.code == _SNAPSHOT_TOO_OLD:
            raise BackupTooSlow() from None
        raise


@contextmanager
def _draft(final: Path) -> Iterator[Path]:
    """A folder that only its owner enters, for it holds the hashes of passwords; renamed when all is written."""
    durable.make_folder(final.parent)
    draft = final.with_name(f"{DRAFT_PREFIX}{final.name}-{secrets.token_hex(4)}")
    draft.mkdir(mode=0o700)
    try:
        yield draft
        durable.sync(draft)
        _publish(draft, final)
        durable.sync(final.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _publish(draft: Path, final: Path) -> None:
    """A run that was taken over may be at work twice; whoever is first has made the backup of this id."""
    try:
        draft.rename(final)
    except OSError:
        if not final.is_dir():
            raise
