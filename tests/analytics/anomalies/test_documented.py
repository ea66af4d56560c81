"""docs/anomalies.md knows every kind and every option."""

import re
from pathlib import Path

import pytest

from analytics.anomalies.options import meanings
from stockverify.vocabulary import AnomalyKind

DOCUMENT = Path(__file__).parents[3] / "docs" / "anomalies.md"


@pytest.mark.parametrize("name", meanings())
def test_every_option_is_documented_with_its_default_and_meaning(name: str) -> None:
    default, meaning = meanings()[name]
    assert f"| `{name}` | {default:g} | {meaning} |" in DOCUMENT.read_text().splitlines()


def test_every_kind_is_explained_and_measured() -> None:
    text = DOCUMENT.read_text()
    assert re.findall(r"^## .*\(`(\w+)`\)$", text, re.MULTILINE) == list(AnomalyKind)
    assert [kind for kind in AnomalyKind if not re.search(rf"^\| `{kind}` \| \d+ \| \d+ ", text, re.MULTILINE)] == []
