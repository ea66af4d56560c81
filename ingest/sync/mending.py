"""Reads bodies with what some JSON libraries write though no reader of JSON takes it: NaN, infinities, and halves of
surrogate pairs, which are left where a program has cut a text in the middle of an emoji.

Each is put in a form that reading the batch passes over and that reading its record then refuses by name
(docs/decisions/0045). Only bodies that could not be read come here, and nothing in here looks at a byte twice.
"""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

T = TypeVar("T")
UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError)
"""What decoding raises for bad input."""
MENDED_BYTES = 8 * 1024 * 1024
_MOST = 10_000
"""Places in one body; a batch has a thousand records, and a record has four numbers."""

_NO_NUMBER, _NO_TEXT = b'{"NaN":0}', b"\xed\xa0\x80"
"""An object is no value of any field of a record; these bytes are in no text."""
_HALF = rb"\\u[dD][89a-fA-F]"
_PAIR = rb"\\u[dD][89abAB]..\\u[dD][c-fC-F].."
_STRING = rb'"(?:[^"\\]++|\\.)*+"'
# Matches stop after some thousand steps, because other threads wait while one goes on. They are atomic groups: before
# Python 3.11.5, which Debian 12 is, a possessive repeat of a group ends behind what its last try has looked at.
_NUMBERS = re.compile(rb'(?>(?:[^"NI-]++|' + _STRING + rb"|-(?!Infinity)|N(?!aN)|I(?!nfinity)){0,4096})", re.DOTALL)
_TEXTS = re.compile(rb"(?>(?:[^\\]++|" + _PAIR + rb"|(?!" + _HALF + rb")\\.){0,4096})", re.DOTALL)
_ODD_NUMBER, _ODD_TEXT = re.compile(rb"NaN|-?Infinity"), re.compile(_HALF + rb"..", re.DOTALL)


def decoded(decode: Callable[[bytes], T], body: bytes) -> T:
    """What a body says, mended if need be. Raises one of UNREADABLE."""
    try:
        return decode(body)
    except UNREADABLE:
        mended = _mended(body) if len(body) <= MENDED_BYTES else None
        if mended is None:
            raise
    return decode(mended)


def shown(error: Exception) -> str:
    """An error of decoding, short enough for a reply."""
    return str(error)[:300]


def reason(error: Exception, raw: msgspec.Raw) -> str:
    """Why a record cannot be read, and which field it is."""
    if isinstance(error, msgspec.ValidationError):
        told = shown(error)
        return told.replace("got `object`", "got NaN or an infinity") if _NO_NUMBER in bytes(raw) else told
    place = _unreadable_text(raw) if isinstance(error, UnicodeError) else ""
    return f"it is no Unicode text - at `$.{place}`" if place else shown(error)


def _mended(body: bytes) -> bytes | None:
    """None when there is nothing to mend, or too much."""
    mended: bytes | None = body
    if _ODD_TEXT.search(body):
        mended = _replaced(body, _TEXTS, _ODD_TEXT, _NO_TEXT)
    if mended and (b"NaN" in mended or b"Infinity" in mended):
        mended = _replaced(mended, _NUMBERS, _ODD_NUMBER, _NO_NUMBER)
    return None if mended is body else mended


def _replaced(body: bytes, sound: re.Pattern[bytes], odd: re.Pattern[bytes], instead: bytes) -> bytes | None:
    """None for what ends within a text, and for more odd places than there may be."""
    made, at, left = bytearray(), 0, _MOST
    while at < len(body):
        start, end = at, sound.match(body, at).end()  # type: ignore[union-attr]
        made += memoryview(body)[start:end]
        at = end
        if found := odd.match(body, end):
            made += instead
            at, left = found.end(), left - 1
        if at == start or not left:
            return None
    return bytes(made)


def _unreadable_text(raw: msgspec.Raw) -> str:
    """The first field that is no text in UTF-8, `data.bin` for a field in the data of an operation."""
    try:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except UNREADABLE:
        return ""
    for name, value in fields.items():
        try:
            bytes(value).decode()
        except UnicodeDecodeError:
            within = _unreadable_text(value) if name == "data" else ""
            return f"{name}.{within}" if within else name
    return ""
