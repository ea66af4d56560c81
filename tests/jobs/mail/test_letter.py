"""Letters: written once and whole, and never opened when they are not what was written."""

import os
from pathlib import Path

import msgspec
import pytest

from jobs.mail.letter import BadName, Letter, enclosure, keep, opened
from stockverify import letters
from stockverify.letters import LetterDamaged, LetterGone

ID = "sch-1@20260105T070000Z"


def test_what_was_kept_is_opened(tmp_path: Path, letter: Letter, files: dict[str, Path]) -> None:
    keep(tmp_path / "mails", ID, letter, files)
    assert opened(tmp_path / "mails", ID) == letter
    folder = letters.folder(tmp_path / "mails", ID)
    assert sorted(path.name for path in folder.iterdir()) == ["Größe.csv", "chart.png", "letter.json"]
    assert [path.name for path in (tmp_path / "mails").iterdir()] == [folder.name]


def test_who_writes_a_second_time_changes_nothing(tmp_path: Path, letter: Letter, files: dict[str, Path]) -> None:
    keep(tmp_path, ID, letter, files)
    keep(tmp_path, ID, msgspec.structs.replace(letter, subject="Another"), files)
    assert opened(tmp_path, ID) == letter


def test_two_that_write_at_once_leave_one_letter(
    tmp_path: Path, letter: Letter, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    mails, rename = tmp_path / "mails", Path.rename

    def late(draft: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        keep(mails, ID, msgspec.structs.replace(letter, subject="First"), files)
        return rename(draft, target)

    monkeypatch.setattr(Path, "rename", late)
    keep(mails, ID, letter, files)
    assert opened(mails, ID).subject == "First"
    assert len(list(mails.iterdir())) == 1


def test_a_disk_that_fails_leaves_nothing(
    tmp_path: Path, letter: Letter, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (tmp_path / "mails").mkdir()
    with pytest.raises(OSError, match="No space"):
        keep(tmp_path / "mails", ID, letter, files)
    assert list((tmp_path / "mails").iterdir()) == []


def test_a_file_that_has_changed_is_not_opened(tmp_path: Path, letter: Letter, files: dict[str, Path]) -> None:
    keep(tmp_path, ID, letter, files)
    (letters.folder(tmp_path, ID) / "Größe.csv").write_text("item;menge\r\n00123;6\r\n")
    with pytest.raises(LetterDamaged, match="Größe"):
        opened(tmp_path, ID)
    (letters.folder(tmp_path, ID) / "letter.json").write_text("{")
    with pytest.raises(LetterDamaged):
        opened(tmp_path, ID)


def test_a_file_that_is_not_what_the_letter_says_is_not_kept(
    tmp_path: Path, letter: Letter, files: dict[str, Path]
) -> None:
    files["Größe.csv"].write_text("changed since")
    with pytest.raises(LetterDamaged):
        keep(tmp_path / "mails", ID, letter, files)
    assert list((tmp_path / "mails").iterdir()) == []


def test_what_is_not_there_is_gone(tmp_path: Path) -> None:
    with pytest.raises(LetterGone):
        opened(tmp_path, ID)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a\\b", "a\r\nBcc: x", "letter.json", "x" * 201, " a", "\x00"])
def test_names_that_would_be_folders_or_headers_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BadName):
        enclosure(tmp_path / "file", name, "text/csv")


@pytest.mark.parametrize("letter_id", ["..", ".", "../x", "/etc/passwd", "a/../../b", "x" * 500, "\x00"])
def test_no_id_leads_out_of_the_root(tmp_path: Path, letter_id: str) -> None:
    folder = letters.folder(tmp_path, letter_id)
    assert folder.parent == tmp_path
    assert len(folder.name) <= 150
    assert not folder.name.startswith(".")


def test_different_ids_have_different_folders(tmp_path: Path) -> None:
    ids = ["a:b", "a_b", "a%3Ab", "a b", "a.b", "x" * 500, "x" * 501]
    assert len({letters.folder(tmp_path, each) for each in ids}) == len(ids)


def test_images_are_found_by_their_whole_names() -> None:
    html = """<img src="cid:a.png"><img src='cid:a.png2'>url(cid:a.png) cid:b.png"""
    changed = letters.with_images(html, {"a.png": "data:1"})
    assert changed == """<img src="data:1"><img src='cid:a.png2'>url(data:1) cid:b.png"""
