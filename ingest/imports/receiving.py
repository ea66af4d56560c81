"""An upload on its way to the disk: in pieces, with its size watched and its checksum taken on the way."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ingest.imports.rules import MAX_BYTES, EmptyUpload, ListTooLarge

_PIECE = 2**20


class Received(NamedTuple):
    """A file that is whole on the disk."""

    bytes: int
    sha256: str


async def receive(path: Path, chunks: AsyncIterator[bytes]) -> Received:
    """Write the chunks into a new file. Raises ListTooLarge as soon as that is so, or EmptyUpload."""
    seen, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        piece = bytearray()
        async for chunk in chunks:
            size += len(chunk)
            if size > MAX_BYTES:
                raise ListTooLarge(limit=MAX_BYTES)
            piece += chunk
            if len(piece) >= _PIECE:
                await asyncio.to_thread(_keep, file, seen, bytes(piece))
                piece.clear()
        await asyncio.to_thread(_keep, file, seen, bytes(piece))
    if not size:
        raise EmptyUpload()
    return Received(size, seen.hexdigest())


def _keep(file: BinaryIO, seen: "hashlib._Hash", piece: bytes) -> None:
    seen.update(piece)
    file.write(piece)


def announced(length: str | None) -> None:
    """Refuse what says beforehand that it is too large, before any of it is read. Raises ListTooLarge."""
    if length is not None and length.isdecimal() and int(length[:20]) > MAX_BYTES:
        raise ListTooLarge(limit=MAX_BYTES)
