"""The file of a device."""

import sqlite3
from pathlib import Path

import pytest

from stockverify.client.memory import Held, Login, Memory
from stockverify.client.storage import FileInUse, FileUnusable, NotADeviceFile, Storage


def test_a_file_is_open_once(tmp_path: Path) -> None:
    first = Storage(tmp_path / "device.sqlite")
    with pytest.raises(FileInUse):
        Storage(tmp_path / "device.sqlite")
    first.close()
    Storage(tmp_path / "device.sqlite").close()


def test_only_its_owner_may_read_the_tokens_in_it(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "device.sqlite")
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    storage.close()
    assert modes == {"device.sqlite": "0o600", "device.sqlite-wal": "0o600"}


def test_every_commit_waits_for_the_disk(storage: Storage) -> None:
    pragmas = ("journal_mode", "synchronous", "locking_mode")
    assert [storage.rows(f"PRAGMA {name}")[0][0] for name in pragmas] == ["wal", 2, "exclusive"]


def test_a_text_file_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("rack_id,item_code\n" * 100)
    with pytest.raises(NotADeviceFile, match="file is not a database"):
        Storage(path)
    assert path.read_text() == "rack_id,item_code\n" * 100


def test_the_database_of_another_program_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE records (mine)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(NotADeviceFile, match="another program"):
        Storage(path)
    assert path.read_bytes() == before


def test_a_newer_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "device.sqlite"
    Storage(path).close()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 9")
    newer.close()
    with pytest.raises(NotADeviceFile, match="layout 9"):
        Storage(path)


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match="No such file or directory"):
        Storage(tmp_path / "nowhere" / "device.sqlite")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match="unable to open"):
        Storage(tmp_path)


def test_memory_survives_a_restart(tmp_path: Path) -> None:
    login = Login(username="anna", access_token="a", refresh_token="r", expires_in=900)
    held = Held(rack_id="R1", session_id="s-1", floor="Ground", fence=3, lock_ttl=60)
    storage = Storage(tmp_path / "device.sqlite")
    memory = Memory(storage)
    name = memory.device_id(lambda: "d-1")
    memory.keep_login(login)
    memory.owner, memory.held = "anna", held
    storage.close()
    storage = Storage(tmp_path / "device.sqlite")
    memory = Memory(storage)
    assert (name, memory.device_id(lambda: "d-2")) == ("d-1", "d-1")
    assert (memory.login, memory.owner, memory.held) == (login, "anna", held)
    memory.keep_login(None)
    memory.held = None
    assert (memory.login, memory.owner, memory.held) == (None, "anna", None)
    storage.close()
