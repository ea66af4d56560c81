"""What the service measures about itself, read from the text that it gives to Prometheus."""

import math
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import polars as pl
from prometheus_client.parser import text_string_to_metric_families

_REQUESTS, _RECORDS = "stockverify_request_seconds", "stockverify_records_total"
_AGES = "stockverify_device_queue_age_seconds"
_OPERATIONS: dict[str, Any] = {
    "operation": pl.String,
    "requests": pl.Int64,
    "failed": pl.Int64,
    "median_ms": pl.Float64,
    "p95_ms": pl.Float64,
}
_SPANS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


class Sample(NamedTuple):
    """One number with its labels."""

    labels: Mapping[str, str]
    value: float


class Readings(NamedTuple):
    """All numbers by the names of their series."""

    samples: Mapping[str, list[Sample]]

    def total(self, name: str) -> float | None:
        """The sum over all labels; None when there is no such series."""
        found = self.samples.get(name)
        return None if found is None else sum(sample.value for sample in found)


def read(text: str) -> Readings:
    """Raises ValueError when the text is none of Prometheus."""
    samples: dict[str, list[Sample]] = defaultdict(list)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples[sample.name].append(Sample(sample.labels, sample.value))
    return Readings(samples)


def operations(readings: Readings) -> pl.DataFrame:
    """Requests since the service began, by operation, most first; times are read off the buckets of a histogram."""
    buckets: dict[str, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    failed: dict[str, float] = defaultdict(float)
    for labels, value in readings.samples.get(f"{_REQUESTS}_bucket", ()):
        buckets[labels["operation"]][float(labels["le"])] += value
    for labels, value in readings.samples.get(f"{_REQUESTS}_count", ()):
        failed[labels["operation"]] += value if labels["status"] == "5xx" else 0
    rows = [
        {
            "operation": name,
            "requests": int(found[math.inf]),
            "failed": int(failed[name]),
            "median_ms": _milliseconds(quantile(found, 0.5)),
            "p95_ms": _milliseconds(quantile(found, 0.95)),
        }
        for name, found in buckets.items()
    ]
    return pl.DataFrame(rows, schema=_OPERATIONS).sort("requests", "operation", descending=[True, False])


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """The value that so large a share stays below, taken as even within its bucket, as Prometheus does; beyond the last
    bound it is that bound."""
    bounds = sorted(buckets)
    if not bounds or not buckets[bounds[-1]]:
        return None
    rank, lower, before = share * buckets[bounds[-1]], 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= rank:
            inside = buckets[bound] - before
            return lower if math.isinf(bound) or not inside else lower + (bound - lower) * (rank - before) / inside
        lower, before = bound, buckets[bound]
    return lower


def outcomes(readings: Readings) -> pl.DataFrame:
    """Records answered since the service began, by outcome, most first."""
    rows = [(labels["outcome"].replace("_", " "), int(value)) for labels, value in readings.samples.get(_RECORDS, ())]
    found = pl.DataFrame(rows, schema={"outcome": pl.String, "records": pl.Int64}, orient="row")
    return found.sort("records", "outcome", descending=[True, False])


def queue_ages(readings: Readings) -> pl.DataFrame:
    """How old the oldest unsent record was, whenever a device said so: a row for each span that occurred."""
    totals: dict[float, float] = defaultdict(float)
    for labels, value in readings.samples.get(f"{_AGES}_bucket", ()):
        totals[float(labels["le"])] += value
    steps = [(0.0, 0.0), *sorted(totals.items())]
    rows = [(_span(low, high), int(above - below)) for (low, below), (high, above) in pairwise(steps) if above > below]
    return pl.DataFrame(rows, schema={"age": pl.String, "reports": pl.Int64}, orient="row")


def records_answered(readings: Readings) -> float:
    """Records answered since the service began, replays too."""
    return readings.total(_RECORDS) or 0.0


def rate(before: tuple[float, float] | None, now: tuple[float, float]) -> float | None:
    """By how much a counter rose in a second, from two looks of (seconds, count). None without an earlier look, and
    when the counter began anew in between."""
    if before is None or now[0] <= before[0] or now[1] < before[1]:
        return None
    return (now[1] - before[1]) / (now[0] - before[0])


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _span(low: float, high: float) -> str:
    return (
        f"over {_words(low)}"
        if math.isinf(high)
        else f"{_words(low)} to {_words(high)}"
        if low
        else (f"up to {_words(high)}")
    )


def _words(seconds: float) -> str:
    unit, name = next((each for each in _SPANS if seconds >= each[0]), _SPANS[-1])
    number = seconds / unit
    return f"{number:g} {name}{'' if number == 1 else 's'}"
