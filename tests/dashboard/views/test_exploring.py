"""The state of the Explore page and its address."""

import json
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dashboard.views import exploring
from dashboard.views.exploring import LinkTooLong, State, address_of, link, read
from dashboard.views.lines import NothingToPick
from dashboard.views.picks import Picks, picks_of, spec_of
from stockverify.errors import BadInput
from stockverify.wire.reports import QuerySpec
from tests.analytics.query.drawn import specs

BERLIN = ZoneInfo("Europe/Berlin")


@settings(max_examples=50, deadline=None)
@given(specs(), st.booleans(), st.sampled_from(["", "mrp_sum"]))
def test_a_state_survives_its_link(spec: QuerySpec, live: bool, figure: str) -> None:
    try:
        picks = picks_of(spec, BERLIN)
    except NothingToPick:
        assume(False)
    state = State(spec_of(picks, BERLIN), live, figure)
    sent = dict(parse_qsl(urlsplit(link("http://x", "20260101T000000000Z-0a", state)).query, keep_blank_values=True))
    assert ("snapshot" in sent) is not live
    assert read({name: sent[name] for name in exploring.NAMES if name in sent}, BERLIN) == (state, picks)


def test_an_address_without_a_question_asks_for_all_positions() -> None:
    assert read({"live": "1"}, BERLIN) == (State(QuerySpec(collection="positions"), live=True), Picks())


def test_only_what_differs_from_the_usual_is_in_the_address() -> None:
    assert address_of(State(QuerySpec(collection="positions"))) == {"question": '{"collection":"positions"}'}


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ("\udcff", "cannot be read"),
        ('{"collection": "users"}', "use one of"),
        ('{"collection": "positions", "limit": 0}', "cannot be read"),
        ('{"collection": "positions", "limit": 1e99}', "cannot be read"),
        ('{"collection": "positions", "filters": {"password": 1}}', "not a field"),
        ('{"collection": "positions", "filters": {"floor": {"$where": "1"}}}', "not an operator"),
        ('{"collection": "positions", "filters": {"floor": {"in": []}}}', "any of no values"),
        ('{"collection": "positions", "calculated": {"x": "__import__(1)"}}', "character"),
        ('{"collection": "positions", "filters": {"floor": ' + "[" * 15_000, "too deep"),
        (json.dumps({"collection": "positions", "filters": {"floor": "x" * 20_000}}), "at most 20,000"),
    ],
)
def test_a_hostile_or_damaged_link_is_explained(question: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read({"question": question}, BERLIN)


def test_a_link_that_is_too_long_says_what_to_do() -> None:
    with pytest.raises(LinkTooLong, match="Save such a query"):
        read({"question": " " * 20_001}, BERLIN)
