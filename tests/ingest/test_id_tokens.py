"""Which ID tokens are believed: a table of forgeries, each of which differs from a good token in one thing."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ingest.auth.id_tokens import BadIdToken, Identity, UnknownKey, fingerprint, keys_of, verified
from stockverify.oidc import Provider
from stockverify.vocabulary import Role

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ISSUER, CLIENT = "https://login.shop.example", "stockverify"
PROVIDER = Provider(ISSUER, CLIENT, "Shop login", "email", None, ())
RSA_KEY, OTHER_RSA = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
SMALL_RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)
EC_KEY, OTHER_EC = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
P384 = ec.generate_private_key(ec.SECP384R1())
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def published(private: Any, name: str | None, **more: Any) -> dict[str, Any]:
    """A private key's public half, as a provider publishes it."""
    kind = jwt.algorithms.RSAAlgorithm if isinstance(private, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    jwk = kind.to_jwk(private.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    return jwk | ({"kid": name} if name else {}) | more


JWKS = {"keys": [published(RSA_KEY, "r1", use="sig", alg="RS256"), published(EC_KEY, "e1", use="sig")]}
KEYS = keys_of(JWKS)
PEM = RSA_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def claims(**changes: Any) -> dict[str, Any]:
    """What a good token says, with changes; None takes a claim away."""
    now = int(NOW.timestamp())
    good = {
        "iss": ISSUER,
        "sub": "ann-1",
        "aud": CLIENT,
        "iat": now - 5,
        "exp": now + 300,
        "nonce": "n-1",
        "email": "ann@shop.example",
        "email_verified": True,
        "name": "Ann Lee",
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(
    private: Any = RSA_KEY, alg: str = "RS256", kid: Any = "r1", headers: dict[str, Any] | None = None, **changes: Any
) -> str:
    """A token."""
    named = {} if kid is None else {"kid": kid}
    return jwt.encode(claims(**changes), private, algorithm=alg, headers=named | (headers or {}))


def by_hand(header: dict[str, Any], payload: dict[str, Any], signature: bytes = b"") -> str:
    """A token that no library would make."""
    parts = [json.dumps(part).encode() for part in (header, payload)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, signature))


def hmac_with_the_public_key() -> str:
    """The classic: a key that everybody knows, taken for a shared secret."""
    unsigned = by_hand({"alg": "HS256", "typ": "JWT", "kid": "r1"}, claims()).removesuffix(".")
    return unsigned + "." + encoded(hmac.new(PEM, unsigned.encode(), hashlib.sha256).digest())


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def twin(token: str) -> str:
    """The same ES256 token with the other signature that fits."""
    unsigned, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    assert decode_dss_signature(encode_dss_signature(r, s)) == (r, s)
    return f"{unsigned}.{encoded(raw[:32] + (ORDER - s).to_bytes(32, 'big'))}"


@pytest.mark.parametrize(
    "token",
    [
        signed(),
        signed(EC_KEY, "ES256", "e1"),
        signed(kid=None),
        signed(aud=[CLIENT]),
        signed(aud=[CLIENT, "other"], azp=CLIENT),
        signed(azp=CLIENT),
        signed(email_verified="true"),
        signed(headers={"typ": "jwt"}),
        signed(exp=int(NOW.timestamp()) - 59),
        signed(iat=int(NOW.timestamp()) + 59),
        signed(headers={"jku": "https://evil.example/keys", "x5u": "https://evil.example"}),
    ],
)
def test_a_good_token_says_who_it_is(token: str) -> None:
    wanted = Identity(f"{ISSUER} ann-1", "ann@shop.example", "ann@shop.example", "Ann Lee")
    assert verified(token, KEYS, PROVIDER, NOW) == wanted


EVIL_JWK = published(OTHER_RSA, "r1")
FORGED = {
    "another issuer": signed(iss="https://login.shop.example.evil"),
    "the issuer with a slash": signed(iss=ISSUER + "/"),
    "no issuer": signed(iss=None),
    "another audience": signed(aud="another-product"),
    "a part of the audience": signed(aud=[CLIENT[:-1]]),
    "several audiences, none the party": signed(aud=[CLIENT, "other"]),
    "made for another party": signed(aud=[CLIENT], azp="other"),
    "no audience": signed(aud=None),
    "expired": signed(exp=int(NOW.timestamp()) - 60),
    "no expiry": signed(exp=None),
    "expiry as text": signed(exp="9999999999"),
    "expiry that is true": signed(exp=True),
    "issued long ago": signed(iat=int(NOW.timestamp()) - 661, exp=int(NOW.timestamp()) + 9999),
    "issued tomorrow": signed(iat=int(NOW.timestamp()) + 61),
    "not valid yet": signed(nbf=int(NOW.timestamp()) + 61),
    "no nonce": signed(nonce=None),
    "no subject": signed(sub=None),
    "empty subject": signed(sub=""),
    "a log-out token": signed(events={"http://schemas.openid.net/event/backchannel-logout": {}}),
    "an access token": signed(headers={"typ": "at+jwt"}),
    "unsigned": by_hand({"alg": "none", "typ": "JWT", "kid": "r1"}, claims()),
    "unsigned in capitals": by_hand({"alg": "NONE", "kid": "r1"}, claims()),
    "no algorithm": by_hand({"kid": "r1"}, claims()),
    "HS256 with the public key": hmac_with_the_public_key(),
    "RS512 with the right key": signed(alg="RS512"),
    "PS256 with the right key": signed(alg="PS256"),
    "another RSA key": signed(OTHER_RSA),
    "another EC key": signed(OTHER_EC, "ES256", "e1"),
    "an EC key under the RSA key's name": signed(EC_KEY, "ES256", "r1"),
    "a key that it brings along": signed(OTHER_RSA, headers={"jwk": EVIL_JWK}),
    "a key that it links to": signed(OTHER_RSA, headers={"jku": "https://evil.example/keys"}),
    "a name of a file": signed(kid="../../../../dev/null"),
    "an unknown name": signed(kid="r2"),
    "an empty name": signed(kid=""),
    "extensions that must be understood": signed(headers={"crit": ["exp"]}),
    "a changed claim": ".".join(
        [signed().split(".")[0], by_hand({}, claims(email="admin@shop.example")).split(".")[1], signed().split(".")[2]]
    ),
    "no signature": signed().rpartition(".")[0] + ".",
    "not three parts": signed().rpartition(".")[0],
    "five parts": signed() + ".a.b",
    "nothing": ".",
    "no text": "\udcff",
    "claims that are a list": jwt.api_jws.encode(b"[1]", RSA_KEY, algorithm="RS256", headers={"kid": "r1"}),
    "an unverified e-mail": signed(email_verified=False),
    "an e-mail of which nothing is said": signed(email_verified=None),
    "no e-mail": signed(email=None),
    "an e-mail that is a list": signed(email=["ann@shop.example"]),
    "a Kelvin sign for a k": signed(email="\u212aim@shop.example"),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
def test_a_forged_token_is_not_believed(token: str) -> None:
    with pytest.raises((BadIdToken, UnknownKey)):
        verified(token, KEYS, PROVIDER, NOW)


def test_an_unknown_key_is_told_apart_because_newer_keys_may_help() -> None:
    with pytest.raises(UnknownKey):
        verified(signed(kid="r2"), KEYS, PROVIDER, NOW)
    assert verified(signed(kid="r2"), keys_of({"keys": [published(RSA_KEY, "r2")]}), PROVIDER, NOW)


def test_without_a_name_two_keys_of_one_kind_are_one_too_many() -> None:
    both = keys_of({"keys": [published(RSA_KEY, "r1"), published(OTHER_RSA, "r2")]})
    with pytest.raises(UnknownKey):
        verified(signed(kid=None), both, PROVIDER, NOW)
    assert verified(signed(), both, PROVIDER, NOW)


def test_of_what_is_published_only_public_signing_keys_that_are_long_enough_count() -> None:
    private = jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True) | {"kid": "private"}
    useless = [
        published(RSA_KEY, "encrypts", use="enc"),
        published(SMALL_RSA, "small"),
        published(RSA_KEY, "longer hash", alg="RS512"),
        published(P384, "other curve"),
        {"kty": "oct", "k": encoded(b"s" * 32), "kid": "shared"},
        {"kty": "RSA", "kid": "half"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "nowhere"},
        {"kid": "nothing"},
        private,
        "text",
        None,
    ]
    assert [key.key_id for key in keys_of({"keys": [*useless, *JWKS["keys"]]})] == ["r1", "e1"]
    for odd in (None, [], "keys", {}, {"keys": None}, {"keys": {"a": 1}}):
        assert keys_of(odd) == []


def test_two_signatures_of_one_token_are_one_token() -> None:
    token = signed(EC_KEY, "ES256", "e1")
    other = twin(token)
    assert other != token
    assert verified(other, KEYS, PROVIDER, NOW) == verified(token, KEYS, PROVIDER, NOW)
    assert fingerprint(other) == fingerprint(token)


def test_people_may_be_known_by_the_name_that_the_provider_gives_them() -> None:
    by_name = PROVIDER._replace(claim="preferred_username", new_role=Role.AUDITOR)
    found = verified(signed(preferred_username="Ann", email_verified=False, name="\x1b[31m"), KEYS, by_name, NOW)
    assert found == Identity(f"{ISSUER} ann-1", "Ann", None, "Ann")
    with pytest.raises(BadIdToken, match="it names no preferred_username that can be relied on"):
        verified(signed(), KEYS, by_name, NOW)


def test_capitals_in_an_address_make_nobody_else() -> None:
    assert verified(signed(email="Ann@Shop.Example"), KEYS, PROVIDER, NOW).known_as == "ann@shop.example"


def test_a_token_lives_ten_minutes_and_a_minute_for_the_clocks() -> None:
    token = signed(exp=int(NOW.timestamp()) + 9999)
    assert verified(token, KEYS, PROVIDER, NOW + timedelta(seconds=655))
    with pytest.raises(BadIdToken, match="it is too long ago"):
        verified(token, KEYS, PROVIDER, NOW + timedelta(seconds=656))
