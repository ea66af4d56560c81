"""Attached, zipped or linked: the first way that fits."""

import zipfile
from pathlib import Path

import pytest

from analytics.export import Exported
from jobs.reports.attachments import Way, file_stem, packed
from jobs.reports.wording import files


def made(folder: Path, name: str, data: bytes) -> Exported:
    path, manifest = folder / name, folder / f"{name}.manifest.json"
    path.write_bytes(data)
    manifest.write_text("{}")
    return Exported(path, manifest, 1, len(data), "0" * 64)


def test_each_way_says_why(tmp_path: Path) -> None:
    found = [made(tmp_path, "a.csv", b"1" * 6000), made(tmp_path, "a.json", bytes(range(256)) * 16)]
    cases = {10_098: Way.ATTACHED, 10_097: Way.ZIPPED, 500: Way.LINKED}
    ways = {limit: packed(found, limit, tmp_path / "all.zip") for limit in cases}
    assert {limit: each.way for limit, each in ways.items()} == cases
    assert [file.path.name for file in ways[10_098].attached] == ["a.csv", "a.csv.manifest.json", "a.json"]
    kinds = ["text/csv; charset=utf-8", "application/json", "application/json"]
    assert [file.media_type for file in ways[10_098].attached] == kinds
    with zipfile.ZipFile(ways[10_097].attached[0].path) as archive:
        assert archive.testzip() is None
        assert archive.read("a.csv") == b"1" * 6000
        assert set(archive.namelist()) == {"a.csv", "a.csv.manifest.json", "a.json", "a.json.manifest.json"}
    assert (ways[500].attached, ways[500].linked) == ((), tuple(found))
    said = [files(ways[limit], "12 Jan 2026, 07:00 CET") for limit in cases]
    assert said == [
        "3 files are attached (9.9 KB in all).",
        "The files are zipped: 9.9 KB in all is more than the 9.9 KB that mails of this report may hold.",
        "The files are not attached but linked: even zipped, 9.9 KB in all is more than the 0.5 KB that mails of this "
        "report may hold. Whoever has a link has the file, until 12 Jan 2026, 07:00 CET.",
    ]


def test_without_files_there_is_nothing_to_say(tmp_path: Path) -> None:
    none = packed([], 10, tmp_path / "all.zip")
    assert (none.way, none.attached, files(none, "")) == (Way.NONE, (), "")
    assert not (tmp_path / "all.zip").exists()


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Weekly variance", "Weekly-variance"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "report"),
        ("日報", "report"),
        ("a" * 100, "a" * 60),
        ("x\r\ny", "x-y"),
    ],
)
def test_names_of_files_are_safe(name: str, stem: str) -> None:
    assert file_stem(name) == stem
