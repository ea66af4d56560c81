import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analytics.lake import Freeze, Lake, Manifest, Problem, verify
from analytics.lake.ids import BadSnapshotId, new_snapshot_id
from analytics.lake.manifest import SnapshotDamaged, SnapshotOutdated
from analytics.lake.removing import remove
from analytics.lake.store import NoSnapshot, SnapshotNotFound, UnknownDataset
from tests.analytics.lake.frozen import AS_OF, LINE, ONE, TWO, freeze, positions

Edit = Callable[[dict[str, Any]], Any]


def edit_manifest(root: Path, dataset: str, change: Edit) -> None:
    """As somebody would who wants to be believed."""
    path = root / dataset / ONE / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def first_part(root: Path, dataset: str = "positions") -> Path:
    return root / dataset / ONE / "part-00000.parquet"


def damage(root: Path, dataset: str = "positions") -> str:
    with pytest.raises((SnapshotDamaged, SnapshotOutdated)) as caught:
        Lake(root).files(dataset, ONE)
    return caught.value.message


def test_freezes_come_newest_first(tmp_path: Path) -> None:
    assert Lake(tmp_path).freezes() == []
    freeze(tmp_path, ONE)
    freeze(tmp_path, TWO, LINE, LINE | {"item_code": "9"})
    lake = Lake(tmp_path)
    assert lake.freezes() == [
        Freeze(snapshot_id=TWO, name="", as_of=AS_OF, created_at=AS_OF, rows=2),
        Freeze(snapshot_id=ONE, name="", as_of=AS_OF, created_at=AS_OF, rows=1),
    ]
    assert [lake.resolve(text) for text in ("latest", "previous", ONE)] == [TWO, ONE, ONE]
    assert [line["item_code"] for line in positions(lake, TWO)] == ["00123", "9"]


