"""Watches of the demo show what a person would have needed."""

import itertools
import random
from datetime import UTC, datetime

import pytest

from stockverify.demo.pace import SECONDS_EACH, SECONDS_IN_HASTE, Watch


@pytest.mark.parametrize(("in_haste", "bounds"), [(False, SECONDS_EACH), (True, SECONDS_IN_HASTE)])
def test_the_lines_of_a_rack_lie_as_far_apart_as_people_need(in_haste: bool, bounds: tuple[float, float]) -> None:
    watch = Watch(random.Random(1))
    watch.start(20, in_haste)
    moments = []
    for _ in range(20):
        watch.counted()
        moments.append(watch.now())
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(moments)]
    assert bounds[0] <= min(gaps)
    assert max(gaps) < bounds[1] + 0.5
    assert 0 <= (datetime.now(UTC) - moments[-1]).total_seconds() < 1, "a rack is done when it is"


def test_who_counts_more_than_was_expected_does_so_now() -> None:
    watch = Watch(random.Random(1))
    watch.counted()
    shown = watch.now()
    assert 0 <= (datetime.now(UTC) - shown).total_seconds() < 1
