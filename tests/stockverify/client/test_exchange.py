"""What a status, a header and a body mean."""

import gzip
from collections.abc import Mapping

import pytest

from stockverify.client.exchange import checked_address, encoded, problem
from stockverify.client.problems import BadAddress
from tests.stockverify.client.scripted import PROBLEM

HTML = {"Content-Type": "text/html"}
DETAIL = b'{"detail": "Because."}'


@pytest.mark.parametrize(
    ("status", "headers", "text", "expected"),
    [
        (200, {}, b"", None),
        (201, {}, b"", None),
        (400, PROBLEM, DETAIL, "ServiceRefused: The service refused (400): Because."),
        (403, PROBLEM, DETAIL, "ServiceRefused: The service refused (403): Because."),
        (413, HTML, b"<html>", "ServiceRefused: The service refused (413): It gave no reason."),
        (401, HTML, b"", "LoginNeeded: You are logged out: the service does not know the login any more."),
        (429, PROBLEM, DETAIL, "ServerBusy: The service asks for a pause (429): Because."),
        (503, PROBLEM | {"Retry-After": "7"}, DETAIL, "ServerBusy: The service asks for a pause (503): Because."),
        (502, HTML, b"<html>", "ServerBusy: The service asks for a pause (502): It gave no reason."),
        (500, PROBLEM, DETAIL, "ServerFailed: The service failed (500): Because."),
        (
            302,
            HTML,
            b"<html>",
            "NotTheService: What answers at http://x is not StockVerify (it answered with status 302)",
        ),
        (
            400,
            HTML,
            b"<html>",
            "NotTheService: What answers at http://x is not StockVerify (it answered with status 400)",
        ),
        (404, PROBLEM, b"\xff[", "ServiceRefused: The service refused (404): It gave no reason."),
    ],
)
def test_what_a_status_means(status: int, headers: Mapping[str, str], text: bytes, expected: str | None) -> None:
    error = problem(status, headers, text, "http://x")
    shown = None if error is None else f"{type(error).__name__}: {error.message}"
    assert shown == expected or (expected and shown and shown.startswith(expected)), shown


def test_a_small_body_travels_plain_and_a_large_one_packed() -> None:
    large = b'{"records": [' + b"1," * 1000 + b"1]}"
    assert encoded({"a": 1}) == (b'{"a":1}', {"Content-Type": "application/json"})
    packed, headers = encoded(large)
    assert headers == {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert packed is not None
    assert len(packed) < len(large) / 10
    assert gzip.decompress(packed) == large


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://192.168.1.20:8000", "http://192.168.1.20:8000"),
        (" https://stock.example.com/ ", "https://stock.example.com"),
        ("https://example.com/stock/", "https://example.com/stock"),
    ],
)
def test_addresses(url: str, address: str) -> None:
    assert checked_address(url) == address


@pytest.mark.parametrize(
    "url", ["", "stock.example.com", "ftp://x", "http://", "http://x/?a=1", "http://x:99999999", "\x00"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(BadAddress):
        checked_address(url)