def test_names_for_snapshots_that_do_not_exist(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(NoSnapshot, match="no latest snapshot in the lake"):
        lake.resolve("latest")
    with pytest.raises(SnapshotNotFound, match=f"Snapshot {ONE} of positions is not in the lake"):
        lake.resolve(ONE)
    with pytest.raises(UnknownDataset, match="no dataset 'users'"):
        lake.files("users", ONE)


@pytest.mark.parametrize(
    "text", ["", "..", "../../etc", f"{ONE}/..", ONE.upper() + "\n", ".draft-" + ONE, "ALL", "٢" * 8]
)
def test_ids_from_outside_are_checked_before_they_become_paths(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadSnapshotId, match="is not a snapshot id"):
        Lake(tmp_path).files("positions", text)


@pytest.mark.parametrize(
    ("newest", "new"),
    [
        (None, "20260131T180000000Z-00000009"),
        ("20260131T175959999Z-ffffffff", "20260131T180000000Z-00000009"),
        ("20260131T180000000Z-ffffffff", "20260131T180000001Z-00000009"),
        ("20281231T235959999Z-00000001", "20290101T000000000Z-00000009"),
        ("99991231T235959999Z-00000001", "20260131T180000000Z-00000009"),
        ("99999999T999999999Z-00000001", "20260131T180000000Z-00000009"),
    ],
    ids=["first", "later", "at once", "clock set back", "end of time", "no day that there is"],
)
def test_the_id_of_a_new_snapshot_sorts_after_the_newest(newest: str | None, new: str) -> None:
    assert new_snapshot_id(AS_OF, "00000009", newest) == new


def test_a_snapshot_without_positions_is_invisible(tmp_path: Path) -> None:
    freeze(tmp_path, ONE)
    shutil.rmtree(tmp_path / "positions" / ONE)
    lake = Lake(tmp_path)
    assert lake.freezes() == []
    with pytest.raises(SnapshotNotFound):
        lake.files("erp_items", ONE)


def test_stray_files_and_drafts_are_not_read(tmp_path: Path) -> None:
    freeze(tmp_path, ONE)
    (tmp_path / "positions" / ONE / "part-00001.parquet").write_bytes(b"half a fi")
    (tmp_path / "positions" / f".draft-{TWO}-7").mkdir()
    (tmp_path / "positions" / "notes.txt").write_text("hello")
    lake = Lake(tmp_path)
    assert [found.snapshot_id for found in lake.freezes()] == [ONE]
    assert len(positions(lake, ONE)) == 1
    assert verify(tmp_path) == []


def test_a_file_cut_short(tmp_path: Path) -> None:
    freeze(tmp_path, ONE)
    whole = first_part(tmp_path).read_bytes()
    first_part(tmp_path).write_bytes(whole[:-5])
    assert f"its file part-00000.parquet has {len(whole) - 5} bytes instead of {len(whole)}" in damage(tmp_path)


def test_a_file_with_other_content(tmp_path: Path) -> None:
    freeze(tmp_path, ONE)
    whole = bytearray(first_part(tmp_path).read_bytes())
    whole[100] ^= 1
    first_part(tmp_path).write_bytes(whole)
    assert "the content of its file part-00000.parquet does not match its checksum" in damage(tmp_path)
    [problem] = verify(tmp_path)
    assert problem == Problem(ONE, "positions", damage(tmp_path))


def test_a_file_damaged_after_it_was_read(tmp_path: Path) -> None:
    freeze(tmp_path, ONE)
    lake = Lake(tmp_path)
    lake.files("positions", ONE)
    first_part(tmp_path).write_bytes(b"x" * first_part(tmp_path).stat().st_size)
    with pytest.raises(SnapshotDamaged, match="does not match its checksum"):
        lake.files("positions", ONE)


def test_a_missing_file_and_a_link_in_its_place(tmp_path: Path) -> None:
    freeze(tmp_path, ONE)
    elsewhere = tmp_path / "elsewhere.parquet"
    first_part(tmp_path).rename(elsewhere)
    assert "its file part-00000.parquet is missing" in damage(tmp_path)
    first_part(tmp_path).symlink_to(elsewhere)
    assert "its file part-00000.parquet is missing" in damage(tmp_path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: m["files"][0].update(sha256="0" * 64), "does not match its checksum"),
        (lambda m: m["files"][0].update(name="../../erp_items/x.parquet"), "which is no file of a snapshot"),
        (lambda m: m["files"][0].update(name="/etc/passwd"), "'/etc/passwd', which is no file of a snapshot"),
        (lambda m: m["files"].append(m["files"][0]), "names a file twice"),
        (lambda m: m.update(rows=7), "its files hold 1 rows and its manifest says 7"),
        (lambda m: m["columns"].append(["salary", "float"]), "its columns are not those of positions: salary"),
        (
            lambda m: m.update(schema_version=2),
            "has schema version 2, and this version of StockVerify reads 3: it lacks",
        ),
        (lambda m: m.update(schema_version=99), "reads 3: a newer version wrote it. It is whole"),
        (lambda m: m.update(schema_version=99, surprise=1, files={}), "reads 3: a newer version wrote it. It is whole"),
        (lambda m: m.update(snapshot_id=TWO), f"its manifest is that of positions {TWO}"),
        (lambda m: m.update(dataset="erp_items"), f"its manifest is that of erp_items {ONE}"),
        (lambda m: m.update(as_of="2026-01-31T18:00:00"), "its manifest cannot be read"),
        (lambda m: m.update(surprise=1), "its manifest cannot be read"),
        (lambda m: m["files"][0].update(rows=-1), "its manifest cannot be read"),
        (lambda m: m.pop("files"), "its manifest cannot be read"),
    ],
)
def test_a_manifest_is_not_believed_blindly(tmp_path: Path, change: Edit, reason: str) -> None:
    freeze(tmp_path, ONE)
    freeze(tmp_path, TWO)
    edit_manifest(tmp_path, "positions", change)
    assert reason in damage(tmp_path)
    assert [problem.dataset for problem in verify(tmp_path) if problem.snapshot_id == ONE][-1] == "positions"
    assert TWO not in {problem.snapshot_id for problem in verify(tmp_path)}


