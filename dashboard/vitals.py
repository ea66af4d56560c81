"""Draws how the service is, what the worker did, and the audit log."""

import time
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import polars as pl
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from analytics.glance.numbers import NOTHING, amount
from dashboard.calls import health as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.drawing import all_of, fitted
from dashboard.markup import literal
from dashboard.views import audit, deeds, readings
from dashboard.views.readings import Readings
from stockverify.breaker import BreakerState
from stockverify.wire.health import Health

_CHECKED = "chain_checked"
_LOOK = "records_look"
_BADGES = {"healthy": "green", "degraded": "orange", "unhealthy": "red"}
_WORDS = {
    "healthy": "All of it works.",
    "degraded": "Redis is away: nobody can claim a rack, but what devices count still arrives.",
    "unhealthy": "MongoDB is away: nothing can be stored. Devices keep what they count until it is back.",
}
_STATES = {
    BreakerState.CLOSED: "closed",
    BreakerState.HALF_OPEN: "trying again",
    BreakerState.OPEN: "open",
}
_BREAKER = "An open circuit breaker answers 503 at once, so that nobody waits."
_TIME = "D MMM YYYY, HH:mm:ss"
_IN_SIGHT = 12


def state(health: Health, measured: Readings) -> None:
    """The service, its backends and its breakers, and how fast records come."""
    st.markdown(f":{_BADGES[health.status]}-badge[{health.status.capitalize()}] {_WORDS[health.status]}")
    with st.container(key="counts"):
        for name, answer in health.services.items():
            breaker = f"breaker {_STATES[health.breakers[name]]}" if name in health.breakers else None
            _tile(_name(name), answer.capitalize(), breaker, _BREAKER if breaker else None)
        rate = _rate(measured)
        _tile(
            "Records per second",
            NOTHING if rate is None else f"{rate:,.1f}",
            "in a moment" if rate is None else None,
        )
        _tile("Live devices", amount(measured.total("stockverify_live_devices"), "lines"))
        _tile("Requests in flight", amount(measured.total("stockverify_requests_in_flight"), "lines"))
    st.caption(f"Version {literal(health.version)}. Records per second since the look before this one.")


def measures(measured: Readings) -> None:
    """Latencies by operation, records by outcome, ages of device queues; all since the service began."""
    with st.container(key="totals"):
        with st.container():
            st.header("Requests", anchor=False)
            _table(readings.operations(measured), _request_columns(), "No request was answered so far.", "operation")
        with st.container():
            st.header("Records", anchor=False)
            _table(
                readings.outcomes(measured),
                _counts("outcome", "Outcome", "records", "Records"),
                "None so far.",
                "outcome",
            )
            st.header("Oldest unsent record", anchor=False)
            _table(
                readings.queue_ages(measured),
                _counts("age", "Age", "reports", "Reports"),
                "None reported so far.",
                "age",
            )


def runs(desk: Desk, zone: ZoneInfo) -> None:
    """What the worker did."""
    st.header("Runs of the worker", anchor=False)
    rows = audit.runs(calls.runs(desk))
    columns: dict[str, ColumnConfig | str] = {
        "requested_at": _when("Asked for", zone),
        "kind": "Kind",
        "status": "Status",
        "seconds": st.column_config.NumberColumn("Took (s)", format="%.1f"),
        "requested_by": "By",
        "snapshot": "Snapshot",
        "error": "Why it failed",
    }
    _table(rows, columns, "The worker was not asked for anything so far.")
    if rows.height == calls.MOST_RUNS:
        st.caption(f"The newest {calls.MOST_RUNS} runs; there may be older ones.")
    elif rows.height:
        st.caption(f"{all_of(rows.height, 'run')}, newest first.")


def log(desk: Desk, house: House) -> None:
    """The audit log, with a filter and a check of its chain."""
    st.header("Audit log", anchor=False)
    with st.container(key="log_filters"):
        first, second, third, fourth = (st.container() for _ in range(4))
    actions = sorted(deeds.DEEDS, key=deeds.deed)
    action = first.selectbox("What", actions, None, format_func=deeds.deed, placeholder="Any", key="log_action")
    user = second.text_input("User", placeholder="User name", max_chars=256, key="log_user")
    subject = third.text_input("Subject", placeholder="Rack, session, conflict, …", max_chars=256, key="log_subject")
    if fourth.button("Check the chain", icon=":material/link:", width="stretch"):
        _check(desk)
    rows = audit.entries(calls.entries(desk, calls.Asked(action, user.strip(), subject.strip())))
    columns: dict[str, ColumnConfig | str] = {
        "sequence": _whole("No."),
        "at": _when("When", house.zone),
        "action": "What",
        "username": "User",
        "subject": "Subject",
        "details": st.column_config.TextColumn("Details", width="large"),
        "device": "Device",
    }
    _table(rows, columns, "No entry passes these filters.")
    full = rows.height == calls.MOST_ENTRIES
    entries = f"The newest {amount(rows.height, 'lines')} entries" if full else all_of(rows.height, "entry", "entries")
    more = " Narrow the filters to see older ones." if full else ""
    st.caption(f"{entries}.{more} New ones are sealed within seconds.")


def _check(desk: Desk) -> None:
    """From the first entry on, or from where the check before had to stop."""
    with st.spinner("The service computes hashes …", show_time=True):
        found = calls.chain(desk, st.session_state.pop(_CHECKED, 0))
    if found.holds and found.last < found.end:
        st.session_state[_CHECKED] = found.last
    told = audit.verdict(found)
    (st.success if told.holds else st.error)(literal(told.text), icon=":material/link:")


def _tile(label: str, value: str, below: str | None = None, help_: str | None = None) -> None:
    st.metric(label, value, below, "off", help=help_, border=True, delta_arrow="off", height="stretch")


def _rate(measured: Readings) -> float | None:
    now = time.monotonic(), readings.records_answered(measured)
    before: tuple[float, float] | None = st.session_state.get(_LOOK)
    st.session_state[_LOOK] = now
    return readings.rate(before, now)


def _table(rows: pl.DataFrame, columns: "Mapping[str, ColumnConfig | str]", empty: str, noun: str = "") -> None:
    if rows.is_empty():
        st.caption(empty)
        return
    height = fitted(rows.height, _IN_SIGHT)
    st.dataframe(rows.to_arrow(), column_config=columns, hide_index=True, height=height, placeholder=NOTHING)
    if noun:
        st.caption(f"{all_of(rows.height, noun)}, since the service began.")


def _request_columns() -> "Mapping[str, ColumnConfig | str]":
    def milliseconds(title: str) -> ColumnConfig:
        return st.column_config.NumberColumn(f"{title} (ms)", format="%.1f")

    return {
        "operation": "Operation",
        "requests": _whole("Requests"),
        "failed": _whole("Failed (5xx)"),
        "median_ms": milliseconds("Median"),
        "p95_ms": milliseconds("95th percentile"),
    }


def _counts(name: str, title: str, number: str, heading: str) -> "Mapping[str, ColumnConfig | str]":
    return {name: title, number: _whole(heading)}


def _whole(title: str) -> ColumnConfig:
    return st.column_config.NumberColumn(title, format="%,d")


def _when(title: str, zone: ZoneInfo) -> ColumnConfig:
    return st.column_config.DatetimeColumn(f"{title} ({zone.key})", format=_TIME, timezone=zone.key)


def _name(service: str) -> str:
    return {"mongodb": "MongoDB", "redis": "Redis"}.get(service, service)
