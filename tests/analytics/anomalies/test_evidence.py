"""The rows that prove a flag, from the snapshot that has it."""

import pytest

from analytics.anomalies import evidence, find
from analytics.lake import Lake
from analytics.lake.store import SnapshotNotFound
from stockverify.datasets import POSITIONS, RECORDS
from tests.analytics.conftest import Take
from tests.analytics.stock import item, record


def test_rows_come_in_the_order_of_their_keys_with_all_columns(take: Take, lake: Lake) -> None:
    items = [item("R1", f"i{number}", 20, bin="B'1") for number in range(40)]
    records = [record(f"c-{number}", "R1", f"i{number}", 20 + 70 * (number == 7), bin="B'1") for number in range(40)]
    snapshot_id = take(erp_items=items, verification_records=records).snapshot_id
    [flag] = find(lake, snapshot_id).flags.to_dicts()
    rows = evidence(lake, snapshot_id, flag["dataset"], flag["proof"])
    assert rows.columns == list(POSITIONS.names)
    assert rows.select("rack_id", "bin", "item_code", "verified_qty").rows() == [("R1", "B'1", "i7", 90.0)]
    asked = [["c-9"], ["c-nowhere"], ["c-3"], ["' OR 1=1 --"]]
    assert evidence(lake, snapshot_id, RECORDS.name, asked)["client_record_id"].to_list() == ["c-9", "c-3"]
    assert evidence(lake, snapshot_id, RECORDS.name, []).is_empty()


def test_a_snapshot_that_is_gone_is_named(lake: Lake) -> None:
    with pytest.raises(SnapshotNotFound):
        evidence(lake, "20200101T000000000Z-00000000", RECORDS.name, [["c-1"]])
