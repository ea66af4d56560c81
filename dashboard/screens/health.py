"""Health: the service and its backends, what it measures, the worker, the lake, and the audit log."""

import streamlit as st

from dashboard import loads, vitals
from dashboard.context import House, open_house
from dashboard.desk import open_desk
from dashboard.heading import as_of
from dashboard.messages import guarded
from dashboard.views import readings

EVERY = 10.0  # seconds between two looks


def show() -> None:
    """Draw the page. Each part guards itself: while one thing is away, the others are what somebody came to see."""
    house = open_house()
    desk = open_desk(house)
    st.title("Health", anchor=False)
    _now()
    everywhere = not desk.user.floors  # what is below is for people without a scope
    if everywhere:
        with guarded("Runs of the worker"):
            vitals.runs(desk, house.zone)
    _lake(house)
    if desk.audits and everywhere:
        with guarded("Audit log"):
            vitals.log(desk, house)


@st.fragment(run_every=EVERY)
def _now() -> None:
    with st.container(key="calm_health"), guarded("The service"):
        house = open_house()
        health, measured = house.api.health(), readings.read(house.api.metrics())
        st.markdown(f"{as_of(house)} · looks again every {EVERY:g} seconds")
        vitals.state(health, measured)
        vitals.measures(measured)


def _lake(house: House) -> None:
    st.header("Lake", anchor=False)
    size = loads.lake_bytes(house.settings.lake) / 2**20
    count = len(house.lake.freezes())
    st.markdown(f"**{size:,.1f} MiB** on the disk, **{count:,}** snapshot{'' if count == 1 else 's'}.")
    st.caption("Snapshots share files that did not change, which count once. Measured at most a minute ago.")


if __name__ == "__main__":
    show()
