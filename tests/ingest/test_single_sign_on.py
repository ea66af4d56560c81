"""Logging in with what a provider says: a real provider, a real service, and the accounts behind them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from stockverify.clients import Document, database
from stockverify.services.embedded import Backends
from tests.ingest.crowd import at_once, log_in, may_come_in, new_user, statuses
from tests.oidc import CLIENT_ID, RealProvider, real_provider
from tests.profiling import all_served
from tests.service import PASSWORD, Service, running_service


class House(NamedTuple):
    """A service whose people may come through a provider."""

    service: Service
    provider: RealProvider
    database: "Database[Document]"

    def account(self, name: str, email: str | None = None, role: str = "supervisor") -> str:
        """The name of a user, with an e-mail address if one is given."""
        new_user(self.service, name, role)
        if email is not None:
            self.change(name, email=email)
        return name

    def change(self, name: str, **changes: Any) -> None:
        self.service.admin.patch(f"/api/auth/users/{name}", json=changes).raise_for_status()

    def come(self, sub: str, email: str | None = None, **claims: Any) -> httpx.Response:
        """Sign in at the provider as somebody with a verified address, and come here with what it gave."""
        self.provider.knows(sub, **({"email": email, "email_verified": True} if email else {}), **claims)
        return come_with(self.service, self.provider.id_token(sub))


def come_with(service: Service, token: str, **headers: str) -> httpx.Response:
    return httpx.post(f"{service.url}/api/auth/oidc", json={"id_token": token}, headers=headers, timeout=20)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProvider]:
    with real_provider(tmp_path_factory.mktemp("provider")) as started:
        yield started


@pytest.fixture(scope="module")
def house(
    provider: RealProvider,
    embedded: Backends,
    mongo: "MongoClient[Document]",
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    settings = msgspec.structs.replace(
        embedded.settings,
        mongodb_database="single_sign_on",
        data_dir=tmp_path_factory.mktemp("single_sign_on"),
        oidc_issuer=provider.url,
        oidc_client_id=CLIENT_ID,
        oidc_name="Shop login",
        oidc_new_users_role="auditor",
        oidc_new_users_domains="new.example",
        login_max_failures=2,
    )
    with all_served(embedded.settings, "single_sign_on", mongo), running_service(settings) as service:
        yield House(service, provider, database(mongo, settings))


def detail(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["detail"]


def test_whoever_the_provider_vouches_for_gets_the_login_of_their_account(house: House) -> None:
    name = house.account("ann", "Ann@shop.example")
    reply = house.come("ann-1", "ann@SHOP.example")
    assert reply.status_code == 200
    by_password = log_in(house.service, name).json()
    assert reply.json().keys() == by_password.keys()
    assert reply.json()["data"]["user"] == by_password["data"]["user"]
    assert may_come_in(house.service, reply) == 200
    entry = house.database.activity_logs.find_one({"action": "auth.logged_in", "details.by": "oidc", "username": name})
    assert entry
    assert entry["subject"] == name


def test_a_login_through_the_provider_is_renewed_and_ended_like_any_other(house: House) -> None:
    house.account("rob", "rob@shop.example")
    tokens = house.come("rob-1", "rob@shop.example").json()["data"]
    url = f"{house.service.url}/api/auth"
    renewed = httpx.post(f"{url}/refresh", json={"refresh_token": tokens["refresh_token"]}).json()["data"]
    mine = {"Authorization": f"Bearer {renewed['access_token']}"}
    assert httpx.post(f"{url}/logout", headers=mine).status_code == 200
    assert httpx.get(f"{url}/me", headers=mine).status_code == 401


def test_a_token_opens_one_login_however_many_come_with_it_at_once(house: House) -> None:
    house.account("una", "una@shop.example")
    house.provider.knows("una-1", email="una@shop.example", email_verified=True)
    token = house.provider.id_token("una-1")
    replies = at_once(10, lambda n: come_with(house.service, token))
    assert statuses(replies) == {200: 1, 401: 9}
    refused = next(reply for reply in replies if reply.status_code == 401)
    assert refused.json()["detail"] == (
        "Shop login has not vouched for this sign-in: it was used before. Sign in there again."
    )


def test_a_token_for_another_product_of_the_same_provider_opens_nothing(house: House) -> None:
    house.account("otto", "otto@shop.example")
    house.provider.knows("otto-1", email="otto@shop.example", email_verified=True)
    status, said = detail(come_with(house.service, house.provider.id_token("otto-1", "another-product")))
    assert (status, "it is for another product" in said) == (401, True)


@pytest.mark.parametrize("token", ["", "x" * 16_385, "a.b.c", "\x00", "é.é.é", "\u202e"])
def test_what_is_no_token_is_refused_politely(house: House, token: str) -> None:
    assert come_with(house.service, token).status_code in (400, 401)


@pytest.mark.parametrize("verified", [False, None])
def test_an_address_that_the_provider_has_not_verified_is_nobodys(house: House, verified: bool | None) -> None:
    name = f"victim-{verified}"
    house.account(name, f"{name}@shop.example")
    more = {} if verified is None else {"email_verified": verified}
    house.provider.knows(f"thief-{verified}", email=f"{name}@shop.example", **more)
    status, said = detail(come_with(house.service, house.provider.id_token(f"thief-{verified}")))
    assert (status, "names no email that can be relied on" in said) == (401, True)


def test_a_disabled_account_stays_out_also_for_those_who_came_before(house: House) -> None:
    name = house.account("dora", "dora@shop.example")
    before = house.come("dora-1", "dora@shop.example")
    house.change(name, is_active=False)
    assert may_come_in(house.service, before) == 401
    status, said = detail(house.come("dora-1", "dora@shop.example"))
    assert (status, "there is no active account of yours here" in said) == (403, True)
    house.change(name, is_active=True)
    assert house.come("dora-1", "dora@shop.example").status_code == 200


def test_a_stranger_gets_no_account_unless_the_settings_say_so(house: House) -> None:
    people = house.database.users.count_documents({})
    assert house.come("sly-1", "sly@elsewhere.example").status_code == 403
    assert house.come("sly-2", "sly@sub.new.example").status_code == 403
    assert house.come("odd-1", "o+d/d@new.example").status_code == 403
    assert house.database.users.count_documents({}) == people


def test_a_new_colleague_gets_an_account_with_the_role_of_the_settings_and_no_password(house: House) -> None:
    reply = house.come("nina-1", "nina@new.example", name="Nina N.")
    user = reply.json()["data"]["user"]
    assert user == user | {
        "username": "nina@new.example",
        "full_name": "Nina N.",
        "role": "auditor",
        "email": "nina@new.example",
        "is_active": True,
    }
    assert log_in(house.service, "nina@new.example", "").status_code == 400
    assert log_in(house.service, "nina@new.example", "x").status_code == 401
    assert house.come("nina-1", "nina@new.example").json()["data"]["user"]["id"] == user["id"]
    made = list(house.database.activity_logs.find({"action": "user.made", "subject": "nina@new.example"}))
    assert [(entry["details"]["role"], entry["details"]["by"]) for entry in made] == [
        ("auditor", f"{house.provider.url} nina-1")
    ]


def test_an_account_belongs_to_the_first_who_came_until_an_admin_enters_its_address_anew(house: House) -> None:
    name = house.account("lea", "lea@shop.example")
    assert house.come("lea-1", "lea@shop.example").status_code == 200
    status, said = detail(house.come("lea-2", "lea@shop.example"))
    assert (status, "belongs to somebody else at Shop login" in said) == (403, True)
    assert house.come("lea-1", "lea.married@shop.example").json()["data"]["user"]["username"] == name
    house.change(name, email="lea@shop.example")
    assert house.come("lea-2", "lea@shop.example").json()["data"]["user"]["username"] == name


def test_an_address_of_two_active_accounts_is_nobodys(house: House) -> None:
    first, _ = house.account("tim1", "tim@shop.example"), house.account("tim2", "TIM@shop.example")
    status, said = detail(house.come("tim-1", "tim@shop.example"))
    assert (status, said.startswith("More than one active account has")) == (403, True)
    house.change(first, is_active=False)
    assert house.come("tim-1", "tim@shop.example").json()["data"]["user"]["username"] == "tim2"


def test_a_name_that_is_locked_stays_locked(house: House) -> None:
    name = house.account("gus", "gus@shop.example")
    assert [log_in(house.service, name, "wrong").status_code for _ in range(3)] == [401, 401, 429]
    reply = house.come("gus-1", "gus@shop.example")
    assert reply.status_code == 429
    assert int(reply.headers["Retry-After"]) > 0
    house.change(name, password=PASSWORD)
    assert house.come("gus-1", "gus@shop.example").status_code == 200


def test_a_revoked_device_opens_nothing(house: House) -> None:
    name = house.account("rex", "rex@shop.example")
    log_in(house.service, name, **{"X-Device-ID": "d-rex"})
    house.service.admin.post("/api/devices/d-rex/revoke", json={"reason": "lost"}).raise_for_status()
    house.provider.knows("rex-1", email="rex@shop.example", email_verified=True)
    reply = come_with(house.service, house.provider.id_token("rex-1"), **{"X-Device-ID": "d-rex"})
    assert (reply.status_code, "revoked" in reply.json()["detail"]) == (403, True)


def test_without_a_provider_there_is_nothing_to_come_to(service: Service) -> None:
    status, said = detail(come_with(service, "a.b.c"))
    assert (status, said.startswith("Nobody signs in through a provider here")) == (404, True)


def test_while_the_provider_is_away_passwords_work_and_others_are_told_to_wait(
    house: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = msgspec.structs.replace(
        house.service.settings, oidc_issuer="http://127.0.0.1:9", data_dir=tmp_path_factory.mktemp("away")
    )
    house.provider.knows("ann-1", email="ann@shop.example", email_verified=True)
    with running_service(settings) as service:
        for _ in range(settings.breaker_failures + 1):
            reply = come_with(service, house.provider.id_token("ann-1"))
            assert (reply.status_code, reply.json()["detail"].split(" does")[0]) == (503, "Shop login")
            assert int(reply.headers["Retry-After"]) > 0
        assert service.admin.get("/api/auth/me").status_code == 200


def test_the_log_tells_why_somebody_was_refused_and_no_token(house: House) -> None:
    house.provider.knows("mute-1", email="mute@nowhere.example", email_verified=True)
    token = house.provider.id_token("mute-1")
    assert come_with(house.service, token).status_code == 403
    log = house.service.children[0].spec.log.read_text()
    assert "sign_in_refused" in log
    assert "NoAccount" in log
    assert not [part for part in (token, *token.split(".")[1:], "mute@nowhere.example") if part in log]
