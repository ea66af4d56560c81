"""Many requests at the same moment, for tests of the service."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx

from tests.service import PASSWORD, Service


def at_once(count: int, work: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """What each of so many threads gets when all begin together."""
    gate = Barrier(count)

    def run(place: int) -> httpx.Response:
        gate.wait()
        return work(place)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def statuses(replies: list[httpx.Response]) -> Counter[int]:
    """How many of each status."""
    return Counter(reply.status_code for reply in replies)


def log_in(service: Service, username: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
    """A login with a password."""
    body = {"username": username, "password": password}
    return httpx.post(f"{service.url}/api/auth/login", json=body, headers=headers, timeout=30)


def pin_in(service: Service, pin: str, username: str | None = None, **headers: str) -> httpx.Response:
    """A login with a PIN; with a user name or without."""
    body = {"pin": pin} | ({"username": username} if username else {})
    return httpx.post(f"{service.url}/api/auth/login-pin", json=body, headers=headers, timeout=30)


def new_user(service: Service, name: str, role: str = "staff", **more: Any) -> str:
    """The name of a user who is not logged in."""
    body = {"username": name, "password": PASSWORD, "full_name": name.title(), "role": role, **more}
    service.admin.post("/api/auth/register", json=body).raise_for_status()
    return name


def may_come_in(service: Service, reply: httpx.Response, **headers: str) -> int:
    """The status that the access token of a login gets now."""
    token = reply.json()["data"]["access_token"]
    return httpx.get(f"{service.url}/api/auth/me", headers={"Authorization": f"Bearer {token}", **headers}).status_code
