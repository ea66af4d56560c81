"""How columns look."""

from zoneinfo import ZoneInfo

import pytest

from analytics.glance.words import heading
from dashboard.views.tables import DATASET_NAMES, column, figure_columns
from stockverify.datasets import DATASETS, Type

ZONE = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("name", "words"),
    [("rack_id", "Rack"), ("book_qty", "Book"), ("counted_at", "Counted at"), ("book_qty_before", "Book before")],
)
def test_headings(name: str, words: str) -> None:
    assert heading(name) == words


@pytest.mark.parametrize(
    ("name", "kind", "label", "shape"),
    [
        ("book_qty", Type.FLOAT, "Book (units)", "localized"),
        ("unit_cost", Type.FLOAT, "Unit cost (EUR)", "%,.2f"),
        ("unit_cost_count", Type.INTEGER, "Unit cost count", "%,d"),
        ("variance_value_delta", Type.FLOAT, "Variance value delta (EUR)", "%,.2f"),
        ("round", Type.INTEGER, "Round", "%,d"),
        ("counted_at", Type.INSTANT, "Counted at (Europe/Berlin)", "D MMM YYYY, HH:mm:ss"),
    ],
)
def test_numbers_and_times_name_their_unit_or_zone(name: str, kind: Type, label: str, shape: str) -> None:
    config = column(name, kind, ZONE, "EUR")
    assert (config["label"], config["type_config"]["format"]) == (label, shape)  # type: ignore[index,typeddict-item]
    assert column(name, kind, ZONE)["label"] == label.removesuffix(" (EUR)"), "nothing without a currency"


def test_identifiers_are_text() -> None:
    assert column("item_code", Type.STRING, ZONE)["type_config"]["type"] == "text"  # type: ignore[index,typeddict-item]


def test_every_figure_and_dataset_has_a_look_and_a_name() -> None:
    assert {"progress", "net_variance_value", "rack_id"} <= set(figure_columns())
    assert figure_columns("EUR")["net_variance_value"]["label"] == "Net variance value (EUR)"
    assert set(DATASET_NAMES) == set(DATASETS)
