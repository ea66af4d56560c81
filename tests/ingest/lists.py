"""Stock lists for tests of uploads, and short ways to send them."""

import io
import struct
import time
import zipfile
import zlib
from typing import Any

import httpx

from tests.stockverify.stocklist.samples import xlsx_bytes

_TEXTS = "xl/sharedStrings.xml"
HEADING = "rack_id,floor,item_code,item_name,book_qty,unit_cost"


def csv(*lines: str, heading: str = HEADING) -> bytes:
    """A list as a file."""
    return "\n".join([heading, *lines, ""]).encode()


def send(client: httpx.Client, data: bytes, name: str = "list.csv") -> httpx.Response:
    """Upload it."""
    kind = {"Content-Type": "application/octet-stream"}
    return client.post("/api/imports/", params={"name": name}, content=data, headers=kind)


def upload(client: httpx.Client, data: bytes, name: str = "list.csv") -> dict[str, Any]:
    """Upload it; the list as it was found."""
    reply = send(client, data, name)
    assert reply.status_code == 201, reply.text
    found: dict[str, Any] = reply.json()
    return found


def check(client: httpx.Client, job: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A dry run with these options."""
    reply = client.post(f"/api/imports/{job['import_id']}/check", json=options)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def commit(client: httpx.Client, job: dict[str, Any], **other: str) -> httpx.Response:
    """Import it as its dry run says."""
    agreed = {"sha256": job["sha256"], "plan": job["checked"]["outcome"]["plan"]} | other
    return client.post(f"/api/imports/{job['import_id']}/commit", json=agreed)


def ended(client: httpx.Client, job: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
    """The list once it is queued and written no more."""
    deadline = time.monotonic() + seconds
    while (found := client.get(f"/api/imports/{job['import_id']}").json())["status"] in ("queued", "writing"):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    answer: dict[str, Any] = found
    return answer


def numbers(job: dict[str, Any]) -> dict[str, int]:
    """The numbers of a dry run that do not depend on the rest of the book."""
    outcome = job["checked"]["outcome"]
    return {name: outcome[name] for name in ("rows_read", "rejected", "added", "changed", "unchanged", "new_racks")}


def bomb(mebibytes: int, says: int | None = None) -> bytes:
    """A workbook of so many MiB of short texts; its directory may say another size in bytes."""
    honest = xlsx_bytes(("S", [["rack_id", "item_code", "book_qty"], ["R", "A", 1]]))
    text = b"<si><t>a</t></si>" * (2**20 // 17)
    packer, end = (zlib.compressobj(9, zlib.DEFLATED, -15) for _ in range(2))
    piece = packer.compress(text) + packer.flush(zlib.Z_FULL_FLUSH)
    head = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    body = end.compress(head) + end.flush(zlib.Z_FULL_FLUSH) + piece * mebibytes + end.compress(b"</sst>") + end.flush()
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(honest)) as before, zipfile.ZipFile(packed, "w") as after:
        for name in before.namelist():
            after.writestr(name, body if name == _TEXTS else before.read(name))
    data, size = packed.getvalue(), says or len(head) + len(text) * mebibytes + len(b"</sst>")
    # It was stored as it is: both of its headers now say that it is deflated, from so many bytes.
    return _as_deflated(_as_deflated(data, size, b"PK\x03\x04", 8, 22, 26, 30), size, b"PK\x01\x02", 10, 24, 28, 46)


def _as_deflated(
    data: bytes, size: int, mark: bytes, method_at: int, size_at: int, length_at: int, fixed: int
) -> bytes:
    at = data.index(mark)
    while data[at + fixed : at + fixed + struct.unpack_from("<H", data, at + length_at)[0]] != _TEXTS.encode():
        at = data.index(mark, at + 1)
    changed = bytearray(data)
    struct.pack_into("<H", changed, at + method_at, zipfile.ZIP_DEFLATED)
    struct.pack_into("<I", changed, at + size_at, size)
    return bytes(changed)
