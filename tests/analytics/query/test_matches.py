from hypothesis import given
from hypothesis import strategies as st

from analytics.query.matches import beginning

TEXTS = st.text(st.sampled_from("ab\x00\x01\x7f\x80\ud7ff\ue000\ue001\uffff\U00010000\U0010fffe\U0010ffff"), max_size=4)


@given(text=TEXTS, prefix=TEXTS)
def test_the_range_holds_exactly_the_texts_that_begin_so(text: str, prefix: str) -> None:
    wanted = beginning(prefix)
    high = wanted.get("$lt")
    assert (wanted["$gte"] <= text and (high is None or text < high)) == text.startswith(prefix)
    assert (high or "").encode().decode() == (high or "")  # never half a surrogate
