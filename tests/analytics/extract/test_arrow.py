"""Every logical type goes through pymongoarrow and comes out as it went in; see the warning that arrow.py silences."""

from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from analytics.extract.arrow import WrongType, projection, table
from analytics.schema import arrow_schema
from stockverify.datasets import ITEMS, RECORDS
from tests.analytics.stock import item, record

OPTIONS: "CodecOptions[Any]" = CodecOptions(tz_aware=True, tzinfo=UTC)
MOMENT = datetime(2026, 1, 31, 23, 59, 59, 999_000, UTC)


def converted(*documents: dict[str, Any]) -> list[dict[str, Any]]:
    found = table(RECORDS, b"".join(bson.encode(document) for document in documents), OPTIONS)
    assert found.schema == arrow_schema(RECORDS)
    return found.to_pylist()


def test_every_type_comes_through() -> None:
    sent = record(
        "00123",
        "R1",
        "😀 é 漢 \x00 \u2028",
        2.5,
        serial_numbers=["123456789012345678", "", "ü"],
        received_at=MOMENT,
        created_at=datetime(1, 1, 1, tzinfo=UTC),
        updated_at=datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC),
        unknown_item=True,
        round=Int64(3),
        mrp=-0.001,
    )
    [row] = converted(sent)
    expected = {name: sent.get(name) for name in RECORDS.names} | {"client_record_id": "00123"}
    assert row == expected


def test_null_and_missing_are_null() -> None:
    whole = record("a", None, "x", None, serial_numbers=None, received_at=None, unknown_item=None, round=None)
    bare, empty = converted({"_id": "b"}, whole | {"_id": "c"})
    assert bare == dict.fromkeys(RECORDS.names) | {"client_record_id": "b"}
    assert (empty["verified_qty"], empty["serial_numbers"], empty["round"]) == (None, None, None)


def test_numbers_in_a_float_field_keep_their_value_whatever_they_were_before() -> None:
    stored = [3, Int64(2**40), 2.5, -0.0, 1e300, None]
    rows = converted(*(record(str(number), "R", "i", stored[number]) for number in range(len(stored))))
    assert [row["verified_qty"] for row in rows] == [3.0, 2.0**40, 2.5, 0.0, 1e300, None]
    assert all(isinstance(row["verified_qty"], float) for row in rows[:-1])


def test_lists_of_several_rows_stay_apart() -> None:
    lists: list[Any] = [["a", "b"], [], None, ["c"]]
    rows = converted(*(record(str(number), "R", "i", 1, serial_numbers=found) for number, found in enumerate(lists)))
    assert [row["serial_numbers"] for row in rows] == lists


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verified_qty", "3"),
        ("verified_qty", Decimal128("1.5")),
        ("item_code", 123),
        ("received_at", "2026-01-31"),
        ("round", 2.5),
        ("unknown_item", 1),
        ("serial_numbers", [1]),
    ],
)
def test_a_value_of_another_type_is_an_error_that_names_its_document(field: str, value: Any) -> None:
    good, bad = record("good", "R", "i", 1), record("bad-17", "R", "i", 1) | {field: value}
    with pytest.raises(WrongType, match=r"verification_records holds a document .* _id 'bad-17'"):
        converted(good, bad)


def test_a_document_without_a_declared_id_is_named_too() -> None:
    wrong = item("R1", "i", 1) | {"_id": bson.ObjectId("0" * 24), "book_qty": "many"}
    with pytest.raises(WrongType, match=r"erp_items .* _id ObjectId"):
        table(ITEMS, bson.encode(wrong), OPTIONS)


def test_only_declared_fields_are_read() -> None:
    assert set(projection(RECORDS)) == {"_id", *RECORDS.names} - {"client_record_id"}
    assert "digest" not in projection(RECORDS)
