"""Each kind of anomaly by hand: what is flagged, in which words, and what is left alone."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics.anomalies import Options
from stockverify.vocabulary import AnomalyKind
from tests.analytics.anomalies.small import NOON, Row, found, position, record

SPREAD = [position(f"i{n:02}", 20, 20 + n % 5 - 2) for n in range(40)]
EVEN = [position(f"i{n:02}", 20, 20) for n in range(40)]


def whys(flags: list[Row]) -> list[str]:
    return [flag["why"] for flag in flags]


def test_an_outlier_says_why_against_what_and_where(tmp_path: Path) -> None:
    wild = position("00123", 20, 60, bin="B7")
    assert found(tmp_path, AnomalyKind.VARIANCE_OUTLIER, positions=[*SPREAD, wild]) == [
        {
            "flag_id": "a-23ed9c4e8e9008a81af8",
            "kind": "variance_outlier",
            "severity": 0.814675,
            "subject_type": "line",
            "subject": "00123 in R1 bin B7",
            "why": "Counted 60 where the book says 20: the variance 40 is 26.98 times the usual spread away from what "
            "is usual in Tools.",
            "baseline": "41 counted lines of Tools: median variance 0, spread 1.48 (median deviation)",
            "dataset": "positions",
            "proof": [["R1", "B7", "00123"]],
            "proof_rows": 1,
            "racks": ["R1"],
            "counters": ["ann"],
        }
    ]


@pytest.mark.parametrize(
    ("others", "variance", "scaled_by"),
    [
        (EVEN, 4.0, "mean deviation"),
        (EVEN, 3.0, None),
        ([*EVEN, *(position(f"v{n}", 20, 22) for n in range(5))], 30.0, "median deviation of the lines that deviate"),
        ([*EVEN, *(position(f"v{n}", 20, 22) for n in range(5))], 14.0, None),
        (EVEN[:28], 100.0, None),
        ([position(f"c{n}", 20, 20, category=f"C{n % 2}") for n in range(40)], 100.0, None),
    ],
    ids=["all-alike", "too-small", "some-differ", "as-usual", "few-lines", "few-lines-in-its-category"],
)
def test_what_is_usual_when_most_variances_are_zero(
    tmp_path: Path, others: list[Row], variance: float, scaled_by: str | None
) -> None:
    flags = found(tmp_path, AnomalyKind.VARIANCE_OUTLIER, positions=[*others, position("odd", 20, 20 + variance)])
    assert [scaled_by in flag["baseline"] for flag in flags if scaled_by] == [True] * len(flags)
    assert len(flags) == (scaled_by is not None)


def test_what_is_no_number_is_no_outlier_and_spoils_none(tmp_path: Path) -> None:
    broken = [position(f"n{n}", 20, float("nan")) for n in range(9)] + [position("inf", 20, float("inf"))]
    open_ = position("open", 20, 0, counted=False)
    flags = found(tmp_path, AnomalyKind.VARIANCE_OUTLIER, positions=[*SPREAD, *broken, open_, position("w", 20, 60)])
    assert [flag["subject"] for flag in flags] == ["w in R1"]


def heap(counter: str, round_: int, others: int, book: float = 33) -> list[Row]:
    rounded = [position(f"{counter}-r{n}", book, 30, counter) for n in range(round_)]
    return rounded + [position(f"{counter}-o{n}", book, 33, counter) for n in range(others)]


def test_round_quantities_of_one_counter(tmp_path: Path) -> None:
    rows = [*heap("ann", 30, 20), *heap("bob", 14, 36), *heap("eve", 20, 5)]
    [flag] = found(tmp_path, AnomalyKind.DIGIT_HEAPING, positions=rows)
    assert flag["why"] == (
        "30 of 50 quantities of 20 or more that ann counted end in 0 or 5: 60 % where 20 % are to be expected. "
        "They look estimated."
    )
    assert (flag["subject"], flag["proof_rows"], len(flag["proof"])) == ("ann", 30, 20)
    assert flag["proof"][0] == ["R1", "", "ann-r0"]


def test_packs_of_ten_and_small_quantities_are_no_guesses(tmp_path: Path) -> None:
    packs = heap("ann", 60, 0, book=30)
    small = [position(f"s{n}", 7, 5, "bob") for n in range(60)]
    broken = [position(f"b{n}", 33, 30.5, "eve") for n in range(60)]
    assert found(tmp_path, AnomalyKind.DIGIT_HEAPING, positions=[*packs, *small, *broken]) == []


def echo(counter: str, right: int, wrong: int, **fields: Any) -> list[Row]:
    exact = [position(f"{counter}-r{n}", 20 + n, 20 + n, counter, **fields) for n in range(right)]
    return exact + [position(f"{counter}-w{n}", 20, 18, counter, **fields) for n in range(wrong)]


def test_a_counter_who_always_finds_what_the_book_says(tmp_path: Path) -> None:
    rows = [*echo("ann", 75, 0), *echo("bob", 60, 20), *echo("eve", 50, 10)]
    [flag] = found(tmp_path, AnomalyKind.ALWAYS_BOOK, positions=rows)
    assert flag["why"] == (
        "ann reported exactly the book quantity on 75 of 75 lines; on comparable lines others find it on 78.57 %. "
        "Whoever counts blind finds variances too."
    )
    assert flag["baseline"] == (
        "78.57 % of comparable lines (same category, similar book quantity) equal the book when others count; 59 would"
    )
    assert (flag["proof"][0], flag["proof_rows"]) == (["R1", "", "ann-r74"], 75)


@pytest.mark.parametrize(
    "rows",
    [
        [*echo("ann", 75, 0), *echo("bob", 99, 1)],
        [*echo("ann", 25, 0), *echo("bob", 20, 60)],
        [*echo("ann", 75, 0)],
        [*echo("ann", 75, 0, category="Easy"), *echo("bob", 40, 0, category="Easy"), *echo("bob", 1, 40)],
    ],
    ids=["others-are-exact-too", "few-lines", "nobody-to-compare-with", "its-lines-are-easy"],
)
def test_an_exact_counter_is_not_always_odd(tmp_path: Path, rows: list[Row]) -> None:
    assert found(tmp_path, AnomalyKind.ALWAYS_BOOK, positions=rows) == []


def paced(seconds: float, number: int = 25, **fields: Any) -> list[Row]:
    times = (NOON + timedelta(seconds=seconds * n) for n in range(number))
    return [record(f"c-{n:02}", 3, created_at=time, **fields) for n, time in enumerate(times)]


def test_records_faster_than_anybody_counts(tmp_path: Path) -> None:
    [flag] = found(tmp_path, AnomalyKind.IMPOSSIBLE_SPEED, records=paced(0.5))
    assert (flag["subject_type"], flag["subject"], flag["dataset"]) == ("session", "s-1", "verification_records")
    assert flag["why"] == (
        "ann entered 20 records on R1 within 9.5 seconds by the device's own clock, one every 0.5 seconds. Nobody "
        "counts so fast."
    )
    assert (flag["severity"], flag["proof"], flag["proof_rows"]) == (0.75, [[f"c-{n:02}"] for n in range(20)], 20)


@pytest.mark.parametrize(
    "rows",
    [paced(2.0), paced(30.0, received_at=NOON), paced(0.0), paced(0.004), paced(0.5, number=19)],
    ids=["quick-hands", "sent-all-at-once", "stamped-alike", "stamped-by-a-program", "too-few"],
)
def test_what_may_look_fast_and_is_not(tmp_path: Path, rows: list[Row]) -> None:
    assert found(tmp_path, AnomalyKind.IMPOSSIBLE_SPEED, records=rows) == []


def before(item: str, book: float, verified: float) -> Row:
    return position(item, book, verified, counted_at=NOON - timedelta(days=30))


def test_a_change_that_the_book_does_not_explain(tmp_path: Path) -> None:
    now = [position("sold", 40, 40), position("gone", 100, 60), position("same", 5, 5, counted_at=NOON)]
    then = [before("sold", 100, 100), before("gone", 100, 100), position("same", 50, 90, counted_at=NOON)]
    [flag] = found(tmp_path, AnomalyKind.SUDDEN_CHANGE, positions=now, previous=then)
    assert flag["subject"] == "gone in R1"
    assert flag["why"] == (
        "Counted 60 now and 100 in the earlier snapshot, while the book moved by 0: -40 that nothing explains."
    )


def rounds(first: float, second: float, days: float = 0.1, **fields: Any) -> list[Row]:
    then = NOON - timedelta(days=days)
    return [
        record("c-1", first, item_code="a", received_at=then, **fields),
        record("c-2", second, item_code="a", round=2, **fields),
    ]


def test_rounds_that_contradict_each_other(tmp_path: Path) -> None:
    [flag] = found(tmp_path, AnomalyKind.SUDDEN_CHANGE, records=rounds(60, 20), positions=[position("a", 20, 20)])
    assert flag["why"] == "Counted 20 now and 60 in the round before: -40 that nothing explains."
    assert flag["proof"] == [["R1", "", "a"]]
    for unchanged in (rounds(24, 20), rounds(60, 20, days=8), rounds(60, 20, status="partial")):
        assert found(tmp_path, AnomalyKind.SUDDEN_CHANGE, records=unchanged) == []


def test_a_line_is_told_once_and_then_with_what_the_book_knows(tmp_path: Path) -> None:
    now, then = [position("a", 20, 20, round=2)], [before("a", 40, 60)]
    flags = found(tmp_path, AnomalyKind.SUDDEN_CHANGE, records=rounds(60, 20), positions=now, previous=then)
    assert whys(flags) == [
        "Counted 20 now and 60 in the earlier snapshot, while the book moved by -20: -20 that nothing explains."
    ]


def test_serial_numbers_that_are_repeated_or_made_up(tmp_path: Path) -> None:
    rows = [
        record("c-1", 2, serials=["A1B2", "K9X8"]),
        record("c-2", 2, serials=[" a1b2", "Q7W6"]),
        record("c-3", 2, serials=["1111", "M3N4"]),
        record("c-4", 2, serials=["5678", ""]),
        record("c-5", 2, serials=["K9X8", "L1Z0"], round=2, item_code="item of c-1"),
        record("c-6", 2, serials=["P5P5", "P5P5"]),
    ]
    flags = found(tmp_path, AnomalyKind.SERIAL_PATTERN, records=rows)
    assert {flag["subject"]: (flag["why"], flag["proof"]) for flag in flags} == {
        "A1B2": ("Serial number A1B2 is on 2 records at 2 places, 2 times in all.", [["c-1"], ["c-2"]]),
        "1111": ("Serial number 1111 is on 1 record at 1 place, 1 time in all. It looks made up.", [["c-3"]]),
        "5678": ("Serial number 5678 is on 1 record at 1 place, 1 time in all. It looks made up.", [["c-4"]]),
        "P5P5": ("Serial number P5P5 is on 1 record at 1 place, 2 times in all.", [["c-6"]]),
    }


def test_serial_numbers_in_a_row_unless_all_goods_come_so(tmp_path: Path) -> None:
    row = [f"SN{n:04}" for n in range(96, 103)]
    odd = record("c-0", 7, serials=row)
    mixed = [record(f"c-{n}", 6, "bob", [f"X{n}{chr(65 + k)}7{k}" for k in range(6)]) for n in range(1, 6)]
    flags = found(tmp_path, AnomalyKind.SERIAL_PATTERN, records=[odd, *mixed])
    assert whys(flags) == [
        "ann entered 7 serial numbers in a row, from SN0096 to SN0102, in one record of item of c-0."
    ]
    cartons = [record(f"b-{n}", 5, "bob", [f"Y{n}{k:03}" for k in range(5)]) for n in range(1, 3)]
    assert found(tmp_path, AnomalyKind.SERIAL_PATTERN, records=[odd, *cartons, *mixed]) == []


def test_another_number_of_serial_numbers_than_of_units(tmp_path: Path) -> None:
    odd = record("c-0", 9, serials=["Q1", "W2"])
    right = [record(f"c-{n}", 1, "bob", [f"E{n}R"]) for n in range(1, 5)]
    flags = found(tmp_path, AnomalyKind.SERIAL_PATTERN, records=[odd, *right])
    assert whys(flags) == ["ann entered 2 serial numbers for 9 units of item of c-0."]
    sampled = [record(f"b-{n}", 9, "eve", [f"T{n}Z"]) for n in range(2)]
    assert found(tmp_path, AnomalyKind.SERIAL_PATTERN, records=[odd, *right, *sampled]) == []


HOSTILE = "'; DROP TABLE positions; --\n{0} $counters \u202e"


@pytest.mark.parametrize("kind", AnomalyKind)
def test_names_are_only_text(tmp_path: Path, kind: AnomalyKind) -> None:
    positions = [*echo(HOSTILE, 75, 0, category=HOSTILE), *echo("b", 60, 20, category=HOSTILE)]
    positions += heap(HOSTILE * 2, 90, 5)
    positions.append(position(HOSTILE, 20, 900, category=HOSTILE))
    records = [*paced(0.5, username=HOSTILE, session_id=HOSTILE), *rounds(90, 3), record("s", 1, serials=[HOSTILE] * 2)]
    flags = found(tmp_path, kind, positions=positions, records=records)
    assert flags
    assert all(None not in (flag["why"], flag["subject"], flag["baseline"]) for flag in flags)
    if kind is not AnomalyKind.SUDDEN_CHANGE:
        assert any(HOSTILE in flag["subject"] or HOSTILE.upper() in flag["subject"] for flag in flags)


@pytest.mark.parametrize("kind", AnomalyKind)
def test_nothing_counted_has_nothing_odd(tmp_path: Path, kind: AnomalyKind) -> None:
    assert found(tmp_path, kind) == []
    assert found(tmp_path, kind, previous=[]) == []


def test_options_draw_the_line(tmp_path: Path) -> None:
    loose, strict = Options(outlier_score=30), Options(outlier_score=2, outlier_units=1)
    rows = [*SPREAD, position("wild", 20, 60), position("near", 20, 24)]
    kind = AnomalyKind.VARIANCE_OUTLIER
    assert [len(found(tmp_path, kind, options, positions=rows)) for options in (loose, Options(), strict)] == [0, 1, 2]
