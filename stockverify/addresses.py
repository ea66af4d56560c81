"""E-mail addresses: which ones mail can go to, and which it may."""

import re
from collections.abc import Sequence

from stockverify.errors import BadInput

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")


class BadAddress(BadInput):
    """{address!r} is no e-mail address that mail can be sent to: {reason}."""


class DomainNotAllowed(BadInput):
    """Mail to {domain} is not allowed here. MAIL_ALLOWED_DOMAINS allows: {allowed}."""


def checked(text: str) -> str:
    """The address as mail servers want it: plain ASCII, an international domain in its ASCII form.

    Raises BadAddress.
    """
    local, at, domain = text.strip().rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local) > 64:
        raise BadAddress(address=text[:80], reason="before the @ it needs letters, digits and .!#$%&'*+/=?^_`{|}~-")
    try:
        ascii_domain = domain.encode("idna").decode().lower()
    except UnicodeError:
        ascii_domain = ""
    if not _DOMAIN.fullmatch(ascii_domain) or len(local) + len(ascii_domain) > 253:
        raise BadAddress(address=text[:80], reason="after the @ it needs the name of a domain")
    return f"{local}@{ascii_domain}"


def same(address: str) -> str:
    """Equal for addresses that reach the same person: mail servers in use tell no capitals apart."""
    return address.strip().lower()


def domains(listed: str | None) -> tuple[str, ...]:
    """The domains of a list with commas, as MAIL_ALLOWED_DOMAINS has it."""
    return tuple(each.strip().lower().lstrip("@") for each in (listed or "").split(",") if each.strip())


def allow(address: str, allowed: Sequence[str]) -> None:
    """Raises DomainNotAllowed unless the domain is one of these exactly; when there are none, all are allowed."""
    domain = address.rpartition("@")[2].lower()
    if allowed and domain not in allowed:
        raise DomainNotAllowed(domain=domain[:80], allowed=", ".join(allowed))
