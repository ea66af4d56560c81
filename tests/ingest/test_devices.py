"""Enrolment with one-time codes, PINs on shared devices, and revocation that works at once everywhere."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from pymongo import MongoClient
from pymongo.asynchronous.client_session import AsyncClientSession

from ingest.activity.store import ActivityStore
from ingest.auth.attempts import AttemptStore
from ingest.auth.rules import stranger
from ingest.devices import rules
from ingest.devices.rules import Claimed
from ingest.devices.store import DeviceStore
from ingest.transactions import transact
from stockverify import clients, indexes
from stockverify.clients import Document, database
from stockverify.services.embedded import Backends
from stockverify.settings import Settings
from tests.ingest.crowd import at_once, log_in, may_come_in, new_user, pin_in, statuses
from tests.profiling import all_served
from tests.service import Service, running_service

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def pair(
    embedded: Backends, mongo: "MongoClient[Document]", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Two processes on one port; an index serves all that they ask."""
    folder = tmp_path_factory.mktemp("devices")
    settings = msgspec.structs.replace(embedded.settings, mongodb_database="devices", data_dir=folder)
    with all_served(embedded.settings, "devices", mongo), running_service(settings, processes=2) as service:
        yield service


@pytest.fixture(scope="module")
def strict(embedded: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with REQUIRE_ENROLLED_DEVICES."""
    settings = msgspec.structs.replace(
        embedded.settings,
        mongodb_database="devices_strict",
        data_dir=tmp_path_factory.mktemp("strict"),
        require_enrolled_devices=True,
    )
    with running_service(settings) as service:
        yield service


@pytest.fixture(scope="module")
def kept(pair: Service, mongo: "MongoClient[Document]"):  # type: ignore[no-untyped-def]
    """The database behind the pair."""
    return database(mongo, pair.settings)


def invite(service: Service, *usernames: str, name: str = "Scanner") -> str:
    reply = service.admin.post("/api/devices/codes", json={"name": name, "usernames": usernames})
    assert reply.status_code == 200, reply.text
    return str(reply.json()["code"])


def enroll(service: Service, code: str, **more: Any) -> httpx.Response:
    return httpx.post(f"{service.url}/api/devices/enroll", json={"code": code, **more}, timeout=20)


def enrolled(service: Service, *usernames: str, **more: Any) -> dict[str, str]:
    """The headers of a newly enrolled device."""
    device = enroll(service, invite(service, *usernames), **more).json()
    return {"X-Device-ID": device["device_id"], "X-Device-Token": device["device_token"]}


def revoke(service: Service, device_id: str) -> dict[str, Any]:
    reply = service.admin.post(f"/api/devices/{device_id}/revoke", json={"reason": "lost in the cellar"})
    assert reply.status_code == 200, reply.text
    shown: dict[str, Any] = reply.json()
    return shown


def test_a_code_enrols_one_device_and_its_secrets_are_shown_once(pair: Service, kept) -> None:  # type: ignore[no-untyped-def]
    anna = new_user(pair, "anna")
    code = invite(pair, anna, name="Cellar 1")
    reply = enroll(pair, f" {code[:4].lower()}-{code[4:]}")
    assert reply.status_code == 201
    device = reply.json()
    assert device == {"device_id": device["device_id"], "device_token": device["device_token"], "name": "Cellar 1"}
    assert len(device["device_token"]) >= 43
    again = enroll(pair, code)
    assert (again.status_code, again.json()["detail"]) == (
        401,
        "The code is wrong, expired or was used before; ask for a new one.",
    )
    everything = repr([list(kept[name].find()) for name in kept.list_collection_names()])
    assert code not in everything
    assert device["device_token"] not in everything


def test_of_ten_devices_with_one_code_at_the_same_moment_one_is_enrolled(pair: Service, kept) -> None:  # type: ignore[no-untyped-def]
    code = invite(pair, new_user(pair, "bert"))
    replies = at_once(10, lambda n: enroll(pair, code, device_id=f"racer-{n}"))
    assert sum(reply.status_code == 201 for reply in replies) == 1
    assert {reply.status_code for reply in replies} <= {201, 401, 429}
    assert kept.devices.count_documents({"_id": {"$regex": "^racer-"}}) == 1
    kept.login_attempts.delete_many({})  # what the losers did wrong must not lock the other tests out


def test_a_code_is_good_for_fifteen_minutes(pair: Service, kept) -> None:  # type: ignore[no-untyped-def]
    code = invite(pair, new_user(pair, "cleo"))
    stored = kept.device_codes.find_one({}, sort=[("expires_at", -1)])
    assert timedelta(minutes=14) < stored["expires_at"] - datetime.now(UTC) <= timedelta(minutes=15)
    kept.device_codes.update_one({"_id": stored["_id"]}, {"$set": {"expires_at": datetime.now(UTC)}})
    assert enroll(pair, code).status_code == 401
    assert kept.device_codes.index_information()["expires_at_1"]["expireAfterSeconds"] == 0


def test_wrong_codes_are_counted_by_address(pair: Service, kept) -> None:  # type: ignore[no-untyped-def]
    kept.login_attempts.delete_many({})
    locks = {"action": "auth.locked", "subject": "127.0.0.1"}
    before = kept.activity_logs.count_documents(locks)
    replies = at_once(30, lambda n: enroll(pair, f"WRONG{n:03}"))
    assert statuses(replies) == {401: 5, 429: 25}
    good = invite(pair, new_user(pair, "dora"))
    refused = enroll(pair, good)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) <= 30
    assert kept.activity_logs.count_documents(locks) == before + 1
    kept.login_attempts.delete_many({})
    assert enroll(pair, good).status_code == 201


def test_a_code_for_nobody_or_for_too_many_is_400(pair: Service) -> None:
    ask = pair.admin.post
    unknown = ask("/api/devices/codes", json={"name": "x", "usernames": ["no-such-person", "admin"]})
    assert (unknown.status_code, unknown.json()["detail"]) == (
        400,
        "usernames: no active account is called no-such-person.",
    )
    assert ask("/api/devices/codes", json={"name": "x", "usernames": ["admin"] * 21}).status_code == 400
    assert ask("/api/devices/codes", json={"name": "", "usernames": []}).status_code == 400


def test_a_pin_alone_logs_in_whoever_it_belongs_to_among_the_devices_people(pair: Service) -> None:
    eva, emil = new_user(pair, "eva", pin="1111"), new_user(pair, "emil", pin="2222")
    new_user(pair, "outsider", pin="3333")
    device = enrolled(pair, eva, emil)
    for name, pin in ((eva, "1111"), (emil, "2222")):
        reply = pin_in(pair, pin, **device)
        assert reply.json()["data"]["user"]["username"] == name
        assert may_come_in(pair, reply, **device) == 200
    assert pin_in(pair, "3333", **device).status_code == 401
    assert pin_in(pair, "1111", **device | {"X-Device-Token": "x" * 43}).status_code == 403
    assert pin_in(pair, "1111", **{"X-Device-ID": device["X-Device-ID"]}).status_code == 403


def test_twenty_people_may_share_a_device(pair: Service) -> None:
    people = [new_user(pair, f"shift{n}", pin=f"55{n:02}") for n in range(20)]
    device = enrolled(pair, *people)
    for place in (0, 19):
        assert pin_in(pair, f"55{place:02}", **device).json()["data"]["user"]["username"] == people[place]


def test_two_people_with_one_pin_are_asked_for_the_user_name(pair: Service) -> None:
    fay, finn = new_user(pair, "fay", pin="8888"), new_user(pair, "finn", pin="8888")
    device = enrolled(pair, fay, finn)
    reply = pin_in(pair, "8888", **device)
    assert reply.status_code == 401
    assert reply.json()["detail"] == "More than one person on this device has this PIN; send the user name with it."
    assert pin_in(pair, "8888", fay, **device).status_code == 200


def test_pins_alone_are_counted_by_device_and_do_not_lock_people(pair: Service) -> None:
    gina = new_user(pair, "gina", pin="4321")
    device, other = enrolled(pair, gina), enrolled(pair, gina)
    assert statuses(at_once(20, lambda n: pin_in(pair, f"9{n:03}", **device))) == {401: 5, 429: 15}
    assert pin_in(pair, "4321", **device).status_code == 429
    assert pin_in(pair, "4321", **other).status_code == 200
    assert pin_in(pair, "4321", gina, **device).status_code == 200


@pytest.mark.parametrize("was_enrolled", [True, False])
def test_revoking_ends_all_logins_of_a_device_at_once_in_both_processes(
    pair: Service,
    kept,
    was_enrolled: bool,  # type: ignore[no-untyped-def]
) -> None:
    names = [new_user(pair, f"rev{n}-{was_enrolled}", pin="5150") for n in range(2)]
    device = enrolled(pair, *names) if was_enrolled else {"X-Device-ID": "bought/on the market"}
    path = device["X-Device-ID"].replace("/", "%2F").replace(" ", "%20")
    logins = [log_in(pair, name, **device) for name in names]
    elsewhere = log_in(pair, names[0])
    assert [may_come_in(pair, login, **device) for login in logins] == [200, 200]
    assert [may_come_in(pair, login) for login in logins] == [200, 200], "without a header it works as it did"
    shown = revoke(pair, path)
    assert shown["device_id"] == device["X-Device-ID"]
    assert (shown["revoked_at"] is not None, shown["revoked_reason"]) == (True, "lost in the cellar")
    for _ in range(5):  # either process answers
        assert [may_come_in(pair, login, **device) for login in logins] == [401, 401]
        assert [may_come_in(pair, login) for login in logins] == [401, 401]
    for login in logins:
        body = {"refresh_token": login.json()["data"]["refresh_token"]}
        assert httpx.post(f"{pair.url}/api/auth/refresh", json=body, headers=device).status_code == 401
    for reply in (log_in(pair, names[0], **device), pin_in(pair, "5150", names[0], **device)):
        assert reply.status_code == 403
        assert reply.json()["detail"] == "This device was revoked. Ask an admin for a code and enrol it anew."
    assert may_come_in(pair, elsewhere) == 200
    assert may_come_in(pair, elsewhere, **device) == 403, "another device's login is no way round"
    entry = kept.activity_logs.find_one({"action": "device.revoked", "subject": device["X-Device-ID"]})
    assert (entry["username"], entry["details"]) == ("admin", {"reason": "lost in the cellar", "people_logged_out": 2})


def test_a_revoked_device_comes_back_by_enrolling_anew(pair: Service) -> None:
    hugo = new_user(pair, "hugo", pin="7007")
    old = enrolled(pair, hugo, device_id="hugos")
    revoke(pair, "hugos")
    assert pin_in(pair, "7007", **old).status_code == 403
    new = enrolled(pair, hugo, device_id="hugos")
    assert pin_in(pair, "7007", **new).status_code == 200
    assert pin_in(pair, "7007", **old).status_code == 403, "the old token stays dead"


def test_an_enrolled_device_cannot_be_replaced_without_revoking_it_and_the_code_stays_good(pair: Service) -> None:
    ida = new_user(pair, "ida", pin="6060")
    device = enrolled(pair, ida, device_id="idas")
    code = invite(pair, ida)
    taken = enroll(pair, code, device_id="idas")
    assert (taken.status_code, taken.json()["detail"]) == (
        409,
        "A device with the id idas is enrolled. Revoke it first, or enrol without device_id.",
    )
    assert pin_in(pair, "6060", **device).status_code == 200
    assert enroll(pair, code).status_code == 201


def test_a_login_and_a_revocation_at_the_same_moment_leave_no_login(pair: Service) -> None:
    people = [new_user(pair, f"jan{n}") for n in range(3)]
    began = time.monotonic()
    at_once(3, lambda place: log_in(pair, people[place]))
    pace, came_in = time.monotonic() - began, 0  # a busy machine takes several times as long as a quiet one
    for turn in range(12):
        device = {"X-Device-ID": f"race-{turn}"}

        def act(place: int, device: dict[str, str] = device, turn: int = turn) -> httpx.Response:
            if place < 3:
                return log_in(pair, people[place], **device)
            time.sleep(turn / 6 * pace)  # before, in the midst of and after the logins
            return pair.admin.post(f"/api/devices/race-{turn}/revoke", json={"reason": "race"})

        *logins, revoked = at_once(4, act)
        assert revoked.status_code == 200, revoked.text
        assert statuses(logins).keys() <= {200, 403}, [each.text for each in logins]
        came_in += statuses(logins)[200]
        inside = [may_come_in(pair, login, **device) for login in logins if login.status_code == 200]
        assert inside == [401] * len(inside)
    assert came_in > 0, "some logins were faster"


@pytest.mark.parametrize("before", [NOW - timedelta(days=1), NOW], ids=["yesterday", "in the same millisecond"])
async def test_a_revocation_waits_for_a_login_under_way_on_that_device(settings: Settings, before: datetime) -> None:
    async with clients.open_async_mongo(settings.mongodb_uri or "") as mongo:
        base = clients.async_database(mongo, settings)
        await indexes.ensure(base)
        activity = ActivityStore(base)
        devices = DeviceStore(mongo, base, AttemptStore(base, activity, settings), activity, "s")
        user = {"_id": "u-1", "username": "lou", "logins": []}
        await base.users.insert_one(user)
        await base.devices.insert_one({"_id": "d-1", "revoked_at": None, "last_login_at": before})

        async def log_in(transaction: AsyncClientSession) -> asyncio.Task[Any]:
            await devices.note_login(Claimed("d-1"), NOW, transaction)
            revoking = asyncio.create_task(devices.revoke("d-1", "lost", stranger(), NOW))
            await asyncio.wait({revoking}, timeout=0.3)
            assert not revoking.done(), "it would not have seen the login"
            push = {"$push": {"logins": {"device_id": "d-1"}}}
            await base.users.update_one({"_id": "u-1"}, push, session=transaction)
            return revoking

        await (await transact(mongo, log_in))
        assert await base.users.find_one({"_id": "u-1"}) == user


def test_the_list_shows_devices_to_admins_and_auditors(pair: Service) -> None:
    kim = new_user(pair, "kim")
    device = enrolled(pair, kim, device_id="kims")
    before = shown_device(pair, "kims")
    assert before["last_login_at"] is None
    assert log_in(pair, kim, **device).status_code == 200
    log_in(pair, kim, **{"X-Device-ID": "kims-own-phone"})
    after = shown_device(pair, "kims")
    assert after == before | {"last_login_at": after["last_login_at"]}
    assert after["last_login_at"] >= before["enrolled_at"]
    assert (after["name"], after["usernames"], after["revoked_at"]) == ("Scanner", ["kim"], None)
    phone = shown_device(pair, "kims-own-phone")
    assert (phone["name"], phone["usernames"], phone["enrolled_at"]) == (None, [], None)
    auditor = pair.person("auditor")
    page = auditor.get("/api/devices/", params={"after": "kims", "limit": 1}).json()
    assert [row["device_id"] for row in page] == ["kims-own-phone"]
    assert "token" not in auditor.get("/api/devices/").text


def shown_device(service: Service, device_id: str) -> dict[str, Any]:
    rows = service.admin.get("/api/devices/").json()
    return next(row for row in rows if row["device_id"] == device_id)


def test_with_enrolment_required_only_enrolled_devices_log_in(strict: Service) -> None:
    lea = new_user(strict, "lea", pin="1357")
    device = enrolled(strict, lea)
    bare = {"X-Device-ID": device["X-Device-ID"]}
    for reply in (log_in(strict, lea), log_in(strict, lea, **bare), pin_in(strict, "1357", lea)):
        assert reply.status_code == 403
        assert "Ask an admin for a code, enrol this device" in reply.json()["detail"]
    assert log_in(strict, lea, "wrong").status_code == 401
    wrong_token = log_in(strict, lea, **bare, **{"X-Device-Token": "nonsense"})
    assert wrong_token.status_code == 403
    good = log_in(strict, lea, **device)
    assert good.status_code == 200
    assert may_come_in(strict, good, **bare) == 200
    assert may_come_in(strict, good, **{"X-Device-ID": "stolen-token-elsewhere"}) == 403
    assert may_come_in(strict, good) == 403
    refresh = {"refresh_token": good.json()["data"]["refresh_token"]}
    assert httpx.post(f"{strict.url}/api/auth/refresh", json=refresh).status_code == 403
    assert httpx.post(f"{strict.url}/api/auth/refresh", json=refresh, headers=bare).status_code == 200
    assert strict.admin.get("/api/auth/me").status_code == 200, "an admin needs no device, or could not enrol any"


def test_a_login_from_before_enrolment_was_required_is_no_longer_good(strict: Service, mongo) -> None:  # type: ignore[no-untyped-def]
    max_ = new_user(strict, "max")
    device = enrolled(strict, max_)
    login = log_in(strict, max_, **device)
    users = database(mongo, strict.settings).users
    users.update_one({"username": max_}, {"$set": {"logins.0.enrolled": False}})
    assert may_come_in(strict, login, **{"X-Device-ID": device["X-Device-ID"]}) == 401


@pytest.mark.parametrize(
    ("stored", "token", "outcome"),
    [
        (None, "", False),
        (None, "t", rules.WrongDeviceToken),
        ({"revoked_at": None}, "", False),
        ({"revoked_at": None}, "t", rules.WrongDeviceToken),
        ({"revoked_at": None, "token_hash": None}, "t", rules.WrongDeviceToken),
        ({"revoked_at": None, "token_hash": rules.token_hash("t")}, "t", True),
        ({"revoked_at": None, "token_hash": rules.token_hash("t")}, "", False),
        ({"revoked_at": None, "token_hash": rules.token_hash("t")}, "u", rules.WrongDeviceToken),
        ({"revoked_at": NOW, "token_hash": rules.token_hash("t")}, "t", rules.DeviceRevoked),
        ({"revoked_at": NOW}, "", rules.DeviceRevoked),
    ],
)
def test_when_a_device_is_the_enrolled_one(stored: Document | None, token: str, outcome: Any) -> None:
    if isinstance(outcome, bool):
        assert rules.is_enrolled(stored, Claimed("d", token)) is outcome
    else:
        with pytest.raises(outcome):
            rules.is_enrolled(stored, Claimed("d", token))


def test_codes_have_no_lookalikes_and_need_our_secret_to_be_guessed() -> None:
    letters = {letter for _ in range(300) for letter in rules.new_code()}
    assert not letters & set("01ILOU")
    assert len(rules.new_code()) == 8
    assert rules.code_hash("abcd-efgh", "s") == rules.code_hash("ABCDEFGH", "s") != rules.code_hash("ABCDEFGH", "t")
