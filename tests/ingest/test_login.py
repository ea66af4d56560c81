"""PINs, lock-out over two processes, and a crowd that logs in at once."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import msgspec
import pytest
from argon2 import PasswordHasher
from pymongo import MongoClient

from ingest.auth import lockout
from ingest.auth.hashing import Crowded, Hashing
from ingest.auth.rules import WrongLogin
from stockverify.clients import Document, database
from stockverify.environment import to_env
from stockverify.errors import Unavailable
from stockverify.services.child import free_port
from stockverify.services.embedded import Backends
from stockverify.settings import Settings
from tests.ingest.crowd import at_once, log_in, may_come_in, new_user, pin_in, statuses
from tests.profiling import all_served
from tests.service import PASSWORD, Service, running_service

WRONG = "The user name or the password is wrong, or the account is disabled."


@pytest.fixture(scope="module")
def pair(
    embedded: Backends, mongo: "MongoClient[Document]", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Two processes on one port; an index serves all that they ask."""
    settings = msgspec.structs.replace(
        embedded.settings, mongodb_database="logins", data_dir=tmp_path_factory.mktemp("logins")
    )
    with all_served(embedded.settings, "logins", mongo), running_service(settings, processes=2) as service:
        yield service


@pytest.fixture(scope="module")
def kept(pair: Service, mongo: "MongoClient[Document]"):  # type: ignore[no-untyped-def]
    """The database behind them."""
    return database(mongo, pair.settings)


def test_a_pin_opens_the_same_login_as_a_password(pair: Service) -> None:
    name = new_user(pair, "pia", pin="4711")
    by_pin, by_password = pin_in(pair, "4711", name), log_in(pair, name)
    assert by_pin.status_code == 200
    assert by_pin.json().keys() == by_password.json().keys()
    assert by_pin.json()["data"]["user"] == by_password.json()["data"]["user"]
    assert may_come_in(pair, by_pin) == 200


def test_a_wrong_pin_and_no_pin_and_no_user_get_the_same_answer(pair: Service) -> None:
    with_pin, without = new_user(pair, "pim", pin="4711"), new_user(pair, "pom")
    for reply in (pin_in(pair, "0000", with_pin), pin_in(pair, "0000", without), pin_in(pair, "0000", "nobody-at-all")):
        assert (reply.status_code, reply.json()["detail"]) == (401, WRONG)


@pytest.mark.parametrize("pin", ["123", "1234567", "12a4", "", " 1234", "١٢٣٤"])
def test_a_pin_is_four_to_six_digits(pair: Service, pin: str) -> None:
    reply = pin_in(pair, pin, "admin")
    assert reply.status_code == 400
    assert "pin" in reply.json()["detail"]


def test_a_pin_alone_from_no_enrolled_device_is_403_that_says_what_to_do(pair: Service) -> None:
    for headers in ({}, {"X-Device-ID": "d-unknown"}):
        reply = pin_in(pair, "4711", **headers)
        assert reply.status_code == 403
        assert "Send the user name with it, or enrol this device" in reply.json()["detail"]


@pytest.mark.alone
@pytest.mark.parametrize("known", [True, False])
def test_fifty_guesses_at_once_over_two_processes_get_five_tries(pair: Service, kept, known: bool) -> None:  # type: ignore[no-untyped-def]
    name = new_user(pair, "guessed", pin="9021") if known else "not-there"
    guesses = at_once(50, lambda n: log_in(pair, name, f"guess {n}") if n % 2 else pin_in(pair, f"{n:04}", name))
    assert statuses(guesses) == {401: 5, 429: 45}
    refused = next(reply for reply in guesses if reply.status_code == 429)
    assert refused.headers["content-type"].startswith("application/problem+json")
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert refused.json()["detail"].startswith("There were too many wrong attempts. Wait ")
    assert log_in(pair, name).status_code == 429, "a right password does not get in either, or guessing would go on"
    subject = name if known else "an unknown user name"
    entries = list(kept.activity_logs.find({"action": "auth.locked", "subject": subject}))
    assert [(entry["username"], entry["subject"]) for entry in entries] == [(name if known else "", subject)]
    assert name not in repr(list(kept.login_attempts.find()))


@pytest.mark.alone
def test_a_lock_ends_by_itself_doubles_and_a_success_resets_it(embedded: Backends, tmp_path: Path) -> None:
    settings = msgspec.structs.replace(
        embedded.settings, mongodb_database="locks", data_dir=tmp_path, login_max_failures=2, login_lockout_seconds=1
    )
    with running_service(settings) as service:
        name = new_user(service, "locky")
        assert [log_in(service, name, "wrong").status_code for _ in range(3)] == [401, 401, 429]
        time.sleep(1.05)
        assert [log_in(service, name, "wrong").status_code for _ in range(2)] == [401, 429]
        locked = log_in(service, name)
        assert (locked.status_code, locked.headers["Retry-After"]) == (429, "2")
        time.sleep(2.05)
        assert log_in(service, name).status_code == 200
        assert [log_in(service, name, "wrong").status_code for _ in range(3)] == [401, 401, 429]
        assert log_in(service, name).headers["Retry-After"] == "1"


def test_wrong_attempts_that_are_not_in_a_row_do_not_lock(pair: Service) -> None:
    name = new_user(pair, "clumsy")
    for _ in range(3):
        assert [log_in(pair, name, "wrong").status_code for _ in range(4)] == [401] * 4
        assert log_in(pair, name).status_code == 200


