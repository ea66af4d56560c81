"""Pure decisions about ID tokens of an OpenID Connect provider: who somebody is, if the token is to be believed.

The rules are those of OpenID Connect Core 1.0, section 3.1.3.7, and RFC 8725 (JSON Web Token Best Current Practices).
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import jwt

from stockverify.addresses import same
from stockverify.errors import Unauthorized
from stockverify.oidc import Provider

ALGORITHMS = ("RS256", "ES256")
"""Signatures of a key that only the provider has. None of them can be made with what it publishes."""
MAX_AGE = timedelta(minutes=10)
"""Somebody has just signed in there: whoever comes later with the token may have found it."""
LEEWAY = timedelta(seconds=60)
"""By so much the clocks of two hosts may differ."""
_LEAST_RSA_BITS = 2048
_REQUIRED = ("iss", "sub", "aud", "exp", "iat", "nonce")
# Times are checked by what is passed in as `now`, audience and issuer exactly, all below.
_UNCHECKED: Any = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}


class BadIdToken(Unauthorized):
    """{provider} has not vouched for this sign-in: {problem}. Sign in there again."""


class UnknownKey(Unauthorized):
    """{provider} does not know the key that this sign-in is signed with. Sign in there again."""


class Identity(NamedTuple):
    """Whom the provider vouches for. `known_as` is the value of the claim by which accounts are found."""

    subject: str
    known_as: str
    email: str | None
    full_name: str


def keys_of(published: Any) -> list[jwt.PyJWK]:
    """The keys of a JSON Web Key Set that may sign ID tokens; others are left out, as the standard wants it."""
    listed = published.get("keys") if isinstance(published, dict) else None
    found = [_key(each) for each in listed[:100]] if isinstance(listed, list) else []
    return [key for key in found if key is not None]


def verified(token: str, keys: Sequence[jwt.PyJWK], provider: Provider, now: datetime) -> Identity:
    """Who the token is about. Raises BadIdToken, or UnknownKey when newer keys may help."""
    key = _signer(_header(token, provider), keys, provider)
    try:
        claims = jwt.decode(token, key, algorithms=[key.algorithm_name], options=_UNCHECKED)
    except jwt.InvalidTokenError:
        raise BadIdToken(provider=provider.name, problem="its signature is wrong") from None
    if problem := _problem(claims, provider, now):
        raise BadIdToken(provider=provider.name, problem=problem)
    return _identity(claims, provider)


def fingerprint(token: str) -> str:
    """The same for each copy of a token. Without its signature, of which there may be several that fit."""
    return hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest()


def _key(published: Any) -> jwt.PyJWK | None:
    """Private keys and shared secrets have no place in what is published, and are no keys for us."""
    if not isinstance(published, dict) or "d" in published or published.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(published)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    fits = (key.key_type, key.algorithm_name) in (("RSA", "RS256"), ("EC", "ES256"))
    return key if fits and (key.key_type == "EC" or key.key.key_size >= _LEAST_RSA_BITS) else None


def _header(token: str, provider: Provider) -> Mapping[str, Any]:
    """What a token says of itself before anything is proved. Addresses of keys in it are never looked at."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError):
        raise BadIdToken(provider=provider.name, problem="it is no token") from None
    kind = header.get("typ", "JWT")
    if header.get("alg") not in ALGORITHMS or "crit" in header or not isinstance(kind, str) or kind.upper() != "JWT":
        raise BadIdToken(provider=provider.name, problem="it is not signed in a way that is accepted here")
    return header


def _signer(header: Mapping[str, Any], keys: Sequence[jwt.PyJWK], provider: Provider) -> jwt.PyJWK:
    """The one key that may have signed it: by its name, or the only one there is."""
    fitting = [key for key in keys if key.algorithm_name == header["alg"]]
    if "kid" in header:
        fitting = [key for key in fitting if key.key_id == header["kid"]]
    if len(fitting) != 1:
        raise UnknownKey(provider=provider.name)
    return fitting[0]


def _problem(claims: Mapping[str, Any], provider: Provider, now: datetime) -> str:
    """What is wrong with what a well-signed token claims; nothing is an empty text."""
    if any(claims.get(name) in (None, "") for name in _REQUIRED) or "events" in claims:
        return "it does not say all that a sign-in says"
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if claims["iss"] != provider.issuer:
        return "somebody else has"
    if provider.client_id not in audience or claims.get("azp", provider.client_id) != provider.client_id:
        return "it is for another product"
    if len(audience) > 1 and "azp" not in claims:
        return "it is for several products"
    if not all(_is_instant(claims.get(name, 0)) for name in ("exp", "iat", "nbf")):
        return "its times make no sense"
    return _problem_of_time(claims, now.timestamp(), LEEWAY.total_seconds())


def _problem_of_time(claims: Mapping[str, Any], now: float, leeway: float) -> str:
    if now >= claims["exp"] + leeway or now > claims["iat"] + MAX_AGE.total_seconds() + leeway:
        return "it is too long ago"
    return "it is not valid yet" if max(claims["iat"], claims.get("nbf", 0)) > now + leeway else ""


def _is_instant(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < 1e11


def _identity(claims: Mapping[str, Any], provider: Provider) -> Identity:
    email = claims.get("email") if claims.get("email_verified") in (True, "true") else None
    known_as = email if provider.claim == "email" else claims.get(provider.claim)
    for text in (claims["sub"], known_as):
        if not isinstance(text, str) or not text.isascii() or not text.isprintable() or not 0 < len(text) < 256:
            raise BadIdToken(provider=provider.name, problem=f"it names no {provider.claim} that can be relied on")
    name = claims.get("name")
    return Identity(
        subject=f"{provider.issuer} {claims['sub']}",
        known_as=same(str(known_as)) if provider.claim == "email" else str(known_as),
        email=same(email) if isinstance(email, str) and email.isascii() else None,
        full_name=name[:256] if isinstance(name, str) and name.isprintable() and name else str(known_as),
    )
