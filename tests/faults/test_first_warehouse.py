"""docs/first-warehouse.md, pasted block after block into a shell, beside a real `stockverify up`."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.stockverify.cli.test_up import COMMAND, Up

pytestmark = pytest.mark.faults
ROOT = Path(__file__).parents[2]


def blocks() -> list[str]:
    """What is to be pasted."""
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs/first-warehouse.md").read_text(), re.MULTILINE | re.DOTALL)


def test_every_command_works_when_pasted(tmp_path: Path) -> None:
    started = Up(tmp_path / "data")
    said = started.said.read_text()
    answers = {
        "make install\n": f'stockverify() {{ {" ".join(COMMAND)} "$@"; }}\n',
        "PATH=$PWD/.venv/bin:$PATH\n": f"PATH={Path(COMMAND[0]).parent}:$PATH\n",
        "$HOME/stockverify": str(started.folder),
        "export API=http://127.0.0.1:8000": f"export API={started.line['api']}",
        'read -rsp "Password of admin: " PASSWORD; echo': f"PASSWORD={said.split('with the password')[1].split()[0]}",
        "--out counts.csv": f"--out {tmp_path}/counts.csv",
    }
    script = "set -e\n" + "".join(f"echo '{number}'\n{block}" for number, block in enumerate(blocks(), 1))
    for shown, meant in answers.items():
        assert shown in script, shown
        script = script.replace(shown, meant)
    environ = os.environ | {"HOME": str(tmp_path)}
    pasted = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, cwd=ROOT, env=environ)
    assert started.end() == 0
    assert pasted.returncode == 0, pasted.stdout[-1000:] + pasted.stderr
    assert '"ok":["c-1","c-2"]' in pasted.stdout
    assert '"ok":["op-1","op-2"]' in pasted.stdout
    assert "sent       admin@shop.example" in pasted.stdout
