"""What the settings for mail say together: through which server, from whom; and whether they contradict each other."""

import ipaddress
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import NamedTuple

from stockverify.addresses import BadAddress, checked
from stockverify.environment import table
from stockverify.errors import BadSetting
from stockverify.settings import Settings

_NOBODY = "StockVerify <stockverify@localhost>"
_FOR_A_SERVER = ("smtp_user", "smtp_password", "smtp_ca_file")


class Server(NamedTuple):
    """A mail server, and how to talk to it."""

    host: str
    port: int
    security: str
    user: str | None
    password: str | None
    ca_file: Path | None


def check(settings: Settings) -> None:
    """Raises BadSetting, for the person who starts StockVerify, when mails would not be sent as these settings ask."""
    given = [name for name in _FOR_A_SERVER if getattr(settings, name) is not None]
    if given and not settings.smtp_host:
        raise _bad(settings, "smtp_host", f"{_variable(given[0])} is set, but no mail server is named")
    if (settings.smtp_user is None) != (settings.smtp_password is None):
        lacking = "smtp_user" if settings.smtp_user is None else "smtp_password"
        raise _bad(settings, lacking, "a login needs both SMTP_USER and SMTP_PASSWORD")
    server_of(settings)
    sender_text(settings)


def server_of(settings: Settings) -> Server | None:
    """The mail server of the settings, if there is one. Raises BadSetting when they would send secrets in clear."""
    if not settings.smtp_host:
        return None
    security, here = settings.smtp_security, _is_here(settings.smtp_host)
    if security == "none" and not here:
        reason = "without encryption, mail goes to this machine only; use starttls or tls, or allow it"
        raise _bad(settings, "smtp_security", f"{reason} with none-anywhere")
    if security == "none-anywhere" and settings.smtp_user and not here:
        reason = "the password would cross the network in clear; use starttls or tls, or no SMTP_USER"
        raise _bad(settings, "smtp_security", reason)
    if settings.smtp_ca_file is not None and not settings.smtp_ca_file.is_file():
        raise _bad(settings, "smtp_ca_file", "there is no such file")
    return Server(
        settings.smtp_host,
        settings.smtp_port,
        security,
        settings.smtp_user,
        settings.smtp_password,
        settings.smtp_ca_file,
    )


def sender_text(settings: Settings) -> str:
    """MAIL_FROM. Without a mail server nobody is written to, so that any sender will do. Raises BadSetting."""
    text = settings.mail_from or ("" if settings.smtp_host else _NOBODY)
    try:
        sender_of(text)
    except (BadAddress, ValueError) as error:
        raise _bad(settings, "mail_from", str(error)) from None
    return text


def sender_of(text: str) -> Address:
    """The sender that MAIL_FROM names, with or without a name before the address. Raises BadAddress."""
    name, address = parseaddr(text)
    if not address or not text.isprintable():
        raise BadAddress(address=text[:80], reason="write reports@shop.example or Stock <reports@shop.example>")
    return Address(name, addr_spec=checked(address))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bad(settings: Settings, field: str, reason: str) -> BadSetting:
    """Never with the value of a secret."""
    env = next(row.env for row in table() if row.field == field)
    value = "" if env.secret else str(getattr(settings, field) or "")
    return BadSetting(name=env.name, value=value, reason=reason, doc=env.doc)


def _variable(field: str) -> str:
    return next(row.env.name for row in table() if row.field == field)
