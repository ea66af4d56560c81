"""The embedded servers: real, with passwords, on ports that may change between starts."""

import os
import socket
import stat
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from redis import AuthenticationError, Redis

from stockverify.clients import open_mongo
from stockverify.services import binaries, mongod
from stockverify.services.binaries import BinaryBroken, BinaryMissing, LibraryMissing
from stockverify.services.child import Child, wait_ready
from stockverify.services.embedded import Backends, backends
from stockverify.settings import Settings

LISTENS = "Waiting for connections"
SECONDARY = '"newState":"SECONDARY"'


def test_data_outlives_a_restart_on_another_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with backends(Settings(data_dir=tmp_path)) as started, open_mongo(started.settings.mongodb_uri or "") as client:
        client.test.things.insert_one({"kept": True})
        old = port_of(started)
    with socket.create_server(("127.0.0.1", old)) as silent:
        hang_up_once_seen(silent, tmp_path / "logs" / "mongod.log", monkeypatch)
        with backends(Settings(data_dir=tmp_path)) as started, open_mongo(started.settings.mongodb_uri or "") as client:
            assert client.test.things.count_documents({}) == 1
            assert port_of(started) != old


def hang_up_once_seen(silent: socket.socket, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its old port MongoDB asks whether it is itself, half a minute long if nobody answers. It serves until then,
    but has no configuration."""
    look, said_before = mongod._initiated, log.read_text().count(LISTENS)

    def looked(folder: Path, port: int) -> bool:
        listened = log.read_text().count(LISTENS) > said_before
        found = look(folder, port)
        if listened and not found:
            silent.close()
        return found

    monkeypatch.setattr(mongod, "_initiated", looked)


@pytest.mark.faults
def test_stopped_before_it_is_primary_mongodb_waits_for_nobody(tmp_path: Path) -> None:
    with backends(Settings(data_dir=tmp_path)) as started:
        port = port_of(started)
    said = ""
    while "Entering quiesce mode" not in said:  # nearly always at once: it is secondary for a moment only
        said += stopped_as_secondary(tmp_path / "mongodb", tmp_path / f"{len(said)}.log", port)
    assert '"quiesceTimeMillis":0' in said


def stopped_as_secondary(folder: Path, log: Path, port: int) -> str:
    """What MongoDB said meanwhile."""
    child = Child(mongod.spec(folder, log, port))
    wait_ready(child, lambda: SECONDARY in log.read_text())
    child.stop()
    return log.read_text()


def port_of(started: Backends) -> int:
    """MongoDB's."""
    return int((started.settings.mongodb_uri or "").split("@")[1].split("/")[0].rsplit(":", 1)[1])


def test_strangers_on_the_same_machine_are_kept_out(embedded: Backends) -> None:
    address = (embedded.settings.mongodb_uri or "").split("@")[1].split("/")[0]
    with MongoClient(f"mongodb://{address}/?directConnection=true") as stranger, pytest.raises(OperationFailure):
        stranger.stockverify.users.find_one()
    port = int((embedded.settings.redis_url or "").rsplit(":", 1)[1].split("/")[0])
    with Redis(port=port) as other, pytest.raises(AuthenticationError):
        other.ping()


def test_secrets_are_readable_by_their_owner_only(embedded: Backends) -> None:
    for name in ("mongodb/keyfile", "redis/password", "redis/redis.conf"):
        mode = (embedded.settings.data_dir / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600, name


def test_no_password_is_on_a_command_line(embedded: Backends) -> None:
    for child in embedded.children:
        words = Path(f"/proc/{child.pid}/cmdline").read_text()
        assert (embedded.settings.data_dir / "redis/password").read_text() not in words
        assert (embedded.settings.data_dir / "mongodb/keyfile").read_text() not in words


def fake(tmp_path: Path, name: str, script: str) -> None:
    """A stand-in program in a folder of its own; that a server cannot run is what is tested."""
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_missing_library_names_the_package_that_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file: No such file"
    fake(tmp_path, "mongod", f"echo '{said}' >&2; exit 127")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(LibraryMissing, match=r"needs the shared library libcurl\.so\.4.*apt-get install libcurl4"):
        binaries.mongod()


def test_a_broken_server_is_told_with_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, "redis-server", "echo 'Illegal instruction' >&2; exit 132")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(BinaryBroken, match="Illegal instruction"):
        binaries.redis_server()


def test_a_missing_server_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("stockverify.services.binaries._in_package", lambda package, inside: None)
    with pytest.raises(BinaryMissing, match="MONGODB_URI"):
        binaries.mongod()
