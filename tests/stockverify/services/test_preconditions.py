"""What must hold before anything starts is told in one sentence, without a secret."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from stockverify import clients
from stockverify.clients import UnusableAddress
from stockverify.errors import SetupError
from stockverify.services import binaries, preconditions
from stockverify.services.child import Child, Spec, free_port, wait_ready
from stockverify.services.embedded import Backends
from stockverify.services.running import answers
from stockverify.settings import Settings

DEAD = f"127.0.0.1:{free_port()}"


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preconditions.check_disk(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=200 * 1024))
    with pytest.raises(preconditions.DiskFull, match=f"{tmp_path} is full: 0.2 MiB are free"):
        preconditions.check_disk(tmp_path)


def test_one_port_for_two() -> None:
    with pytest.raises(preconditions.OnePortForTwo, match="--dashboard-port"):
        preconditions.check_ports(Settings(api_port=8500, dashboard_port=8500))


def test_backends_that_answer(embedded: Backends) -> None:
    said: list[str] = []
    preconditions.check_mongodb(embedded.settings)
    preconditions.check_redis(embedded.settings, said.append)
    assert said == []


def test_a_mongodb_that_is_away() -> None:
    with pytest.raises(preconditions.MongoDBAway) as told:
        preconditions.check_mongodb(Settings(mongodb_uri=f"mongodb://anna:s3cret@{DEAD}/"))
    assert told.value.message == (
        f"MongoDB does not answer at the address in MONGODB_URI: {DEAD}: [Errno 111] Connection refused. "
        "Start it, or correct MONGODB_URI."
    )


def test_a_redis_that_is_away_is_told_and_keeps_nothing_from_starting() -> None:
    said: list[str] = []
    preconditions.check_redis(Settings(redis_url=f"redis://:s3cret@{DEAD}"), said.append)
    (line,) = said
    assert line.startswith("Redis does not answer at the address in REDIS_URL: Error 111 connecting")
    assert line.endswith("Racks cannot be claimed until it does.")
    assert "s3cret" not in line


def test_a_mongodb_that_is_no_replica_set(tmp_path: Path) -> None:
    port = free_port()
    argv = (str(binaries.mongod()), "--dbpath", str(tmp_path), "--port", str(port), "--bind_ip", "127.0.0.1")
    child = Child(Spec("mongod", argv, tmp_path / "log", binaries.environment()))
    try:
        wait_ready(child, lambda: answers(f"http://127.0.0.1:{port}/"))
        with pytest.raises(preconditions.NoReplicaSet, match="--replSet"):
            preconditions.check_mongodb(Settings(mongodb_uri=f"mongodb://127.0.0.1:{port}/"))
    finally:
        child.kill()


@pytest.mark.parametrize(
    ("opened", "address"),
    [
        (clients.open_mongo, "mongodb://anna:s3c:ret@host/"),
        (clients.open_async_mongo, "mongodb://anna:s3c/ret@host/"),
        (clients.open_redis, "s3cret@host"),
        (clients.open_redis_listener, "http://:s3cret@host"),
        (clients.open_blocking_redis, "redis://:s3cret@host:port/0"),
    ],
)
def test_an_address_that_is_none_is_told_without_a_part_of_it(opened: Callable[[str], object], address: str) -> None:
    with pytest.raises(UnusableAddress) as told:
        opened(address)
    assert isinstance(told.value, SetupError)
    assert "It looks like" in told.value.message
    assert "s3c" not in told.value.message
