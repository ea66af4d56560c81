"""Anomalies planted among believable noise are found, and little else is; docs/anomalies.md has the measured table."""

from pathlib import Path

import pytest

from analytics.anomalies import Options
from analytics.anomalies.find import detected
from stockverify.vocabulary import AnomalyKind
from tests.analytics.anomalies.planted import Score, planted, scores, write

LEAST = {
    AnomalyKind.VARIANCE_OUTLIER: (0.6, 0.55),
    AnomalyKind.DIGIT_HEAPING: (1.0, 1.0),
    AnomalyKind.ALWAYS_BOOK: (1.0, 1.0),
    AnomalyKind.IMPOSSIBLE_SPEED: (0.9, 0.9),
    AnomalyKind.SUDDEN_CHANGE: (0.9, 0.85),
    AnomalyKind.SERIAL_PATTERN: (0.8, 0.95),
}
"""The least precision and recall of each kind over the two stores below; ten stores give the table of the document."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[AnomalyKind, Score]:
    totals = dict.fromkeys(AnomalyKind, Score(0, 0, 0))
    for seed in (101, 102):
        store, folder = planted(seed), tmp_path_factory.mktemp(f"store-{seed}")
        _, flags = detected(write(store, Path(folder)), list(AnomalyKind), Options())
        for kind, score in scores(flags, store.truth).items():
            totals[kind] += score
    return totals


@pytest.mark.parametrize("kind", AnomalyKind)
def test_planted_anomalies_are_found(measured: dict[AnomalyKind, Score], kind: AnomalyKind) -> None:
    precision, recall = LEAST[kind]
    assert measured[kind].planted > 0
    assert measured[kind].precision >= precision, measured[kind]
    assert measured[kind].recall >= recall, measured[kind]
