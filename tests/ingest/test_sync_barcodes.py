"""GS1 barcodes: what is read, what is left alone, and that nothing can break the reading."""

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sync.barcodes import FNC1, Gs1, of_record, parse
from tests.ingest.test_sync_rules import sent

GTIN = "07032069804988"
ALONE = Gs1(GTIN, None, None, None, None, {"01": GTIN})
WITH_LOT = ALONE._replace(lot="AB", elements={"01": GTIN, "10": "AB"})


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("7032069804988", ALONE),
        (GTIN, ALONE),
        ("96385074", Gs1("00000096385074", None, None, None, None, {"01": "00000096385074"})),
        ("012345678905", Gs1("00012345678905", None, None, None, None, {"01": "00012345678905"})),
        ("]E07032069804988", ALONE),
        (f"(01){GTIN}(10)AB", WITH_LOT),
        (f" (01) {GTIN} (10) AB ", WITH_LOT),
        (f"01{GTIN}10AB{FNC1}", WITH_LOT),
        (f"{FNC1}01{GTIN}10AB", WITH_LOT),
        (f"]C101{GTIN}10AB", WITH_LOT),
        (f"]d201{GTIN}10AB", WITH_LOT),
        (f"]Q301{GTIN}10AB", WITH_LOT),
        (f"https://id.gs1.org/01/{GTIN}/10/AB", WITH_LOT),
        (f"HTTP://shop.example/some/where/01/{GTIN}/10/AB?utm=x", WITH_LOT),
        (f"]Q3https://shop.example/01/{GTIN}/10/AB", WITH_LOT),
    ],
)
def test_what_is_read(text: str, read: Gs1) -> None:
    assert parse(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ITEM-1",
        "7032069804989",
        f"(01){GTIN[:-1]}9",
        "12345",
        f"01{GTIN}10AB",
        "]C01012345",
        "](",
        "(10)A(10)B",
        "(10)A(B",
        "(17)270230",
        "(99",
        "http://shop.example/about",
        "https://[::1/01/x",
        "٣" * 13,
        f"(01){GTIN}(10)Lö",
        f"{FNC1}",
        "1" * 512,
    ],
)
def test_what_is_left_alone(text: str) -> None:
    assert parse(text) is None


def test_years_of_two_digits_and_day_zero_are_read_as_gs1_says() -> None:
    read = parse("(17)280200(15)990131(21)S-1")
    assert read is not None
    assert (read.expiry, read.best_before) == (date(2028, 2, 29), date(1999, 1, 31)), "49 years back, 50 ahead"
    assert read.document() == {
        "gtin": None,
        "lot": None,
        "expiry": "2028-02-29",
        "best_before": "1999-01-31",
        "serial": "S-1",
        "elements": {"17": "280200", "15": "990131", "21": "S-1"},
    }


def test_an_item_code_is_a_barcode_only_when_that_is_evident() -> None:
    assert of_record(sent(item_code=f"(01){GTIN}").record) == ALONE
    assert of_record(sent(item_code=f"https://x.example/01/{GTIN}").record) == ALONE
    assert of_record(sent(item_code=GTIN).record) is None
    assert of_record(sent(item_code=f"(01){GTIN}", barcode="something else").record) is None


hostile = st.one_of(
    st.text(max_size=512),
    st.text(alphabet="()[]01721/.:?&=%]CdQ3 \x1dhtps", max_size=512),
    st.builds(lambda start, rest: start + rest, st.sampled_from(["(", "]C1", "]Q3http", "https://x/01/"]), st.text()),
)


@given(hostile)
def test_no_text_breaks_the_reading(text: str) -> None:
    read = parse(text)
    assert read is None or read.elements


@pytest.mark.parametrize(
    "text", ["(" * 512, "(1)" * 170, "10" * 255 + FNC1, "(10)" * 128, FNC1 * 512, "https://" + "/01" * 168]
)
def test_the_longest_texts_take_no_time(text: str) -> None:
    started = time.thread_time()
    parse.__wrapped__(text)
    assert time.thread_time() - started < 0.1
