"""A corpus of bad bodies: never a 5xx, always a reason that names what is wrong, and the good records are stored."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from stockverify.settings import Settings
from stockverify.wire.sync import SyncRecord
from tests.ingest.sender import BATCH, Sender, sender
from tests.service import Service, claim, running_service

__all__ = ["sender"]  # the fixture
FIELDS = [name for name in SyncRecord.__struct_fields__ if name != "client_record_id"]
MEGABYTE = "x" * 1_000_000
WRONG: list[Any] = [1, -1, 1.5, 1e300, "x", "", True, None, [], [1], [None], {}, {"$gt": ""}, {"a": {"b": []}}]


# ------------------------------------------------------------------------------------------------ whole bodies


def test_a_batch_that_is_cut_at_any_byte_is_refused_whole(sender: Sender) -> None:
    body = json.dumps(
        {"records": [sender.record("cut", item_code="é", serial_numbers=["s"])], "batch_id": "b"}
    ).encode()
    for length in range(len(body)):
        assert sender.refused(body[:length])
    assert sender.stored.verification_records.find_one({"_id": sender.record("cut")["client_record_id"]}) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n\t",
        b"null",
        b"true",
        b"7",
        b'"text"',
        b"[]",
        b"[1, 2]",
        b"{}",
        b'{"records": null}',
        b'{"records": {}}',
        b'{"records": "many"}',
        b'{"records": []}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe\x00\x01",
        b"\x00" * 100,
        b"[" * 100_000,
        b'{"records": ' + b"[" * 100_000,
        b'{"records": ' + b'{"a":' * 100_000,
        b"records=1&batch_id=2",
        b"<batch/>",
        b'{"records": [{}]} trailing',
        b'{"records": [{}],}',
        b"{'records': []}",
        b'{"records": NaN}',
        b'{"records": [undefined]}',
        b'{"records": [{"a": NaN},]}',
        b'{"records": [{"a": NaN, "b": "',
        b'{"records": [' + b"NaN," * 20_000 + b"0]}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_batch_is_400(sender: Sender, body: bytes) -> None:
    assert sender.refused(body)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_refused_or_understood_but_never_guessed(sender: Sender, encoding: str) -> None:
    body = json.dumps({"records": [sender.record("enc", item_code="Größe")]}, ensure_ascii=False).encode(encoding)
    reply = sender.post(body)
    if reply.status_code == 200:
        row = sender.stored.verification_records.find_one({"_id": sender.record("enc")["client_record_id"]})
        assert row is not None
        assert row["item_code"] == "Größe"


@pytest.mark.parametrize(
    "batch_id", ["{}", "[]", "true", "1.5", "1" * 400, "1e400", f'"{"x" * 129}"', f'"{MEGABYTE}"', '{"$gt": ""}']
)
def test_a_batch_id_of_a_wrong_type_is_named(sender: Sender, batch_id: str) -> None:
    body = '{"records": [' + json.dumps(sender.record("b")) + '], "batch_id": ' + batch_id + "}"
    reply = sender.post(body.encode())
    assert reply.status_code in (200, 400)
    if reply.status_code == 400:
        assert "batch_id" in reply.json()["detail"] or "number" in reply.json()["detail"].lower()


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense"],
)
def test_another_content_type_does_no_harm(sender: Sender, kind: str) -> None:
    body = json.dumps({"records": [sender.record(f"type-{len(kind)}")]}).encode()
    assert sender.post(body, **{"Content-Type": kind}).status_code in (200, 400, 415)


def test_a_body_in_pieces_without_a_length_is_read(sender: Sender) -> None:
    body = json.dumps({"records": [sender.record("pieces")]}).encode()

    def pieces() -> Iterator[bytes]:
        yield from (body[start : start + 7] for start in range(0, len(body), 7))

    headers = {"Content-Type": "application/json"}
    reply = sender.client.post(BATCH, content=pieces(), headers=headers)
    assert reply.json()["ok"] == [sender.record("pieces")["client_record_id"]]


@pytest.mark.parametrize(
    "path", ["/api/auth/refresh", "/api/auth/register", "/api/racks/BAD-x/claim", "/api/sessions/"]
)
def test_other_calls_refuse_the_worst_of_these_too(service: Service, path: str) -> None:
    bodies = [b"[" * 100_000, b"\xff\xfe", b'{"a": "\\ud800"}', b"null", b"[]", b'"x"', b"1" * 5000, b"{", b"\x00"]
    bodies += [b'{"username": ' + b"1" * 5000 + b"}", b'{"floor": {"$where": "1"}}', b'{"warehouse": "\\u0000"}']
    for body in bodies:
        reply = service.admin.post(path, content=body, headers={"Content-Type": "application/json"})
        assert reply.status_code < 500, (body[:40], reply.text)
        assert reply.status_code == 200 or reply.json()["detail"]


# ------------------------------------------------------------------------------------------------ single records


def test_every_field_of_a_wrong_type_costs_only_its_record_and_is_named(sender: Sender) -> None:
    bad = [
        sender.record(f"{field}-{place}", bin=f"{field}-{place}") | {field: value}
        for field in FIELDS
        for place, value in enumerate(WRONG)
    ]
    errors = sender.among_good(*bad)
    assert len(errors) > 8 * len(FIELDS)
    for error in errors:
        field = error["client_record_id"].removeprefix(f"{sender.grant['rack_id']}-").rsplit("-", 1)[0]
        named = field in error["message"] or (field, "finalized") == ("verified_qty", error["message"].split()[8])
        assert named, error
        assert error["error_type"] == "invalid_record"


def test_missing_fields_are_named(sender: Sender) -> None:
    required = ("client_record_id", "session_id", "item_code", "verified_qty", "created_at", "updated_at")
    bad = [{key: value for key, value in sender.record(f"no-{name}").items() if key != name} for name in required]
    errors = sender.among_good(*bad)
    assert [name in error["message"] for name, error in zip(required, errors, strict=True)] == [True] * 6


@pytest.mark.parametrize("field", ["verified_qty", "damage_qty", "mrp", "revision"])
@pytest.mark.parametrize(
    "number", ["1e308", "-1e308", "1e400", "1" + "0" * 400, "-0.0", "1e-400", "5e-324", "9007199254740993", "3.0"]
)
def test_numbers_at_the_edge_are_kept_exactly_or_refused(sender: Sender, field: str, number: str) -> None:
    raw = json.dumps(sender.record("edge") | {field: "@"}).replace('"@"', number)
    errors = sender.among_good(raw)
    row = sender.stored.verification_records.find_one({"_id": sender.record("edge")["client_record_id"]})
    if errors:
        assert field in errors[0]["message"] or "number" in errors[0]["message"].lower()
    elif row is not None:  # else it is a conflict: more damaged than counted
        assert float(row[field]) == float(number)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "[NaN]"])
@pytest.mark.parametrize("field", ["verified_qty", "mrp", "revision", "uom", "serial_numbers", "client_record_id"])
def test_numbers_that_are_none_cost_only_their_record(sender: Sender, field: str, number: str) -> None:
    bad = [json.dumps(sender.record("nan") | {field: "@"}).replace('"@"', number)]
    bad += [json.dumps(sender.record("nan-2", bin='"NaN, \\') | {field: "@"}).replace('"@"', number), number]
    errors = sender.among_good(*bad)
    assert [field in error["message"] for error in errors[:2]] == [True, True]
    assert len(errors) == 3
    if number in ("NaN", "-Infinity"):
        assert "got NaN or an infinity" in errors[0]["message"]
        operation = {"id": "o-1", "type": "count_line", "data": {"session_id": "s", "item_code": "i", field: "@"}}
        operation["timestamp"] = "2026-01-05T08:00:00Z"
        body = json.dumps({"operations": [operation]}).replace('"@"', number)
        (error,) = sender.post(body.encode()).json()["errors"] or [None]
        assert field == "client_record_id" or field in error["message"]


def test_no_number_in_a_field_that_nobody_reads_does_no_harm(sender: Sender) -> None:
    raw = json.dumps(sender.record("extra") | {"retry_count": "@"}).replace('"@"', "NaN")
    for _ in range(2):  # the second time it is answered from its receipt
        assert sender.post(f'{{"records": [{raw}]}}'.encode()).json()["ok"] == [f"{sender.grant['rack_id']}-extra"]


@pytest.mark.parametrize("number", ["nan", "+1", "01", ".5", "5.", "0x10", "1_000", "+Infinity", "NaN0"])
def test_numbers_that_are_not_json_store_nothing_of_their_record(sender: Sender, number: str) -> None:
    raw = json.dumps(sender.record("not-json") | {"verified_qty": "@"}).replace('"@"', number)
    sender.refused(f'{{"records": [{raw}]}}'.encode())
    assert sender.stored.verification_records.find_one({"_id": sender.record("not-json")["client_record_id"]}) is None


def test_huge_strings_are_refused_by_name(sender: Sender) -> None:
    texts = ("item_code", "session_id", "rack_id", "floor", "bin", "mfg_date", "uom", "category", "item_condition")
    errors = sender.among_good(*(sender.record(f"huge-{name}") | {name: MEGABYTE} for name in texts))
    assert [name in error["message"] for name, error in zip(texts, errors, strict=True)] == [True] * len(texts)
    (long_id,) = sender.among_good(sender.record("x") | {"client_record_id": MEGABYTE})
    assert len(long_id["client_record_id"]) <= 4096


@pytest.mark.parametrize(
    "text",
    ["\\ud800", "\\udfff\\ud800", "\\u0000", "a\\u0000b", "\\u202e", "\\ufeff", "\\ud83d\\ude00", "\\u001f", "\ud800"],
    ids=ascii,
)
@pytest.mark.parametrize("field", ["client_record_id", "item_code", "serial_numbers", "bin", "mfg_date"])
def test_odd_characters_are_kept_or_refused(sender: Sender, text: str, field: str) -> None:
    value = f'["{text}"]' if field == "serial_numbers" else f'"{text}-{sender.grant["rack_id"]}"'
    raw = json.dumps(sender.record("odd") | {field: "@"}).replace('"@"', value)
    errors = sender.among_good(raw, json.dumps(sender.record("key")).replace('"status"', f'"{text}"'))
    half = text in ("\\ud800", "\\udfff\\ud800", "\ud800")
    assert [field in error["message"] for error in errors] == [True] * half


@pytest.mark.parametrize(
    "name", ["$where", "a.b", "$", ".", "/", "../../etc", "__proto__", " ", "\t", "💥", "%00", "{}"]
)
def test_ids_that_look_like_operators_or_paths_are_data(sender: Sender, name: str) -> None:
    own = f"{name}{sender.grant['rack_id']}"
    raw = sender.record("op", serial_numbers=[own], bin=name) | {"client_record_id": own, "item_code": name}
    assert sender.among_good(raw | {"$where": "1", "a.b": 1, "$set": {"status": "x"}, "_id": "mine"}) == []
    row = sender.stored.verification_records.find_one({"_id": own})
    assert row is not None
    assert (row["item_code"], row["serial_numbers"]) == (name, [own])
    assert {"$where", "a.b", "$set"}.isdisjoint(row)
    sender.stored.item_serials.delete_one({"_id": own})


def test_deep_nesting_costs_only_its_record(sender: Sender) -> None:
    deep = "[" * 500 + "]" * 500
    raw = [json.dumps(sender.record(f"deep-{field}") | {field: "@"}).replace('"@"', deep) for field in ("bin", "extra")]
    errors = sender.among_good(*raw)
    assert [error["client_record_id"][-3:] for error in errors] == ["bin"]
    endless = json.dumps(sender.record("endless") | {"extra": "@"}).replace('"@"', "[" * 10**5 + "]" * 10**5)
    assert sender.post(f'{{"records": [{endless}]}}'.encode()).status_code in (200, 400)


def test_of_a_key_that_stands_twice_one_value_counts_and_the_record_is_answered_once(sender: Sender) -> None:
    raw = json.dumps(sender.record("twice"))
    assert sender.among_good(raw[:-1] + ', "verified_qty": 11}', raw.replace("twice", "again")) == []
    row = sender.stored.verification_records.find_one({"_id": sender.record("twice")["client_record_id"]})
    assert row is not None
    assert row["verified_qty"] in (10, 11)


def test_ten_thousand_serial_numbers(sender: Sender) -> None:
    rack = sender.grant["rack_id"]
    (error,) = sender.among_good(sender.record("10k", serial_numbers=[f"{rack}-{n}" for n in range(10_000)]))
    assert "serial_numbers" in error["message"]
    spread = [
        sender.record(f"spread-{part}", serial_numbers=[f"{rack}-{part}-{n}" for n in range(1000)])
        for part in range(10)
    ]
    assert sender.among_good(*spread) == []
    assert sender.stored.item_serials.count_documents({"rack_id": rack, "_id": {"$regex": f"^{rack}-"}}) == 10_000


@pytest.mark.faults
def test_the_largest_batch_there_may_be_is_stored_in_time(settings: Settings, mongo: Any) -> None:
    """A thousand full records with twenty thousand serial numbers, as it comes and once more, within the time that a
    request has: the service is the one that ships."""
    full = {"mfg_date": "2026-01", "mrp": 12.5, "uom": "piece", "category": "C" * 40, "subcategory": "S" * 40}
    full |= {"item_condition": "good", "evidence_photos": [f"photo-{n}.jpg" for n in range(3)], "bin": "B-1"}
    with running_service(settings) as service:
        person = service.person()
        sender = Sender(person, claim(person, "MAX"), mongo[settings.mongodb_database])
        serials = {n: [f"{n}-{m}" for m in range(20)] for n in range(1000)}
        records = [sender.record(f"max-{n}", serial_numbers=serials[n]) | full for n in serials]
        body = json.dumps({"records": records}).encode()
        for _ in range(2):
            reply = person.post(BATCH, content=body)
            assert reply.json()["ok"] == [each["client_record_id"] for each in records]
        assert sender.stored.item_serials.count_documents({}) == 20_000


@pytest.mark.parametrize(
    "instant",
    [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z",
        "2026-01-05T08:00:00+14:00",
        "2026-01-05T08:00:00-12:00",
        "2026-01-05T08:00:00+05:45",
        "2026-01-05T08:00:00+23:59",
        "2026-01-05T08:00:00+24:00",
        "2026-01-05T08:00:00.123456789Z",
        "2026-01-05t08:00:00z",
        "2026-01-05 08:00:00",
        "2026-01-05T24:00:00Z",
        "2026-06-30T23:59:60Z",
        "2026-02-30T08:00:00Z",
        "2026-13-05T08:00:00Z",
        "10000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "2026-01-05",
        "2026-W02-1T08:00:00Z",
        "now",
    ],
)
def test_odd_times_are_kept_or_refused_by_name(sender: Sender, instant: str) -> None:
    for field in ("created_at", "updated_at"):
        for error in sender.among_good(sender.record("when", bin="when") | {field: instant}):
            assert field in error["message"]
