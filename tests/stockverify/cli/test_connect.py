import json
from pathlib import Path

import pytest

from stockverify.cli.connect import RuntimeUnreadable, running_settings
from stockverify.errors import NotRunning
from stockverify.settings import Settings


def test_servers_that_are_named_are_taken(tmp_path: Path) -> None:
    both = Settings(data_dir=tmp_path, mongodb_uri="mongodb://m", redis_url="redis://r")
    assert running_settings(both) == both
    only = Settings(data_dir=tmp_path, mongodb_uri="mongodb://m")
    assert running_settings(only) == only


def test_the_others_are_those_of_the_running_up(tmp_path: Path) -> None:
    addresses = {"mongodb": "mongodb://up", "redis": "redis://up", "api": "http://a", "dashboard": "http://d", "pid": 1}
    (tmp_path / "runtime.json").write_text(json.dumps(addresses))
    found = running_settings(Settings(data_dir=tmp_path))
    assert found == Settings(data_dir=tmp_path, mongodb_uri="mongodb://up", redis_url="redis://up")
    found = running_settings(Settings(data_dir=tmp_path, mongodb_uri="mongodb://mine"))
    assert found == Settings(data_dir=tmp_path, mongodb_uri="mongodb://mine", redis_url="redis://up")


def test_nothing_runs(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match=f"stockverify up --data-dir {tmp_path}"):
        running_settings(Settings(data_dir=tmp_path))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"mongodb": 1}', b"\xff"])
def test_a_file_that_is_no_note(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "runtime.json").write_bytes(content)
    with pytest.raises(RuntimeUnreadable, match=r"runtime\.json"):
        running_settings(Settings(data_dir=tmp_path))
