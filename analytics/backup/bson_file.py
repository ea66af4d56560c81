"""Files of BSON documents, one after the other as mongodump writes them, in Zstandard. Memory holds a few megabytes."""

import io
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import zstandard

from analytics.lake import durable

_SIZE = struct.Struct("<i")
_LEAST, _MOST = 5, 16 * 2**20 + 16 * 2**10
"""An empty document has five bytes; the largest that MongoDB stores has 16 MB, and a little for the server itself."""
_WINDOW, _BUFFER = 2**27, 2**20


class NoBson(Exception):
    """The content is not what such a file holds."""


class Amount(NamedTuple):
    """So many documents, and so many bytes of BSON."""

    documents: int
    bytes: int


def write(path: Path, batches: Iterable[bytes]) -> Amount:
    """A new file that only its owner reads, forced to the disk."""
    documents = size = 0
    compressor = zstandard.ZstdCompressor(write_checksum=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        with compressor.stream_writer(file, closefd=False) as packed:
            for batch in batches:
                packed.write(batch)
                documents, size = documents + _count(batch), size + len(batch)
        file.flush()
        os.fsync(file.fileno())
    durable.sync(path.parent)
    return Amount(documents, size)


def read(path: Path) -> Iterator[bytes]:
    """The documents, each as its bytes. Raises NoBson."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    try:
        with path.open("rb") as file, decompressor.stream_reader(file) as unpacked:
            plain = io.BufferedReader(unpacked, _BUFFER)
            while head := plain.read(_SIZE.size):
                yield head + _rest(plain, head)
    except zstandard.ZstdError as error:
        raise NoBson(str(error)) from None


def amount(path: Path) -> Amount:
    """What is in a file. Raises NoBson."""
    documents = size = 0
    for document in read(path):
        documents, size = documents + 1, size + len(document)
    return Amount(documents, size)


def _rest(plain: BinaryIO | io.BufferedReader, head: bytes) -> bytes:
    size = _SIZE.unpack(head)[0] if len(head) == _SIZE.size else 0
    if not _LEAST <= size <= _MOST:
        raise NoBson(f"a document of {size} bytes")
    rest = plain.read(size - _SIZE.size)
    if len(rest) != size - _SIZE.size:
        raise NoBson("it ends in the middle of a document")
    return rest


def _count(batch: bytes) -> int:
    documents = place = 0
    while place < len(batch):
        place += _SIZE.unpack_from(batch, place)[0]
        documents += 1
    return documents
