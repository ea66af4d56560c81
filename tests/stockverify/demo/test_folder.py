"""The demo empties only folders that are its own."""

from pathlib import Path

import pytest

from stockverify.demo.folder import NotADemoFolder, start_afresh


def test_an_empty_folder_is_taken_and_a_demo_starts_afresh(tmp_path: Path) -> None:
    start_afresh(tmp_path)
    (tmp_path / "lake").mkdir()
    (tmp_path / "runtime.json").touch()
    start_afresh(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["this-is-a-demo"]


def test_a_folder_with_other_data_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mongodb").mkdir()
    with pytest.raises(NotADemoFolder, match="--data-dir"):
        start_afresh(tmp_path)
    assert (tmp_path / "mongodb").exists()


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside, demo = tmp_path / "outside", tmp_path / "demo"
    outside.mkdir()
    (outside / "precious").touch()
    demo.mkdir()
    start_afresh(demo)
    (demo / "link").symlink_to(outside)
    start_afresh(demo)
    assert (outside / "precious").exists()
    assert not (demo / "link").exists()
