"""The late shift of the demo: counters who hold racks while somebody looks around, so that the live floor is alive.

They count nothing, so that every figure stays that of the latest snapshot, and the books stay balanced.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import httpx

from stockverify.demo.office import DemoFailed, Office, Person

BEAT = 10.0
"""Seconds between two heartbeats, well below the life of a lease."""

FLOOR = "Returns"
SILENT = "RETURNS-3"
RACKS = ("RETURNS-1", "RETURNS-2", SILENT)
_BREAK = "RETURNS-2"
_QUEUES = {"RETURNS-1": (0, 0), _BREAK: (0, 0), SILENT: (14, 260)}


class Post(NamedTuple):
    """One counter at one rack."""

    office: Office
    rack_id: str
    session_id: str


class Shift:
    """Three counters: one at work, one on a break, and one whose device has fallen silent with records unsent."""

    def __init__(self, api: str) -> None:
        self._api = api
        self._posts: list[Post] = []

    def begin(self, people: Sequence[Person]) -> None:
        """Claim the racks."""
        for person, rack_id in zip(people, RACKS, strict=False):
            office = Office(self._api, person.username, person.password, f"late-{rack_id.lower()}")
            self._posts.append(Post(office, rack_id, office.claim(rack_id, FLOOR)))
        self._beat(RACKS)
        for post in self._posts:
            if post.rack_id == _BREAK:
                post.office.pause(post.rack_id)

    def keep(self, stop: threading.Event) -> None:
        """Go on until told to stop. A rack that a supervisor has taken away is not claimed again."""
        try:
            while not stop.wait(BEAT):
                self._beat([rack_id for rack_id in RACKS if rack_id != SILENT])
        finally:
            self.close()

    def close(self) -> None:
        """Log out; the racks stay as they are."""
        for post in self._posts:
            with suppress(httpx.HTTPError, DemoFailed):
                post.office.close()

    def _beat(self, racks: Sequence[str]) -> None:
        for post in self._posts:
            if post.rack_id in racks:
                with suppress(httpx.HTTPError, DemoFailed):  # the service may be restarting; the next one is soon
                    post.office.heartbeat(post.session_id, *_QUEUES[post.rack_id])