@pytest.mark.parametrize(
    ("gone", "dataset", "said"),
    [
        ("erp_items", "erp_items", "erp_items is damaged: it is missing, although the snapshot was completed with it"),
        ("erp_items/manifest.json", "erp_items", "erp_items is damaged: its manifest.json is missing"),
        ("positions/manifest.json", "positions", "positions is damaged: its manifest.json is missing"),
    ],
)
def test_what_is_missing_of_a_snapshot_that_is_there_is_damage(
    tmp_path: Path, gone: str, dataset: str, said: str
) -> None:
    freeze(tmp_path, ONE)
    path = tmp_path / gone.replace("/", f"/{ONE}/") if "/" in gone else tmp_path / gone / ONE
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert said in damage(tmp_path, dataset)
    assert said in verify(tmp_path)[-1].message


def test_a_snapshot_that_is_removed_while_it_is_read_is_not_damaged(tmp_path: Path) -> None:
    class RemovedMeanwhile(Lake):
        def _manifest(self, dataset: str, snapshot_id: str) -> tuple[Manifest, str]:
            found = super()._manifest(dataset, snapshot_id)
            remove(self.root, snapshot_id)
            return found

    freeze(tmp_path, ONE)
    with pytest.raises(SnapshotNotFound):
        RemovedMeanwhile(tmp_path).files("erp_items", ONE)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null"])
def test_a_manifest_that_is_no_manifest(tmp_path: Path, content: bytes) -> None:
    freeze(tmp_path, ONE)
    freeze(tmp_path, TWO)
    (tmp_path / "positions" / ONE / "manifest.json").write_bytes(content)
    assert "its manifest cannot be read" in damage(tmp_path)
    assert [found.snapshot_id for found in Lake(tmp_path).freezes()] == [TWO]
    assert Lake(tmp_path).unreadable() == [ONE]


def test_a_source_that_was_exchanged_is_not_read(tmp_path: Path) -> None:
    freeze(tmp_path, ONE)
    edit_manifest(tmp_path, "erp_items", lambda m: m.update(name="another"))
    assert "its manifest is not the one that the snapshot was completed with" in damage(tmp_path, "erp_items")
    assert [problem.dataset for problem in verify(tmp_path)] == ["erp_items"]


def believable(root: Path, path: Path, rows: int = 1, dataset: str = "positions") -> None:
    """The manifest says of a file what it is like now, as somebody would have it who wants to be believed."""
    data = path.read_bytes()
    told = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "rows": rows}
    edit_manifest(root, dataset, lambda content: content["files"][0].update(told) or content.update(rows=rows))


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_file_cut_short_is_refused_though_its_checksum_fits(tmp_path: Path, quarters: int) -> None:
    freeze(tmp_path, ONE)
    path = first_part(tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * quarters // 4])
    believable(tmp_path, path)
    assert "its file part-00000.parquet is no Parquet file, or only a part of one" in damage(tmp_path)


def test_a_file_of_another_schema_is_refused_though_its_checksum_fits(tmp_path: Path) -> None:
    freeze(tmp_path, ONE)
    path = first_part(tmp_path)
    rows = pl.read_parquet(path).with_columns(pl.col("book_qty").cast(pl.String)).rename({"floor": 'flo"or'})
    rows.write_parquet(path)
    believable(tmp_path, path)
    assert """has other columns than its manifest says: book_qty, flo"or, floor""" in damage(tmp_path)


def test_a_count_that_the_file_does_not_hold_is_refused(tmp_path: Path) -> None:
    freeze(tmp_path, ONE)
    believable(tmp_path, first_part(tmp_path), 10**18)
    assert "part-00000.parquet holds 1 rows and its manifest says 1000000000000000000" in damage(tmp_path)