@pytest.mark.alone
def test_a_known_and_an_unknown_user_name_take_as_long(pair: Service) -> None:
    new_user(pair, "timed")

    def seconds(name: str) -> float:
        began = time.perf_counter()
        log_in(pair, name, "wrong")
        return time.perf_counter() - began

    known = median(seconds("timed") for _ in range(4))
    unknown = median(seconds("never-heard-of") for _ in range(4))
    assert 0.5 < known / unknown < 2


@pytest.mark.alone
def test_a_hundred_devices_of_one_person_log_in_at_once_and_all_stay_in(pair: Service, kept) -> None:  # type: ignore[no-untyped-def]
    name = new_user(pair, "crowd")
    replies = at_once(100, lambda n: log_in(pair, name, **{"X-Device-ID": f"crowd-{n}"}))
    assert statuses(replies) == {200: 100}
    again = log_in(pair, name, **{"X-Device-ID": "crowd-50"})
    assert again.status_code == 200
    inside = [may_come_in(pair, reply, **{"X-Device-ID": f"crowd-{n}"}) for n, reply in enumerate(replies)]
    assert inside == [200] * 50 + [401] + [200] * 49, "only the login that crowd-50 replaced has ended"
    assert kept.activity_logs.count_documents({"action": "auth.logged_in", "username": name}) == 101


def test_hashes_of_older_parameters_are_renewed_at_the_next_login(pair: Service, kept) -> None:  # type: ignore[no-untyped-def]
    name = new_user(pair, "old", pin="123456")
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    both = {"password_hash": old.hash(PASSWORD), "pin_hash": old.hash("123456")}
    kept.users.update_one({"username": name}, {"$set": both})
    assert (log_in(pair, name).status_code, pin_in(pair, "123456", name).status_code) == (200, 200)
    user = kept.users.find_one({"username": name})
    for field in both:
        assert user[field].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (log_in(pair, name).status_code, pin_in(pair, "123456", name).status_code) == (200, 200)


def test_a_process_that_died_while_checking_blocks_nobody_for_long(pair: Service, kept) -> None:  # type: ignore[no-untyped-def]
    name, now = new_user(pair, "revenant"), datetime.now(UTC)
    left = [{"id": f"c{n}", "since": now - timedelta(seconds=60)} for n in range(3)]
    tries = {"failures": 0, "locks": 0, "locked_until": None, "checking": left, "version": "v"}
    kept.login_attempts.insert_one({"_id": lockout.key("user", name), **tries})
    assert log_in(pair, name).status_code == 200


@pytest.mark.parametrize("path", ["login", "login-pin"])
def test_a_disabled_account_gets_the_same_answer_as_a_wrong_password(pair: Service, path: str) -> None:
    name = new_user(pair, f"off-{path}", pin="5599")
    pair.admin.patch(f"/api/auth/users/{name}", json={"is_active": False}).raise_for_status()
    reply = log_in(pair, name) if path == "login" else pin_in(pair, "5599", name)
    assert (reply.status_code, reply.json()["detail"]) == (401, WRONG)


@pytest.mark.alone
def test_fifty_logins_at_once_cost_little_memory(settings: Settings) -> None:
    with running_service(settings) as service:
        names = [new_user(service, f"many{n}") for n in range(10)]
        before = kibibytes(service, "VmRSS")
        assert statuses(at_once(50, lambda n: log_in(service, names[n % 10]))) == {200: 50}
        assert kibibytes(service, "VmHWM") - before < 64 * 1024


def kibibytes(service: Service, what: str) -> int:
    status = Path(f"/proc/{service.children[0].pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith(what)).split()[1])


def test_who_waits_too_long_for_a_turn_is_told_to_come_back() -> None:
    async def crowd() -> None:
        hashing = Hashing(turns=1, queue_seconds=0.01)
        async with hashing.turn():
            with pytest.raises(Crowded, match=r"Try again in 5 seconds\."):
                async with hashing.turn():
                    pass
        async with hashing.turn():
            pass

    asyncio.run(crowd())


async def test_who_waits_while_a_turn_meets_an_outage_is_told_so_at_once() -> None:
    hashing, told = Hashing(turns=1), []

    async def log_in(error: Exception | None) -> None:
        async with hashing.turn():
            told.append(error)
            await asyncio.sleep(0)
            if error:
                raise error

    outage = Unavailable(service="MongoDB")
    waited = await asyncio.gather(*(log_in(outage) for _ in range(5)), return_exceptions=True)
    assert ([type(each) for each in waited], told) == ([Unavailable] * 5, [outage])
    await log_in(None)
    others = await asyncio.gather(log_in(WrongLogin()), log_in(None), return_exceptions=True)
    assert [type(each) for each in others] == [WrongLogin, type(None)], "who is refused has met no outage"


@pytest.mark.parametrize("environ", [{}, {"STOCKVERIFY_ADMIN_PASSWORD": ""}])
def test_the_first_user_has_no_default_password(settings: Settings, environ: dict[str, str], kept) -> None:  # type: ignore[no-untyped-def]
    given = to_env(msgspec.structs.replace(settings, api_port=free_port()))
    given.pop("STOCKVERIFY_ADMIN_PASSWORD", None)
    start = [sys.executable, "-m", "ingest"]
    run = subprocess.run(
        start, env=os.environ | given | environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode != 0
    assert (
        "Set STOCKVERIFY_ADMIN_PASSWORD to the password that the first user `admin` shall have"
        in run.stdout + run.stderr
    )
    assert kept.client[settings.mongodb_database].users.count_documents({}) == 0
