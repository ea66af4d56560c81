"""The worker as a real process sends what is in the outbox, or says why it does not begin to."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from stockverify.environment import to_env
from stockverify.services.child import Child, Spec
from stockverify.settings import Settings
from tests.jobs.mail.conftest import plain
from tests.jobs.mail.servers import mail_server, until


def test_workers_send_each_mail_once(put, rows, settings: Settings, tmp_path: Path) -> None:
    recipients = [f"p{number:02}@shop.example" for number in range(20)]
    put(*recipients)
    with mail_server() as server:
        given = msgspec.structs.replace(settings, snapshot_interval=10**6, **plain(server.port))
        command = (sys.executable, "-m", "jobs")
        workers = [Child(Spec(name, command, tmp_path / f"{name}.log", to_env(given))) for name in ("one", "two")]
        try:
            until(lambda: all(row["state"] == "sent" for row in rows()), 60)
        finally:
            for worker in workers:
                worker.stop()
    assert server.post.recipients() == recipients
    assert set(server.post.counts().values()) == {1}
    logs = "".join((tmp_path / f"{name}.log").read_text() for name in ("one", "two"))
    assert "@shop.example" not in logs


def test_a_worker_with_settings_that_contradict_each_other_says_so_in_a_line(settings: Settings) -> None:
    wrong: dict[str, Any] = {"smtp_host": "mail.shop.example", "smtp_security": "none", "mail_from": "a@b.example"}
    environ = os.environ | to_env(msgspec.structs.replace(settings, **wrong))
    ended = subprocess.run(
        [sys.executable, "-m", "jobs"], env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("stockverify: SMTP_SECURITY='none' is not usable: without encryption, mail goes to ")
