import os
from pathlib import Path

import pytest

from stockverify.services.binaries import environment


def test_libraries_that_set_up_unpacked_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "native").mkdir()
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    assert environment(tmp_path) == {"LD_LIBRARY_PATH": str(tmp_path / "native")}
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/lib")
    assert environment(tmp_path) == {"LD_LIBRARY_PATH": f"{tmp_path / 'native'}{os.pathsep}/opt/lib"}


def test_a_machine_with_all_libraries_needs_nothing(tmp_path: Path) -> None:
    assert environment(tmp_path) == {}
