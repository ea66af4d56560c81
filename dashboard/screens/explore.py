"""Explore: any question, put together by picking, on a snapshot or on live data, with its rows and a chart."""

import streamlit as st

from dashboard import notes
from dashboard.context import House, open_house
from dashboard.desk import Desk, open_desk
from dashboard.explorer import answers, keeping, opening, panel, results, source
from dashboard.explorer.draft import Draft
from dashboard.messages import guarded
from dashboard.paging import page
from dashboard.waiting import Unfinished
from stockverify.wire.reports import QuerySpec


def show() -> None:
    """Draw the page."""
    house = open_house()
    if (found := source.draft_or_why_not(house)) is None:
        return
    desk = open_desk(house)
    where = source.head(house, desk, found)
    notes.tell()
    if where is None:
        return
    with guarded("Explore"), answers.asking():
        opening.told(desk, found)
        if (spec := panel.draw(house, found, where.newest)) is not None:
            try:
                _answer(house, desk, found, where, spec)
            except Unfinished as unfinished:
                unfinished.draw()


def _answer(house: House, desk: Desk, found: Draft, where: source.Where, spec: QuerySpec) -> None:
    question = f"{where.snapshot_id} {spec}"
    actions, chart = st.container(), st.container()
    if where.snapshot_id:
        total = answers.size(house, where.snapshot_id, spec)
        answer = answers.of_snapshot(house, where.snapshot_id, spec, page(total, question), total)
    else:
        size = answers.live_size(desk, spec)
        answer = answers.of_live(desk, spec, page(size.total, question), size)
        source.live_as_of(house, where, answer)
    with chart:
        results.chart(found, answer, house.currency)
    results.rows(house, answer)
    with actions:
        keeping.draw(house, desk, found, found.write(spec), where.snapshot_id)
    results.files(house, answer, spec)


if __name__ == "__main__":
    show()
