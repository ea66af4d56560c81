"""Live rows as a frame: the same that MongoDB gave, after the way through JSON."""

from datetime import UTC, datetime

import msgspec
import polars as pl
from polars.testing import assert_frame_equal

from analytics.query import checked
from analytics.query.result import QueryResult
from dashboard.views.live_rows import frame
from stockverify.wire.reports import QuerySpec

NOON = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)


def sent(query, found: pl.DataFrame) -> pl.DataFrame:  # type: ignore[no-untyped-def]
    """The frame as the service would send it, and a page read it."""
    rows = QueryResult(query=query, frame=found, snapshot_id=None, as_of=NOON).rows()
    return frame(query, msgspec.json.decode(msgspec.json.encode(rows)))


def test_groups_by_two_keys_arrive_whole() -> None:
    spec = QuerySpec(
        collection="verification_records", group_by=["floor", "received_at"], aggregations={"created_at": "max"}
    )
    found = pl.DataFrame(
        {"floor": ["F0", None], "received_at": [NOON, None], "created_at_max": [None, NOON]},
        schema={name: pl.Datetime("ms", "UTC") if name != "floor" else pl.String for name in (
            "floor", "received_at", "created_at_max",
        )},
    )  # fmt: skip
    assert_frame_equal(sent(checked(spec), found), found)


def test_one_key_and_whole_numbers_arrive_as_they_were() -> None:
    spec = QuerySpec(collection="erp_items", group_by=["floor"], aggregations={"book_qty": ["sum", "count"]})
    found = pl.DataFrame({"floor": ["F0"], "book_qty_sum": [3.0], "book_qty_count": [2]})
    assert_frame_equal(sent(checked(spec), found), found)
