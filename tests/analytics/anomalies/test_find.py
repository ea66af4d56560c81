"""Anomalies of whole snapshots."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from analytics.anomalies import Options, UnknownKind, find, frames
from analytics.anomalies.find import detected
from analytics.engine import QueryTooLong
from analytics.lake import Lake
from analytics.lake.store import SnapshotNotFound
from stockverify.vocabulary import AnomalyKind
from tests.analytics.anomalies import small
from tests.analytics.anomalies.small import files, position
from tests.analytics.conftest import Take
from tests.analytics.stock import NOW, item, record


def test_changes_are_those_since_the_snapshot_before(take: Take, lake: Lake) -> None:
    first = take(erp_items=[item("R1", "a", 50)], verification_records=[record("c-1", "R1", "a", 50)])
    again = record("c-2", "R1", "a", 5, round=2, received_at=NOW + timedelta(days=40))
    second = take(verification_records=[again])
    found = find(lake, second.snapshot_id, ["sudden_change"], first.snapshot_id)
    assert (found.freeze, found.previous, found.found) == (second, first, {"sudden_change": 1})
    assert found.flags["why"].to_list() == [
        "Counted 5 now and 50 in the earlier snapshot, while the book moved by 0: -45 that nothing explains."
    ]
    alone = find(lake, min(first.snapshot_id, second.snapshot_id), ["sudden_change"])
    assert (alone.previous, alone.found) == (None, {"sudden_change": 0})


def test_a_flag_keeps_its_id_while_its_numbers_change(take: Take, lake: Lake) -> None:
    items = [item("R1", f"i{number}", 20) for number in range(40)]
    records = [record(f"c-{number}", "R1", f"i{number}", 20 + 70 * (number == 7)) for number in range(40)]
    first = find(lake, take(erp_items=items, verification_records=records).snapshot_id)
    more = [record("c-more", "R1", "i7", 30), record("c-other", "R1", "i8", 99)]
    second = find(lake, take(verification_records=more).snapshot_id, [AnomalyKind.VARIANCE_OUTLIER])
    [flag] = first.flags.to_dicts()
    kept = {each["flag_id"]: each["why"] for each in second.flags.to_dicts()}
    assert (flag["flag_id"] in kept, len(kept)) == (True, 2)
    assert kept[flag["flag_id"]] != flag["why"]


def test_all_flags_are_counted_and_the_most_severe_are_shown(tmp_path: Path) -> None:
    lines = [position(f"i{number:03}", 20, 20) for number in range(300)]
    wild = [position(f"w{number}", 20, 100 + 50 * number) for number in range(4)]
    found, flags = detected(files(tmp_path, [*lines, *wild]), list(AnomalyKind), Options(shown=2))
    assert found == {**dict.fromkeys(AnomalyKind, 0), "variance_outlier": 4}
    assert flags["subject"].to_list() == ["w3 in R1", "w2 in R1"]
    assert flags["severity"].is_sorted(descending=True)


def test_unknown_kinds_and_snapshots_are_named(take: Take, lake: Lake) -> None:
    snapshot_id = take(erp_items=[item("R1", "a", 50)]).snapshot_id
    with pytest.raises(UnknownKind, match="no kind of anomaly 'theft'; use one of: variance_outlier, digit_heaping,"):
        find(lake, snapshot_id, ["theft"])
    with pytest.raises(SnapshotNotFound):
        find(lake, "20200101T000000000Z-00000000")
    assert find(lake, snapshot_id).flags.equals(pl.DataFrame(schema=find(lake, snapshot_id).flags.schema))


def test_a_flag_says_which_racks_and_counters_its_rows_lead_to(tmp_path: Path) -> None:
    lines = [position(f"i{number:03}", 20, 20) for number in range(40)]
    wild = [position("w", 20, 400, "zoë", rack_id="R9"), position("v", 20, 300, None, rack_id="R2")]
    used = (("c-1", "ann", "R2"), ("c-2", "ann", "R1"), ("c-3", None, "R2"))
    same = [small.record(name, 1, counter, ["777777"], rack_id=rack, user_id="u-9") for name, counter, rack in used]
    _, flags = detected(files(tmp_path, [*lines, *wild], same), list(AnomalyKind), Options())
    places = {flag["subject"]: (flag["racks"], flag["counters"]) for flag in flags.to_dicts()}
    assert places["w in R9"] == (["R9"], ["zoë"])
    assert places["v in R2"] == (["R2"], [])
    assert places["777777"] == (["R1", "R2"], ["ann", "u-9"])


def test_looking_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pl.DataFrame({"item_code": ["a"]}).write_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr(frames, "SECONDS", 0.3)
    endless = "x AS (SELECT a.i * b.i AS n FROM range(10000000) a(i), range(10000000) b(i), positions) SELECT * FROM x"
    with (
        pytest.raises(QueryTooLong, match=r"more than 0\.3 seconds"),
        frames.frames(frames.Files([tmp_path / "a.parquet"], []), Options()) as tables,
    ):
        tables.ask(f"{endless} WHERE n = -1")
