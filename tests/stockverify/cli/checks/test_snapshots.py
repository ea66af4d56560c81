"""What doctor tells of the lake."""

from pathlib import Path

from stockverify.cli.checks.snapshots import snapshots
from stockverify.settings import Settings
from tests.analytics.lake.frozen import ONE, TWO, freeze


def test_what_is_damaged_is_told_in_a_sentence_and_nothing_of_another_version_is_to_be_deleted(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    for snapshot_id in (ONE, TWO):
        freeze(settings.lake, snapshot_id)
    (settings.lake / "erp_items" / ONE / "manifest.json").unlink()
    found = list(snapshots(settings))
    assert [(each.check, each.fine) for each in found] == [("lake", False)]
    assert found[0].says.startswith(f"Snapshot {ONE} of erp_items is damaged: its manifest.json is missing.")
    assert "of another version needs no repair: leave it" in found[0].advice
