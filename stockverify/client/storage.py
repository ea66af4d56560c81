"""The file of a device: one SQLite database that one process has open, and that survives kill -9 and a full disk."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stockverify.errors import SetupError

_APPLICATION_ID = 0x53564451
_VERSION = 1
_SCHEMA = """
CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    client_record_id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    content BLOB NOT NULL,
    state TEXT NOT NULL,
    unconfirmed INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT
);
CREATE INDEX records_by_state ON records (state, seq);
CREATE TABLE conflicts (
    client_record_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    conflict_type TEXT NOT NULL,
    message TEXT NOT NULL,
    details BLOB NOT NULL,
    PRIMARY KEY (client_record_id, revision)
) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""
_MARKS = (f"PRAGMA application_id={_APPLICATION_ID}", f"PRAGMA user_version={_VERSION}")
_FAMILY = 0xFF


class DiskFull(SetupError):
    """The disk that holds the device's file {path} is full. Nothing was half-written and all earlier counts are safe.
    Free some space, then do the last step again."""


class FileInUse(SetupError):
    """The device's file {path} is in use by another process. A device runs once; close the other one."""


class NotADeviceFile(SetupError):
    """The file {path} is not the file of a device ({reason}). It was not changed; name another file."""


class FileUnusable(SetupError):
    """The device's file {path} cannot be used: {reason}."""


class Storage:
    """An open device file. All calls are short and synchronous, on one thread."""

    def __init__(self, path: Path) -> None:
        """Open or make it. Raises FileInUse, NotADeviceFile or FileUnusable."""
        self._path = path
        _ensure_private(path)
        with self._clear_errors():
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=0)
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file; another process may then open it."""
        self._connection.close()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self._clear_errors():
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is on the disk at the end of the block, or none of it."""
        with self._clear_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _prepare(self) -> None:
        """Exclusive and write-ahead; FULL waits for the disk at each commit, so that a power cut costs nothing."""
        with self._clear_errors():
            self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            made_before = self._made_before()
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
        with self.writing() as connection:
            for statement in () if made_before else (*_SCHEMA.split(";"), *_MARKS):
                connection.execute(statement)

    def _made_before(self) -> bool:
        """Whether it is a device's file already; an empty one is not. Raises NotADeviceFile before anything changes."""
        kind, version, tables = (
            self._connection.execute(question).fetchone()[0]
            for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
        )
        if (kind, version) == (_APPLICATION_ID, _VERSION):
            return True
        if kind == _APPLICATION_ID:
            raise NotADeviceFile(path=self._path, reason=f"its layout {version} is of another version of StockVerify")
        if tables:
            raise NotADeviceFile(path=self._path, reason="it is a database of another program")
        return False

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _explained(error, self._path) from error


def _explained(error: sqlite3.Error, path: Path) -> SetupError | sqlite3.Error:
    code = getattr(error, "sqlite_errorcode", None)
    match code & _FAMILY if code is not None else None:
        case sqlite3.SQLITE_FULL:
            return DiskFull(path=path)
        case sqlite3.SQLITE_BUSY:
            return FileInUse(path=path)
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return NotADeviceFile(path=path, reason=str(error))
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return FileUnusable(path=path, reason=str(error))
    return error


def _ensure_private(path: Path) -> None:
    """The file holds tokens: only its owner may read it."""
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise FileUnusable(path=path, reason=error.strerror) from None
