"""The late shift of the demo: counters at work while somebody looks around, so that the live floor is alive.

Their racks are left out of both rounds. What they count is in the database like all else, but not in the books of the
demo, which are about its devices.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

import httpx

from stockverify.demo.office import DemoFailed, Office, Person
from stockverify.demo.shelves import Reading

BEAT = 5.0
"""Seconds between two heartbeats."""

PRESENCE = 20
"""Seconds after which a silent device of the demo counts as away: less than the demo takes to come to its end."""

EVERY = 4
"""A line is counted with every so many heartbeats."""

POSTS = 3
_AT_FIRST, _UNSENT, _UNSENT_SECONDS = 3, 14, 170

Readings = Mapping[str, Sequence[Reading]]


class Post(NamedTuple):
    """One counter at one rack, with the lines that are still to be counted."""

    office: Office
    rack_id: str
    floor: str
    session_id: str
    lines: Iterator[Reading]

    def go_on(self, lines: int = 1) -> None:
        """So many further lines, while there are any."""
        for _, reading in zip(range(lines), self.lines, strict=False):
            self.office.count(self.rack_id, self.floor, self.session_id, reading, datetime.now(UTC))


class Shift:
    """Three counters: one whose device has fallen silent with records unsent, one at work, and one on a break."""

    def __init__(self, api: str) -> None:
        self._api = api
        self._silent: list[Post] = []
        self._present: list[Post] = []

    def fall_silent(self, person: Person, readings: Readings) -> None:
        """The first rack: somebody begins, and is not heard from again."""
        for rack_id, lines in list(readings.items())[:1]:
            self._silent.append(self._take(person, rack_id, lines, min(_UNSENT, len(lines)), _UNSENT_SECONDS))

    def begin(self, people: Sequence[Person], readings: Readings) -> None:
        """The other racks: two people begin, and the second one takes a break."""
        for person, (rack_id, lines) in zip(people, list(readings.items())[1:], strict=False):
            self._present.append(self._take(person, rack_id, lines))
        for post in self._present[1:]:
            post.office.pause(post.rack_id)

    def keep(self, stop: threading.Event) -> None:
        """Go on until told to stop. A rack that a supervisor has taken away is not claimed again."""
        try:
            self._beat(0)
            beats = 0
            while not stop.wait(BEAT):
                beats += 1
                self._beat(beats)
        finally:
            self.close()

    def close(self) -> None:
        """Log out; the racks stay as they are."""
        for post in (*self._silent, *self._present):
            with suppress(httpx.HTTPError, DemoFailed):
                post.office.close()

    def _take(self, person: Person, rack_id: str, lines: Sequence[Reading], unsent: int = 0, age: int = 0) -> Post:
        office = Office(self._api, person.username, person.password, f"handheld-{rack_id.lower()}")
        floor = lines[0].line.floor if lines else ""
        post = Post(office, rack_id, floor, office.claim(rack_id, floor), iter(lines))
        post.go_on(_AT_FIRST)
        office.heartbeat(post.session_id, unsent, age)
        return post

    def _beat(self, beats: int) -> None:
        for number, post in enumerate(self._present):
            with suppress(httpx.HTTPError, DemoFailed):  # the service may be restarting; the next one is soon
                post.office.heartbeat(post.session_id, 0, 0)
                if number == 0 and beats % EVERY == EVERY - 1:
                    post.go_on()
