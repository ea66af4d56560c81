"""Bombs, and bodies just below the limit: little memory, whoever else sends what, and others are served meanwhile."""

import gzip
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard

from ingest.bodies import MAX_DECODED
from tests.ingest.sender import BATCH, Sender, sender
from tests.service import Service

__all__ = ["sender"]  # the fixture
GIGABYTE = 2**30


def _gzip_bomb() -> bytes:
    """A gigabyte of zeros. After a full flush a block does not depend on what is before it, so it can be repeated."""
    packer = zlib.compressobj(9, wbits=31)
    block = packer.compress(b"\0" * (GIGABYTE // 16)) + packer.flush(zlib.Z_FULL_FLUSH)
    head, again = block, packer.compress(b"\0" * (GIGABYTE // 16)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + again * 15


def _zstd_bomb() -> bytes:
    packer, zeros = zstandard.ZstdCompressor().compressobj(), b"\0" * (GIGABYTE // 64)
    return b"".join([*(packer.compress(zeros) for _ in range(64)), packer.flush()])


BOMBS = {
    "gzip of a gigabyte": ("gzip", _gzip_bomb),
    "zstd of a gigabyte": ("zstd", _zstd_bomb),
    "many gzip members": ("gzip", lambda: gzip.compress(b"\0" * 2**22) * 256),
    "many zstd frames": ("zstd", lambda: zstandard.compress(b"\0" * 2**22) * 256),
    "empty gzip members": ("gzip", lambda: gzip.compress(b"") * 100_000),
    "a window of 2 GB": ("zstd", lambda: b"\x28\xb5\x2f\xfd\x00\xa8" + b"\x01\x00\x00" * 10),
    "gzip within gzip": ("gzip", lambda: gzip.compress(_gzip_bomb())),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_with_little_memory(service: Service, sender: Sender, name: str) -> None:
    encoding, make = BOMBS[name]
    bomb = make()
    pids = [child.pid for child in service.children]
    before = sum(_forget_peak(pid) for pid in pids)
    with ThreadPoolExecutor(4) as pool:
        headers = {"Content-Encoding": encoding}
        replies = list(pool.map(lambda _: sender.post(bomb, **headers), range(4)))
    grown = (sum(_memory(pid, "VmHWM") for pid in pids) - before) / 2**20
    print(f"{name}: {len(bomb)} bytes, {grown:.0f} MiB")
    assert {reply.status_code for reply in replies} <= {400, 413}
    if "gigabyte" in name or "many" in name:
        assert {reply.status_code for reply in replies} == {413}
    assert grown < 150


JUST_BELOW = MAX_DECODED - 2**20
LARGE = {
    "one text": lambda: b'{"records": [{"x": "' + b"x" * JUST_BELOW + b'"}]}',
    "a list without end": lambda: b'{"records": [' + b"0," * (JUST_BELOW // 2) + b"0]}",
}


@pytest.mark.parametrize(
    ("name", "encoding", "count", "path"),
    [
        ("one text", "zstd", 8, BATCH),
        ("one text", "zstd", 8, "/api/sessions/"),
        ("a list without end", "zstd", 1, BATCH),
        ("one text", "", 3, BATCH),
    ],
)
def test_many_large_bodies_at_once_take_the_memory_of_one(
    service: Service, sender: Sender, name: str, encoding: str, count: int, path: str
) -> None:
    plain = LARGE[name]()
    body = zstandard.compress(plain) if encoding else plain
    pids = [child.pid for child in service.children]
    before = sum(_forget_peak(pid) for pid in pids)
    headers = {"Content-Encoding": encoding} if encoding else {}
    with ThreadPoolExecutor(9) as pool:
        large = [pool.submit(sender.post, body, path, **headers) for _ in range(count)]
        small = pool.submit(sender.post, json.dumps({"records": [sender.record("small")]}).encode())
        assert small.result().json()["ok"] == [sender.record("small")["client_record_id"]]
        assert {reply.result().status_code for reply in large} <= {200, 400, 413}
    grown = (sum(_memory(pid, "VmHWM") for pid in pids) - before) / 2**20
    print(f"{name}, {encoding or 'plain'}: {len(body)} bytes, {grown:.0f} MiB")
    assert grown < 200


def test_a_plain_body_above_the_limit_is_413_announced_or_not(sender: Sender) -> None:
    body = bytes(MAX_DECODED + 1)
    assert sender.post(body).status_code == 413
    pieces = (body[start : start + 2**20] for start in range(0, len(body), 2**20))
    reply = sender.client.post(BATCH, content=pieces)
    assert (reply.status_code, reply.headers["content-type"]) == (413, "application/problem+json")


def _forget_peak(pid: int) -> int:
    """Let the peak of a process's memory begin anew; what it uses now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _memory(pid, "VmRSS")


def _memory(pid: int, what: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{what}:"))
