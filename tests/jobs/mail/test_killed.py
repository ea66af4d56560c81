"""Senders that are killed at each step of a mail, and several at once. What arrived the server counts."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import msgspec
import pytest

from jobs.mail.sender import Sender
from stockverify.clients import Document
from stockverify.environment import to_env
from stockverify.settings import Settings
from tests.jobs.mail.conftest import NOW, plain
from tests.jobs.mail.servers import ENVELOPE, HELLO, Script, mail_server, until

HOURS = [NOW + timedelta(hours=hours) for hours in range(2, 9999)]


@contextmanager
def sending(settings: Settings, name: str, lease: float = 1.0) -> Iterator["subprocess.Popen[bytes]"]:
    """A sender's process, which has begun when the block begins."""
    command = [sys.executable, "-m", "tests.jobs.mail.sending", name, str(lease), NOW.isoformat()]
    environ = os.environ | to_env(settings)
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


def takes_up(heir: Sender, rows: Callable[[], list[Document]]) -> None:
    """Ticks until the mail is sent; leases lapse by the server's clock."""
    hours = iter(HOURS)

    def over() -> bool:
        heir.tick(next(hours))
        return bool(rows()[0]["state"] == "sent")

    until(over)


STEPS = {
    "while it connects": (["stall"], False),
    "after the greeting": (["send 220 here", "expect EHLO", "stall"], False),
    "after MAIL": ([*HELLO, *ENVELOPE[:1], "stall"], False),
    "after RCPT": ([*HELLO, *ENVELOPE[:3], "stall"], False),
    "after DATA": ([*HELLO, *ENVELOPE[:5], "stall"], False),
    "after the dot": ([*HELLO, *ENVELOPE, "text", "stall"], True),
}


@pytest.mark.parametrize(("script", "doubtful"), STEPS.values(), ids=STEPS)
def test_a_mail_survives_the_death_of_its_sender_at_each_step(
    put, sender: Callable[..., Sender], rows, settings: Settings, script: list[str], doubtful: bool
) -> None:
    put("ann@shop.example")
    with Script(script) as stalling:
        with sending(msgspec.structs.replace(settings, **plain(stalling.port)), "victim") as victim:
            until(lambda: stalling.steps == len(script) and rows()[0]["state"] == "sending")
            until(lambda: (rows()[0]["data_at"] is not None) == doubtful)
            os.kill(victim.pid, signal.SIGKILL)
        taken = len(stalling.texts)
    with mail_server() as server:
        takes_up(sender("heir", **plain(server.port)), rows)
    (row,) = rows()
    assert (taken, row["doubts"]) == ((1, 1) if doubtful else (0, 0))
    assert list(server.post.counts().values()) == [1]
    if doubtful:
        said = [line["reply"] for line in row["log"]]
        assert said[1] == (
            "The sender died while the mail server had the whole text. It is sent again under the same Message-ID."
        )
        assert said[-1] == "250 kept It may have arrived before, under the same Message-ID."
        assert stalling.texts[0].splitlines()[0] == server.post.kept[0][1].splitlines()[0]


def test_several_senders_send_each_mail_once(put, rows, settings: Settings) -> None:
    recipients = [f"p{number:02}@shop.example" for number in range(60)]
    put(*recipients)
    with mail_server() as server:
        changed = msgspec.structs.replace(settings, **plain(server.port))
        with sending(changed, "one", 60), sending(changed, "two", 60), sending(changed, "three", 60):
            until(lambda: all(row["state"] == "sent" for row in rows()), 60)
    assert server.post.recipients() == recipients
    assert set(server.post.counts().values()) == {1}
    assert len({row["worker"] for row in rows()}) > 1


def test_a_sender_that_was_stopped_for_longer_than_its_lease_sends_nothing(
    put, sender: Callable[..., Sender], rows, settings: Settings
) -> None:
    put("ann@shop.example")
    go_on = threading.Event()
    slow = [*HELLO, *ENVELOPE[:5], go_on, "send 354 go on", "text"]
    with Script(slow) as stalling, mail_server() as server:
        late = sender("late", lease=0.5, **plain(stalling.port))
        thread = threading.Thread(target=late.tick, args=(NOW,))
        thread.start()
        until(lambda: stalling.steps == 9)
        takes_up(sender("heir", **plain(server.port)), rows)
        go_on.set()
        thread.join()
    assert (stalling.texts, list(server.post.counts().values())) == ([], [1])
    assert (rows()[0]["worker"], rows()[0]["state"]) == ("heir", "sent")
