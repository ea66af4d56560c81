"""Reading what the service measures."""

import math

import pytest

from dashboard.views.readings import operations, outcomes, quantile, queue_ages, rate, read, records_answered

TEXT = """\
# HELP stockverify_request_seconds Time
# TYPE stockverify_request_seconds histogram
stockverify_request_seconds_bucket{operation="sync.batch",method="POST",status="2xx",le="0.1"} 8.0
stockverify_request_seconds_bucket{operation="sync.batch",method="POST",status="2xx",le="0.5"} 10.0
stockverify_request_seconds_bucket{operation="sync.batch",method="POST",status="2xx",le="+Inf"} 10.0
stockverify_request_seconds_count{operation="sync.batch",method="POST",status="2xx"} 10.0
stockverify_request_seconds_bucket{operation="sync.batch",method="POST",status="5xx",le="0.1"} 0.0
stockverify_request_seconds_bucket{operation="sync.batch",method="POST",status="5xx",le="0.5"} 0.0
stockverify_request_seconds_bucket{operation="sync.batch",method="POST",status="5xx",le="+Inf"} 2.0
stockverify_request_seconds_count{operation="sync.batch",method="POST",status="5xx"} 2.0
# HELP stockverify_records_total Records
# TYPE stockverify_records_total counter
stockverify_records_total{outcome="ok"} 90.0
stockverify_records_total{outcome="rack_locked"} 10.0
# HELP stockverify_device_queue_age_seconds Age
# TYPE stockverify_device_queue_age_seconds histogram
stockverify_device_queue_age_seconds_bucket{le="60.0"} 4.0
stockverify_device_queue_age_seconds_bucket{le="3600.0"} 4.0
stockverify_device_queue_age_seconds_bucket{le="86400.0"} 5.0
stockverify_device_queue_age_seconds_bucket{le="+Inf"} 7.0
"""


def test_operations_are_added_up_over_methods_and_statuses() -> None:
    (row,) = operations(read(TEXT)).rows(named=True)
    assert (row["operation"], row["requests"], row["failed"]) == ("sync.batch", 12, 2)
    assert row["median_ms"] == pytest.approx(75.0)
    assert row["p95_ms"] == pytest.approx(500.0)


def test_records_by_outcome_and_in_all() -> None:
    found = read(TEXT)
    assert outcomes(found).rows() == [("ok", 90), ("rack locked", 10)]
    assert records_answered(found) == 100


def test_ages_of_queues_are_spans_and_only_those_that_occurred() -> None:
    assert queue_ages(read(TEXT)).rows() == [("up to 1 minute", 4), ("1 hour to 1 day", 1), ("over 1 day", 2)]


def test_a_series_that_is_not_there_is_not_zero() -> None:
    empty = read("")
    assert empty.total("stockverify_live_devices") is None
    assert (operations(empty).height, outcomes(empty).height, queue_ages(empty).height) == (0, 0, 0)


@pytest.mark.parametrize(
    ("buckets", "share", "value"),
    [
        ({}, 0.5, None),
        ({1.0: 0.0, math.inf: 0.0}, 0.5, None),
        ({1.0: 10.0, math.inf: 10.0}, 0.5, 0.5),
        ({1.0: 0.0, 2.0: 4.0, math.inf: 4.0}, 0.5, 1.5),
        ({1.0: 0.0, math.inf: 4.0}, 0.5, 1.0),
    ],
)
def test_a_quantile_is_read_off_the_buckets(buckets: dict[float, float], share: float, value: float | None) -> None:
    assert quantile(buckets, share) == value


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (None, (10.0, 5.0), None),
        ((0.0, 5.0), (10.0, 25.0), 2.0),
        ((0.0, 5.0), (10.0, 5.0), 0.0),
        ((0.0, 50.0), (10.0, 5.0), None),
        ((10.0, 5.0), (10.0, 9.0), None),
    ],
)
def test_a_rate_needs_two_looks_at_one_counter(
    before: tuple[float, float] | None, now: tuple[float, float], found: float | None
) -> None:
    assert rate(before, now) == found
