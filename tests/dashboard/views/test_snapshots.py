"""Snapshots in words and tables."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from analytics.profile import Common, Profile
from dashboard.views import snapshots as views
from stockverify.datasets import Type
from stockverify.wire.reports import QuerySpec, Snapshot, SnapshotSummary

BERLIN = ZoneInfo("Europe/Berlin")


def snapshot(name: str, kind: str = "custom", tags: tuple[str, ...] = ()) -> Snapshot:
    return Snapshot(
        snapshot_id=f"id-{name}",
        name=name,
        description="of the night shift",
        snapshot_type=kind,
        query_spec=QuerySpec(collection="positions"),
        summary=SnapshotSummary(as_of=0.0, freeze_id="f"),
        row_count=1,
        execution_time_ms=0.0,
        created_by="ann",
        created_at=0.0,
        tags=list(tags),
        freeze_id="f",
    )


ALL = [snapshot("Racks", tags=("a", "b")), snapshot("Lines", tags=("b",)), snapshot("Stock", "stock")]


@pytest.mark.parametrize(
    ("text", "kind", "tags", "found"),
    [
        ("", None, (), ["Racks", "Lines", "Stock"]),
        ("NIGHT racks", None, (), ["Racks"]),
        ("night nothing", None, (), []),
        ("id-lines", None, (), ["Lines"]),
        ("", views.DATA, (), ["Stock"]),
        ("", views.REPORT, ("a",), ["Racks"]),
        ("", None, ("a", "b"), ["Racks", "Lines"]),
        ("ann", views.DATA, ("b",), []),
    ],
)
def test_they_are_found_by_words_kind_and_tags(
    text: str, kind: str | None, tags: tuple[str, ...], found: list[str]
) -> None:
    assert [each.name for each in views.matching(ALL, text, kind, tags)] == found
    assert views.tags_of(ALL) == ["a", "b"]


def test_a_profile_of_any_type_is_texts() -> None:
    at = datetime(2026, 1, 5, 8, tzinfo=UTC)
    found = views.profile(
        [
            Profile("counted_at", Type.INSTANT, 4, 1, 3, False, at, at, None, (Common(at, 1),)),
            Profile("book_qty", Type.FLOAT, 4_000_000, 0, 1_234_567, True, 0.0, 12.5, 3.25, ()),
            Profile("bin", Type.STRING, 0, 0, 0, False, None, None, None, (Common("", 2), Common(True, 1))),
        ],
        BERLIN,
    )
    local = "5 Jan 2026, 09:00:00 CET"
    assert found.rows() == [
        ("Counted at", "instant", 4, 0.25, "3", local, local, "–", [f"{local} × 1"]),
        ("Book", "float", 4_000_000, 0.0, "about 1,234,567", "0", "12.5", "3.25", []),
        ("Bin", "string", 0, 0.0, "0", "–", "–", "–", ["(empty) × 2", "yes × 1"]),
    ]
