"""Mending changes NaN, infinities and halves of surrogate pairs, nothing else; hostile bodies gain nothing by it."""

import json
import math
import re
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.sync import mending

TEXTS = st.text(st.sampled_from('aN"\\/u\n-{}[]:,é💥\ud800\udfffInfinityNaN'), max_size=8)
HALVES = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
"""Halves of surrogate pairs as they would be in UTF-8."""
NUMBERS = st.sampled_from([0, -1.5, math.nan, math.inf, -math.inf])
VALUES = st.recursive(
    st.none() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def meant(value: Any) -> Any:
    """What a value becomes once mended; any half of a pair is like any other."""
    if isinstance(value, str):
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        return re.sub("[\ud800-\udfff]", "\ud800", whole)
    if isinstance(value, float) and not math.isfinite(value):
        return {"NaN": 0}
    if isinstance(value, list):
        return [meant(each) for each in value]
    return {meant(key): meant(each) for key, each in value.items()} if isinstance(value, dict) else value


@settings(max_examples=300, deadline=None)
@given(value=VALUES, compact=st.booleans(), plain=st.booleans())
def test_only_what_is_no_json_changes(value: Any, compact: bool, plain: bool) -> None:
    text = json.dumps(value, ensure_ascii=not plain, separators=(",", ":") if compact else None)
    body = text.encode("utf-8", "surrogatepass")
    mended = mending._mended(body)
    after = body if mended is None else mended
    assert meant(json.loads(after.decode("utf-8", "surrogatepass"))) == meant(value)
    msgspec.json.decode(HALVES.sub(b"?", after))  # nothing is left that a strict reader does not take


@pytest.mark.parametrize(
    ("head", "unit", "tail"),
    [
        (b"[NaN,", b'"",', b"0]"),
        (b'[NaN,"', b'\\"', b""),
        (b"NaN", b'"', b""),
        (b"NaN ", b"N", b""),
        (b"NaN ", b"-I", b""),
        (b"[", b"NaN,", b"0]"),
        (b'["', b"\\ud800", b'"]'),
        (b'["', b"\\ud800\\\\", b'"]'),
        (b'["\\ud800', b"\\ud83d\\ude00", b'"]'),
        (b"\\ud800", b"\\", b""),
    ],
)
def test_hostile_bodies_take_time_in_proportion(head: bytes, unit: bytes, tail: bytes) -> None:
    body = head + unit * (2**19 // len(unit)) + tail
    began = time.process_time()
    mended = mending._mended(body)
    assert time.process_time() - began < 2, (
        "half a megabyte; measured: 0.04 s, and minutes if each byte is looked at again"
    )
    assert mended is None or len(mended) < 2 * len(body)


def test_a_text_that_cannot_be_read_is_named_also_within_an_operation() -> None:
    half = b"\xed\xa0\x80"
    raw = msgspec.Raw(b'{"id": "1", "data": {"item_code": "i", "bin": "' + half + b'"}}')
    error = UnicodeDecodeError("utf-8", half, 0, 1, "why")
    assert mending.reason(error, raw) == "it is no Unicode text - at `$.data.bin`"
