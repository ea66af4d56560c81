"""Comparisons and queries that take long: made beside the page, which shows how far they are and has a button that
stops them.

One that several people wait for is made once, and goes on while anybody does. It also goes on when its page is left,
for whoever comes back: a comparison ends in the lake, where the next page finds it.
"""

import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar, cast

import streamlit as st

from analytics.watching import Stopped, Watch
from dashboard.messages import Message, guarded, show

GRACE_SECONDS = 5.0
"""What is made so soon appears without a button that stops it."""
LOOK_SECONDS = 1.0
AWAY_SECONDS = 5.0
"""Whoever has not looked for so long waits no more."""
_SELF, _STOPPED = "waiting_as", "work_stopped"

T = TypeVar("T")
Make = Callable[[Watch], Any]


class Manner(NamedTuple):
    """How one kind of work is waited for: how many are made at once, others wait, and its words."""

    page: str
    at_once: int
    progress: str
    cancelled: Message
    again: str


class Work:
    """Something under way, and who waits for it."""

    def __init__(self, make: Make, turn: threading.Semaphore) -> None:
        self.watch, self.outcome = Watch(), Future[Any]()
        self._waiting: dict[str, float] = {}
        threading.Thread(target=self._run, args=(make, turn), daemon=True).start()

    def look(self, who: str, now: float) -> None:
        """Somebody waits for it."""
        self._waiting[who] = now

    def leave(self, who: str, now: float) -> None:
        """Somebody waits for it no more; it is stopped if nobody else does."""
        self._waiting.pop(who, None)
        if self.left(now):
            self.watch.stop()

    def left(self, now: float) -> bool:
        """Whether nobody waits for it."""
        return all(now - seen > AWAY_SECONDS for seen in list(self._waiting.values()))

    def _run(self, make: Make, turn: threading.Semaphore) -> None:
        try:
            with turn:
                self.outcome.set_result(make(self.watch))
        except BaseException as error:
            self.outcome.set_exception(error)


class Works:
    """Those of this process, by what is asked. As many as memory is meant for are made at once; others wait."""

    def __init__(self, at_once: int) -> None:
        self._turn, self._lock = threading.Semaphore(at_once), threading.Lock()
        self._works: dict[str, Work] = {}

    def work(self, question: str, make: Make) -> Work:
        """The one that is under way, or a new one; one that was stopped is none any more."""
        with self._lock:
            self._forget(time.monotonic())
            known = self._works.get(question)
            if known is None or known.watch.stopped:
                known = self._works[question] = Work(make, self._turn)
            return known

    def _forget(self, now: float) -> None:
        """Those that have ended, and to whose outcome nobody has come back: each holds it."""
        for question, work in list(self._works.items()):
            if work.outcome.done() and work.left(now):
                del self._works[question]

    def over(self, question: str, work: Work) -> None:
        """Forget one that has ended."""
        with self._lock:
            if self._works.get(question) is work:
                del self._works[question]


class Unfinished(Exception):
    """There is no answer to a question yet: its work goes on, or was cancelled and is none."""

    def __init__(self, manner: Manner, question: str, work: Work | None = None) -> None:
        super().__init__(question)
        self.manner, self.question, self.work = manner, question, work

    def leave(self) -> None:
        """Wait for it no more."""
        if self.work is not None:
            self.work.leave(_self(), time.monotonic())

    def draw(self) -> None:
        """How far it is, with a button that stops it, until there is more to show; or one that begins anew."""
        if self.work is None:
            _start_anew(self.manner)
        else:
            _under_way(self.manner, self.question, self.work)


def result(manner: Manner, question: str, make: Callable[[Watch], T]) -> T:
    """What is made. Raises Unfinished while it is not there, and what `make` raises."""
    if st.session_state.get(_STOPPED) == question:
        raise Unfinished(manner, question)
    works = _works(manner)
    work = works.work(question, make)
    work.look(_self(), time.monotonic())
    with suppress(TimeoutError):
        work.outcome.exception(GRACE_SECONDS)
    if not work.outcome.done():
        raise Unfinished(manner, question, work)
    works.over(question, work)
    try:
        return cast("T", work.outcome.result())
    except Stopped:
        raise Unfinished(manner, question) from None


@st.fragment(run_every=LOOK_SECONDS)
def _under_way(manner: Manner, question: str, work: Work) -> None:
    with guarded(manner.page):
        if work.outcome.done():
            st.rerun()
        work.look(_self(), time.monotonic())
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.progress(min(work.watch.done, 1.0), f"{manner.progress}: about {work.watch.done:.0%}")
        if right.button("Cancel", icon=":material/cancel:", width="stretch", key="stop_waiting"):
            work.leave(_self(), time.monotonic())
            st.session_state[_STOPPED] = question
            st.rerun()


def _start_anew(manner: Manner) -> None:
    show(manner.cancelled)
    if st.button(manner.again, icon=":material/refresh:", key="start_anew"):
        st.session_state.pop(_STOPPED, None)
        st.rerun()


def _self() -> str:
    """A name for this browser session, which tells nothing of who it is."""
    name: str = st.session_state.setdefault(_SELF, secrets.token_hex(8))
    return name


@st.cache_resource(show_spinner=False)
def _works(manner: Manner) -> Works:
    return Works(manner.at_once)
