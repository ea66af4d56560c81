"""Precision and recall of each kind of anomaly over ten stores; the table of docs/anomalies.md. They are no times, and
come out the same on every machine."""

from pathlib import Path

import pytest

from analytics.anomalies import Options
from analytics.anomalies.find import detected
from stockverify.vocabulary import AnomalyKind
from tests.analytics.anomalies.planted import Score, planted, scores, write

pytestmark = pytest.mark.bench
SEEDS = range(10)


def test_precision_and_recall(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    totals = dict.fromkeys(AnomalyKind, Score(0, 0, 0))
    for seed in SEEDS:
        store = planted(seed)
        _, flags = detected(write(store, tmp_path), list(AnomalyKind), Options())
        for kind, score in scores(flags, store.truth).items():
            totals[kind] += score
    with capsys.disabled():
        print("\n| Kind | Planted | Flagged | Of these planted | Precision | Recall |\n|---|---|---|---|---|---|")
        for kind, score in totals.items():
            shown = (*score, f"{score.precision:.2f}", f"{score.recall:.2f}")
            print(f"| `{kind}` | " + " | ".join(str(each) for each in shown) + " |")
