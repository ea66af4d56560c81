"""Which addresses mail can go to, and which it may."""

import pytest

from stockverify.addresses import BadAddress, DomainNotAllowed, allow, checked, domains, same


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" ann@shop.example ", "ann@shop.example"),
        ("Ann.B+stock@Shop.Example", "Ann.B+stock@shop.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@mailhost", "ann@mailhost"),
    ],
)
def test_addresses_that_work(text: str, expected: str) -> None:
    assert checked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@shop.example",
        "ann@",
        "ann@shop..example",
        "ann@-shop.example",
        "a b@shop.example",
        "zoë@shop.example",
        "ann@shop.example\r\nBcc: x@y.example",
        "ann@shop.example, bob@shop.example",
        "<ann@shop.example>",
        ".ann@shop.example",
        f"{'a' * 65}@shop.example",
        f"ann@{'a.' * 126}example",
        "ann@[127.0.0.1]",
    ],
)
def test_addresses_that_do_not(text: str) -> None:
    with pytest.raises(BadAddress):
        checked(text)


def test_domains_are_allowed_one_by_one() -> None:
    allowed = domains(" shop.example, @Second.Example ,,")
    assert allowed == ("shop.example", "second.example")
    allow("ann@SHOP.example", allowed)
    for other in ("ann@sub.shop.example", "ann@shop.example.evil", "ann@evil-shop.example"):
        with pytest.raises(DomainNotAllowed, match=r"MAIL_ALLOWED_DOMAINS allows: shop\.example, second\.example"):
            allow(other, allowed)
    allow("ann@anywhere.example", domains(None))


def test_capitals_do_not_make_another_person() -> None:
    assert same(" Ann@Shop.Example") == same("ann@shop.example")
