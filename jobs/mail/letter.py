"""Writes a letter into a folder of its own. Once it is there it is never edited: every attempt to send it, to every
recipient, sends the same words and the same files. stockverify/letters.py reads it."""

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from analytics.lake import durable
from stockverify.errors import BadInput
from stockverify.letters import UNSUBSCRIBE, WORDS, Enclosure, Letter, LetterDamaged, folder, opened

__all__ = ["UNSUBSCRIBE", "WORDS", "Enclosure", "Letter", "enclosure", "keep", "opened"]

DRAFT = ".tmp"
_LONGEST_NAME = 200


class BadName(BadInput):
    """{name!r} cannot be the name of a file in a mail."""


def enclosure(path: Path, name: str, media_type: str) -> Enclosure:
    """How a letter tells of the file at `path`, which it is to hold as `name`. Raises BadName."""
    _check_name(name)
    return Enclosure(name=name, media_type=media_type, sha256=durable.sha256(path), bytes=path.stat().st_size)


def keep(root: Path, letter_id: str, letter: Letter, files: Mapping[str, Path]) -> None:
    """Write a letter with its files (by their names in the letter), whole or not at all. One that is there stays as it
    is, so that whoever writes it a second time sends what was written first."""
    target = folder(root, letter_id)
    if target.exists():
        return
    durable.make_folder(root)
    draft = root / f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}{DRAFT}"
    draft.mkdir()
    try:
        for each in (*letter.images, *letter.attachments):
            _put_in(draft, each, files[each.name])
        durable.write_file(draft / WORDS, msgspec.json.encode(letter))
        durable.sync(draft)
        _publish(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _put_in(draft: Path, each: Enclosure, source: Path) -> None:
    _check_name(each.name)
    shutil.copyfile(source, draft / each.name)
    durable.sync(draft / each.name)
    if durable.sha256(draft / each.name) != each.sha256:
        raise LetterDamaged(what=each.name)


def _publish(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        if not target.exists():
            raise
    durable.sync(target.parent)


def _check_name(name: str) -> None:
    """Control characters would be new lines in a header, and slashes other folders."""
    plain = name and name == name.strip() and not name.startswith(".") and "/" not in name and "\\" not in name
    if not plain or not name.isprintable() or len(name.encode()) > _LONGEST_NAME or name == WORDS:
        raise BadName(name=name[:80])
