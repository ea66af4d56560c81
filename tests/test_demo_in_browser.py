"""The running demo in real Chromium: every page, its figures, no complaint."""

import email
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from email.policy import default
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pymongo import MongoClient

from stockverify.services.child import free_port
from tests.dashboard.expected import figures
from tests.dashboard.pages import DESKTOP, TABLET, Look, check_every_page, chromium

pytestmark = [pytest.mark.browser, pytest.mark.alone]
SCREENSHOTS = Path(__file__).parent.parent / "docs" / "screenshots"


class Demo(NamedTuple):
    """A demo that has told its story and stays up."""

    addresses: dict[str, Any]
    logins: dict[str, tuple[str, str]]
    folder: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`stockverify demo --json` with the list that ships, until the end of the module."""
    folder = tmp_path_factory.mktemp("browser") / "demo"
    ports = ["--api-port", str(free_port()), "--dashboard-port", str(free_port())]
    argv = [sys.executable, "-m", "stockverify", "demo", "--json", "--data-dir", str(folder), *ports]
    # A demo writes to nobody, whatever mail server there is: its mails are looked for in its folder.
    environ = os.environ | {"PYTHONUNBUFFERED": "1", "SMTP_HOST": "127.0.0.1", "MAIL_FROM": "a@shop.example"}
    with (
        folder.with_suffix(".said").open("w") as said,
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=said, text=True, env=environ) as process,
    ):
        assert process.stdout
        addresses = json.loads(process.stdout.readline())
        logins: dict[str, tuple[str, str]] = {}
        for line in process.stdout:
            words = line.split()
            if len(words) == 3 and words[0] in ("admin", "supervisor", "staff"):
                logins[words[0]] = (words[1], words[2])
            if "Ctrl-C" in line:
                break
        assert logins, folder.with_suffix(".said").read_text()
        yield Demo(addresses, logins, folder)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def mailed(outbox: Path, name: str) -> set[str]:
    """The lines of the one mail with that name in its subject."""
    found = [email.message_from_bytes(path.read_bytes(), policy=default) for path in outbox.glob("*.eml")]
    (mail,) = [each for each in found if name in each["Subject"]]
    body = mail.get_body(("plain",))  # type: ignore[attr-defined]
    return set(body.get_content().splitlines())


def test_every_page_shows_the_figures_of_the_demo(demo: Demo, tmp_path: Path) -> None:
    with MongoClient[dict[str, Any]](demo.addresses["mongodb"], tz_aware=True) as mongo:
        expected = figures(mongo.stockverify)
    SCREENSHOTS.mkdir(exist_ok=True)
    keep = os.environ.get("STOCKVERIFY_SCREENSHOTS") == "1"
    looks = [Look(size, scheme, SCREENSHOTS) for size in (DESKTOP, TABLET) for scheme in ("light", "dark")]
    with chromium() as browser:
        for look in looks if keep else [Look(DESKTOP, "light", tmp_path), Look(TABLET, "dark", tmp_path)]:
            check_every_page(browser, demo.addresses["dashboard"], demo.logins["supervisor"], expected, look)
    assert mailed(demo.folder / "outbox", "Morning summary") >= {
        f"- {name}: {it}" for name, it in expected.tiles.items()
    }
    logs = {path.name: path.read_text(errors="replace") for path in (demo.folder / "logs").glob("*.log")}
    for name in ("dashboard.log", "service.log", "worker.log"):
        assert "Traceback" not in logs[name], name
