"""The OpenID Connect provider of the settings: what of it the service and the dashboard go by."""

from typing import NamedTuple
from urllib.parse import urlsplit

from stockverify.addresses import domains
from stockverify.environment import table
from stockverify.errors import BadSetting
from stockverify.settings import Settings
from stockverify.vocabulary import Role

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Provider(NamedTuple):
    """Who vouches for people, by which claim they are known here, and what becomes of those who are not."""

    issuer: str
    client_id: str
    name: str
    claim: str
    new_role: Role | None
    new_domains: tuple[str, ...]

    @property
    def metadata_url(self) -> str:
        """Where the provider says how it works (OpenID Connect Discovery)."""
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"


def provider(settings: Settings) -> Provider | None:
    """The provider, or None when people sign in with passwords alone. Raises BadSetting."""
    if not settings.oidc_issuer and not settings.oidc_client_id:
        return None
    if not is_safe(settings.oidc_issuer or ""):
        raise _bad("oidc_issuer", settings.oidc_issuer, "it must be an https:// address, or one on this machine")
    if not settings.oidc_client_id or not settings.oidc_client_id.isprintable():
        raise _bad("oidc_client_id", settings.oidc_client_id, "the provider gives one to each of its clients")
    return Provider(
        issuer=settings.oidc_issuer or "",
        client_id=settings.oidc_client_id,
        name=settings.oidc_name,
        claim=settings.oidc_claim,
        new_role=Role(settings.oidc_new_users_role) if settings.oidc_new_users_role else None,
        new_domains=domains(settings.oidc_new_users_domains),
    )


def client_secret(settings: Settings) -> str:
    """The secret of the dashboard at its provider. Raises BadSetting."""
    secret = settings.oidc_client_secret or ""
    if not secret or not secret.isprintable():
        raise _bad("oidc_client_secret", "***", "the provider gives it together with the client id")
    return secret


def is_safe(url: str) -> bool:
    """Whether what comes from there is what was sent there: encrypted, or never on a network."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not url.isascii() or not url.isprintable() or parts.username is not None or parts.query or parts.fragment:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_here(url)))


def is_here(url: str) -> bool:
    """Whether an address is one of this machine, which no proxy may be asked for."""
    return urlsplit(url).hostname in _LOOPBACK


def _bad(field: str, value: str | None, reason: str) -> BadSetting:
    env = next(row.env for row in table() if row.field == field)
    return BadSetting(name=env.name, value=value, reason=reason, doc=env.doc)
