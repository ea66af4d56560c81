"""What some settings must be beyond their type; each check raises ValueError with what is needed instead."""

from urllib.parse import urlsplit

from stockverify.zones import UnknownZone, zone_of

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_SHORTEST_KEY = 32


def level(text: str) -> None:
    """How much is logged."""
    if text.upper() not in _LEVELS:
        raise ValueError(f"it must be one of {', '.join(_LEVELS)}")


def zone(text: str) -> None:
    """A zone that the machine knows."""
    try:
        zone_of(text)
    except UnknownZone:
        raise ValueError("it must be an IANA name such as Europe/Vienna, or UTC") from None


def key(text: str) -> None:
    """Whoever has one token can try keys on it at leisure: a short one would be found."""
    if len(text) < _SHORTEST_KEY:
        raise ValueError(f"it must have {_SHORTEST_KEY} characters or more; `openssl rand -hex 32` makes one")


def http_address(text: str) -> None:
    """The address of a website, as a browser takes it."""
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine or not text.isprintable() or " " in text:
        raise ValueError("it must be an address such as https://stock.shop.example")
