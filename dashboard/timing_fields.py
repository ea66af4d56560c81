"""The part of a schedule's form that says when: friendly choices or cron, and the next five times at once."""

from collections.abc import Mapping
from datetime import time
from zoneinfo import available_timezones

import streamlit as st

from dashboard.calls import schedules as calls
from dashboard.context import House
from dashboard.desk import Desk
from dashboard.markup import literal
from dashboard.views import schedules as words
from dashboard.views.timing import LAST_SURE_DAY, STEPS, WEEKDAYS, Every, Timing, cron_of, timing_of
from stockverify.errors import BadInput
from stockverify.wire.schedules import Schedule


def fields(house: House, desk: Desk, old: Schedule | None, mark: str) -> tuple[Timing, str]:
    """Draw how often, at what time and by whose clock; returns the choice and the zone."""
    was = timing_of(old.cron) if old else Timing(Every.DAY)
    choices = list(Every)
    every = st.selectbox("When", choices, choices.index(was.every), key=f"every_{mark}")
    timing = was._replace(every=every)
    match every:
        case Every.OWN:
            help_ = "Minute, hour, day of month, month, day of week. L is the last day of the month."
            timing = timing._replace(
                cron=st.text_input("Cron expression", was.cron, max_chars=120, help=help_, key=f"cron_{mark}")
            )
        case Every.MINUTES:
            minutes = st.selectbox("Every so many minutes", STEPS, STEPS.index(was.minutes), key=f"minutes_{mark}")
            timing = timing._replace(minutes=minutes)
        case _:
            timing = _at(timing, was, mark)
    before = old.zone if old else house.zone.key
    zones = sorted({before, *available_timezones()})
    zone = st.selectbox("By the clock of", zones, zones.index(before), key=f"zone_{mark}")
    _preview(house, desk, timing, zone)
    return timing, zone


def _at(timing: Timing, was: Timing, mark: str) -> Timing:
    if timing.every is Every.WEEK:
        days = st.pills(
            "Days",
            range(1, 8),
            selection_mode="multi",
            default=list(was.days),
            format_func=lambda day: WEEKDAYS[day - 1][:3],
            key=f"days_{mark}",
        )
        timing = timing._replace(days=tuple(days))
    if timing.every is Every.MONTH:
        day = st.number_input("Day of the month", 1, LAST_SURE_DAY, was.day, key=f"day_{mark}")
        timing = timing._replace(day=int(day))
    at = st.time_input("At", was.at, key=f"at_{mark}", step=300)
    return timing._replace(at=at or time(7))


def _preview(house: House, desk: Desk, timing: Timing, zone: str) -> None:
    """The next five times of what is chosen just now, or what is wrong with it."""
    if timing.every is Every.WEEK and not timing.days:
        st.caption("Choose one day of the week or more.")
        return
    try:
        times = calls.next_times(desk, cron_of(timing), zone)
    except BadInput as error:
        st.error(literal(error.message), icon=":material/event_busy:")
        return
    due_times(words.due_times(times, zone, house.zone))


def due_times(shown: Mapping[str, list[str]]) -> None:
    """The next times, by each clock that matters."""
    st.markdown("**Next five times**")
    st.dataframe(dict(shown), hide_index=True, height="content", alt="The next five times")
