"""Numbers as ERPs print them: which mark is the decimal one is decided per column from what its numbers prove.

`1.234,50` and `12,5` prove a decimal comma, `1,234.50`, `0.125` and `1,234,567` a decimal point, `1.234` nothing.
A column without proof follows the other columns of the file; without any proof the person is asked.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import polars as pl

from stockverify.errors import BadInput

MARKS = {".": "point", ",": "comma"}

_GAP = "[ '’\u00a0\u202f]"
_GROUPED = r"[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}"  # also 1,23,456 as written in India
_GROUPED_TWICE = r"[1-9]\d{0,2}(?:,\d{2,3})+,\d{3}"
_CLEARLY = 20


class UnclearNumbers(BadInput):
    """Numbers such as {example!r} in column {column} can be read in two ways, and nothing in the file tells which.
    Say what separates the decimals: --decimal . or --decimal ,"""


class UnknownMark(BadInput):
    """--decimal {given!r}: what separates the decimals is either . or ,"""


class MixedNumbers(BadInput):
    """Column {column} has {points:,} numbers with a decimal point and {commas:,} with a decimal comma.
    Say which is right with --decimal . or --decimal , (the others are then rejected one by one)."""


class Evidence(NamedTuple):
    """How many numbers of a column prove a decimal point, a decimal comma, or could be either; one of the latter."""

    points: int
    commas: int
    unclear: int
    example: str | None


class Mark(msgspec.Struct, frozen=True):
    """The decimal mark of a column, and what it was decided by."""

    decimal: str
    because: str


def evidence(texts: pl.Series) -> Evidence:
    """What the numbers of one column prove."""
    spaced = texts.str.strip_chars(" +-\u2212")
    plain = spaced.str.replace_all(_GAP, "")
    unclear = texts.filter(plain.str.contains(r"^[1-9]\d{0,2}[.,]\d{3}$") & ~_gap_proves(spaced, "."))
    unclear = unclear.filter(~_gap_proves(unclear, ","))
    return Evidence(
        points=int(_proves(spaced, plain, ".").sum()),
        commas=int(_proves(spaced, plain, ",").sum()),
        unclear=len(unclear),
        example=unclear[0] if len(unclear) else None,
    )


def _proves(spaced: pl.Series, plain: pl.Series, mark: str) -> pl.Series:
    """Whether `mark` can only be the decimal mark of these numbers."""
    ways = rf"{_GROUPED}\.\d+|{_GROUPED_TWICE}|(?:0\d*|\d{{4,}})?\.\d+|\d+\.(?:\d{{1,2}}|\d{{4,}})"
    return (_as_point(plain, mark).str.contains(f"^(?:{ways})$") | _gap_proves(spaced, mark)).fill_null(value=False)


def _as_point(texts: pl.Series, mark: str) -> pl.Series:
    """The texts as they would be written with a decimal point: the patterns know only that."""
    return texts if mark == "." else texts.str.replace_many({".": ",", ",": "."})


def _gap_proves(spaced: pl.Series, mark: str) -> pl.Series:
    """In `1 234,567` the space is the thousands mark, so that the comma is the decimal one."""
    return spaced.str.contains(rf"^\d{{1,3}}(?:{_GAP}\d{{3}})+[{mark}]\d+$").fill_null(value=False)


def settle(seen: Mapping[str, Evidence], given: str | None) -> dict[str, Mark]:
    """The mark of each column. Raises UnclearNumbers or MixedNumbers when the file does not tell."""
    if given is not None and given not in MARKS:
        raise UnknownMark(given=given)
    if given:
        return {column: Mark(given, "as given") for column in seen}
    own = {column: mark for column, proof in seen.items() if (mark := _own(column, proof))}
    return {column: own.get(column) or _borrowed(column, proof, own) for column, proof in seen.items()}


def _own(column: str, proof: Evidence) -> Mark | None:
    more, fewer = max(proof.points, proof.commas), min(proof.points, proof.commas)
    if not more:
        return None
    if fewer * _CLEARLY > more:
        raise MixedNumbers(column=column, points=proof.points, commas=proof.commas)
    return Mark("." if proof.points == more else ",", f"{more:,} of its own numbers")


def _borrowed(column: str, proof: Evidence, own: Mapping[str, Mark]) -> Mark:
    others = {mark.decimal for mark in own.values()}
    if not proof.unclear:
        return Mark(others.pop() if len(others) == 1 else ".", "it does not matter here")
    if len(others) != 1:
        raise UnclearNumbers(column=column, example=proof.example)
    return Mark(others.pop(), f"the numbers in {', '.join(own)}")


def parse(texts: pl.Series, mark: str) -> pl.Series:
    """The numbers of a column of texts; null for what is none. `5-` is minus five."""
    whole = rf"(?:\d+|[1-9]\d{{0,2}}(?:{_GAP}\d{{3}})+|{_GROUPED})"
    number = rf"^[+-]?(?:{whole}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{{1,3}})?-?$"
    tidy = _as_point(texts.str.strip_chars().str.replace_all("\u2212", "-"), mark)
    bare = tidy.str.replace_all(f"{_GAP}|,", "").str.replace(r"^(.*)-$", "-$1")
    return bare.set(~tidy.str.contains(number), None).cast(pl.Float64, strict=False)
