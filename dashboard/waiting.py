"""Comparisons that take long: made beside the page, which shows how far they are and has a button that stops them.

One that several people wait for is made once, and goes on while anybody does. It also goes on when its page is left,
for whoever comes back: it ends in the lake, where the next page finds it.
"""

import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

import streamlit as st

from analytics.compare import Comparison, ComparisonStopped, Watch
from dashboard.messages import Message, guarded, show

GRACE_SECONDS = 5.0
"""What is made so soon appears without a button that stops it."""
LOOK_SECONDS = 1.0
AWAY_SECONDS = 5.0
"""Whoever has not looked for so long waits no more."""
MOST_AT_ONCE = 2
_SELF, _STOPPED = "waiting_as", "comparison_stopped"
CANCELLED = Message(
    "The comparison was cancelled", "Nothing of it is kept, unless somebody else waits for it too.", "cancel"
)

Make = Callable[[Watch], Comparison]


class Work:
    """A comparison under way, and who waits for it."""

    def __init__(self, make: Make, turn: threading.Semaphore) -> None:
        self.watch, self.outcome = Watch(), Future[Comparison]()
        self._waiting: dict[str, float] = {}
        threading.Thread(target=self._run, args=(make, turn), daemon=True).start()

    def look(self, who: str, now: float) -> None:
        """Somebody waits for it."""
        self._waiting[who] = now

    def leave(self, who: str, now: float) -> None:
        """Somebody waits for it no more; it is stopped if nobody else does."""
        self._waiting.pop(who, None)
        if all(now - seen > AWAY_SECONDS for seen in list(self._waiting.values())):
            self.watch.stop()

    def _run(self, make: Make, turn: threading.Semaphore) -> None:
        try:
            with turn:
                self.outcome.set_result(make(self.watch))
        except BaseException as error:
            self.outcome.set_exception(error)


class Works:
    """Those of this process, by what is asked. As many as memory is meant for are made at once; others wait."""

    def __init__(self) -> None:
        self._turn, self._lock = threading.Semaphore(MOST_AT_ONCE), threading.Lock()
        self._works: dict[str, Work] = {}

    def work(self, question: str, make: Make) -> Work:
        """The one that is under way, or a new one; one that was stopped is none any more."""
        with self._lock:
            known = self._works.get(question)
            if known is None or known.watch.stopped:
                known = self._works[question] = Work(make, self._turn)
            return known

    def over(self, question: str, work: Work) -> None:
        """Forget one that has ended."""
        with self._lock:
            if self._works.get(question) is work:
                del self._works[question]


def made(question: str, make: Make) -> bool:
    """Whether it is made. If not, the page shows how far it is, and draws itself anew when there is more to show.
    Raises what `make` raises."""
    if st.session_state.get(_STOPPED) == question:
        _start_anew()
        return False
    work = _works().work(question, make)
    work.look(_self(), time.monotonic())
    with suppress(TimeoutError), st.spinner("Comparing …"):
        work.outcome.exception(GRACE_SECONDS)
    if not work.outcome.done():
        _under_way(question, work)
        return False
    _works().over(question, work)
    try:
        work.outcome.result()
    except ComparisonStopped:
        _start_anew()
        return False
    return True


@st.fragment(run_every=LOOK_SECONDS)
def _under_way(question: str, work: Work) -> None:
    with guarded("Compare"):
        if work.outcome.done():
            st.rerun()
        work.look(_self(), time.monotonic())
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.progress(min(work.watch.done, 1.0), f"Comparing the rows: about {work.watch.done:.0%}")
        if right.button("Cancel", icon=":material/cancel:", width="stretch", key="stop_comparing"):
            work.leave(_self(), time.monotonic())
            st.session_state[_STOPPED] = question
            st.rerun()


def _start_anew() -> None:
    show(CANCELLED)
    if st.button("Compare again", icon=":material/refresh:", key="compare_again"):
        st.session_state.pop(_STOPPED, None)
        st.rerun()


def _self() -> str:
    """A name for this browser session, which tells nothing of who it is."""
    name: str = st.session_state.setdefault(_SELF, secrets.token_hex(8))
    return name


@st.cache_resource(show_spinner=False)
def _works() -> Works:
    return Works()
