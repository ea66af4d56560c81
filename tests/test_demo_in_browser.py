"""The running demo in real Chromium: every page, its figures, no complaint."""

import email
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from email.policy import default
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pymongo import MongoClient

from analytics.lake import Lake
from stockverify.services.child import free_port
from tests.dashboard import believable
from tests.dashboard.axe import findings
from tests.dashboard.expected import Figures, figures
from tests.dashboard.pages import DESKTOP, Look, Visit, check_every_page, chromium, looks
from tests.dashboard.running import clean

pytestmark = pytest.mark.browser
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
    # The worker takes no snapshot by itself while the pages are compared with the newest one.
    environ = os.environ | {"PYTHONUNBUFFERED": "1", "SMTP_HOST": "127.0.0.1", "MAIL_FROM": "a@shop.example"}
    environ["SNAPSHOT_INTERVAL"] = str(24 * 3600)
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


@pytest.fixture(scope="module")
def expected(demo: Demo) -> Figures:
    """The figures of the newest snapshot, which has all of the second that it is as of; the late shift counts on."""
    with MongoClient[dict[str, Any]](demo.addresses["mongodb"], tz_aware=True) as mongo:
        [newest, *_] = Lake(demo.folder / "lake").freezes()
        return figures(mongo.stockverify, newest.as_of + timedelta(seconds=1))


def looked_at(visiting: Visit, name: str) -> None:
    """A filled page, as a newcomer and as assistive technology meets it."""
    believable.CHECKS[name](visiting)
    assert findings(visiting.page) == [], name


@pytest.mark.parametrize("look", looks(DESKTOP, "light"))
def test_every_page_is_filled_with_what_can_be_believed(demo: Demo, expected: Figures, look: Look) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    shots = SCREENSHOTS if os.environ.get("STOCKVERIFY_SCREENSHOTS") == "1" else None
    login, url = demo.logins["supervisor"], demo.addresses["dashboard"]
    with chromium() as browser:
        check_every_page(browser, url, login, expected, look._replace(shots=shots), looked_at)


def test_its_mails_say_what_its_pages_say(demo: Demo, expected: Figures) -> None:
    assert mailed(demo.folder / "outbox", "Morning summary") >= {
        f"- {name}: {it}" for name, it in expected.tiles.items()
    }


def test_nothing_went_wrong_behind_the_pages(demo: Demo) -> None:
    for path in (demo.folder / "logs").glob("*.log"):
        if path.stem not in ("mongod", "redis"):
            clean(path.read_text(errors="replace"))
