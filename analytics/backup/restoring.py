"""Bringing a backup back. What is there stays untouched until everything of the backup lies beside it, complete.

Each collection is loaded under another name, counted, indexed and made harmless; then the names are exchanged, which
takes a moment. A restore that was killed before that has changed nothing, and is just run again. One that was killed
while names were exchanged left a note, by which `stockverify doctor` and the next restore know.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from bson.raw_bson import RawBSONDocument
from msgspec import Struct
from pymongo.collection import Collection as Stored
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from analytics.backup import bson_file
from analytics.backup.aftermath import Aftermath, make_harmless
from analytics.backup.bson_file import NoBson
from analytics.backup.manifest import BackupDamaged, Manifest, Part
from analytics.backup.store import Backups
from stockverify import indexes
from stockverify.clients import Document
from stockverify.errors import Refused
from stockverify.vocabulary import RESTORE_STATE, Collection

_STAGED = "restoring."
_BATCH_DOCUMENTS, _BATCH_BYTES = 1000, 8 * 2**20
_NOTE = {"_id": "exchanging"}

Progress = Callable[[int, int | None], None]
"""Is told how many documents are in, of how many."""


class DatabaseNotEmpty(Refused):
    """The database {database} holds {documents} documents. Restore into a new one with --into NAME, or say with
    --replace that all of them are to go."""


class Restored(Struct, frozen=True, kw_only=True):
    """A backup that is a database again, and what was changed in it for safety."""

    backup_id: str
    as_of: datetime
    database: str
    documents: int
    aftermath: Aftermath


def restore(
    backups: Backups,
    backup_id: str,
    database: Database[Document],
    now: datetime,
    replace: bool = False,
    progress: Progress = lambda done, total: None,
) -> Restored:
    """Check the backup, load it, make it harmless, and put it in the place of what the database holds.

    Raises BackupNotFound, BackupDamaged, or DatabaseNotEmpty unless `replace`.
    """
    manifest = backups.checked(backup_id)
    if not replace and not half_exchanged(database) and (documents := held(database)):
        raise DatabaseNotEmpty(database=database.name, documents=documents)
    _clear_staged(database)
    done = 0
    for part in manifest.parts:
        for more in _load(database[_staged(part.collection)], backups, manifest, part):
            done += more
            progress(done, manifest.documents)
    _index(database, manifest)
    changed = make_harmless(lambda name: database[_staged(name)], manifest, now)
    _exchange(database, manifest)
    return Restored(
        backup_id=backup_id,
        as_of=manifest.as_of,
        database=database.name,
        documents=manifest.documents,
        aftermath=changed,
    )


def held(database: Database[Document]) -> int:
    """How many documents of the house a database holds."""
    present = set(database.list_collection_names())
    return sum(database[name].estimated_document_count() for name in Collection if name in present)


def half_exchanged(database: Database[Document]) -> bool:
    """Whether a restore was killed while it exchanged the names."""
    return database[RESTORE_STATE].find_one(_NOTE) is not None


def _staged(name: str) -> str:
    return f"{_STAGED}{name}"


def _clear_staged(database: Database[Document]) -> None:
    """What a killed restore left; its note stays until a restore is complete."""
    for name in database.list_collection_names():
        if name.startswith(_STAGED) and name != RESTORE_STATE:
            database.drop_collection(name)


def _load(staged: Stored[Document], backups: Backups, manifest: Manifest, part: Part) -> Iterator[int]:
    """Gives how many more documents are in, again and again until all are."""
    try:
        for batch in _batches(bson_file.read(backups.path(manifest, part))):
            staged.insert_many(batch)
            yield len(batch)
    except (NoBson, BulkWriteError) as error:
        raise BackupDamaged(backup_id=manifest.backup_id, reason=f"{part.file}: {error!s:.200}") from None
    found = staged.count_documents({}, hint="_id_") if part.documents else 0
    if found != part.documents:
        reason = f"{found} of the {part.documents} documents of {part.file} arrived"
        raise BackupDamaged(backup_id=manifest.backup_id, reason=reason)


def _batches(documents: Iterator[bytes]) -> Iterator[list[RawBSONDocument]]:
    """The bytes go to the server as they are."""
    batch: list[RawBSONDocument] = []
    size = 0
    for document in documents:
        batch.append(RawBSONDocument(document))
        size += len(document)
        if len(batch) == _BATCH_DOCUMENTS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _index(database: Database[Document], manifest: Manifest) -> None:
    """Indexes move with a collection when its name is exchanged. This makes empty collections exist, too."""
    names = {part.collection for part in manifest.parts}
    for name, models in indexes.INDEXES.items():
        if name in names:
            database[_staged(name)].create_indexes(list(models))


def _exchange(database: Database[Document], manifest: Manifest) -> None:
    """Safe to do again: what is renamed is no longer there to rename. What no backup holds begins anew."""
    database[RESTORE_STATE].replace_one(_NOTE, _NOTE | {"backup_id": manifest.backup_id}, upsert=True)
    present = set(database.list_collection_names())
    for name in Collection:
        if _staged(name) in present:
            database[_staged(name)].rename(str(name), dropTarget=True)
        else:
            database.drop_collection(str(name))
    indexes.ensure_blocking(database)
    database.drop_collection(RESTORE_STATE)
