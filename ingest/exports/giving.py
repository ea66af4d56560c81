"""How a file goes out: as an attachment under its name, whole, or from where an earlier download broke off."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from litestar.datastructures import ETag
from litestar.response import File, Response, Stream
from litestar.status_codes import HTTP_206_PARTIAL_CONTENT

from ingest.exports import ranges
from ingest.exports.ranges import Part
from stockverify.clients import Document
from stockverify.media_types import MEDIA_TYPES

_CHUNK = 2**20


def download(path: Path, job: Document, asked: str | None, if_range: str | None) -> Response[Any]:
    """The file as a reply, in pieces; it stays for the next one who has the link. Raises BeyondTheEnd."""
    part = ranges.wanted(asked, if_range, _etag(job).to_header(), path.stat().st_size)
    kind = MEDIA_TYPES[job["format"]]
    if part is None:
        return File(path, filename=path.name, media_type=kind, etag=_etag(job), headers=_headers(job))
    headers = _described(path, job, part.length) | {"Content-Range": part.content_range}
    return Stream(_pieces(path, part), status_code=HTTP_206_PARTIAL_CONTENT, media_type=kind, headers=headers)


def about(path: Path, job: Document) -> Response[None]:
    """The headers of the whole file and nothing else; a range is for GET alone (RFC 9110, section 14.2)."""
    headers = _described(path, job, path.stat().st_size)
    return Response(None, media_type=MEDIA_TYPES[job["format"]], headers=headers)


def _described(path: Path, job: Document, length: int) -> dict[str, str]:
    """What Litestar says by itself of a whole file only. Names of files are plain letters, digits, dots and lines."""
    return _headers(job) | {
        "Content-Length": str(length),
        "Content-Disposition": f'attachment; filename="{path.name}"',
        "ETag": _etag(job).to_header(),
    }


def _etag(job: Document) -> ETag:
    return ETag(value=job["sha256"])


def _headers(job: Document) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "X-Rows": str(job["rows_done"]),
        "X-Content-SHA256": job["sha256"],
        "Link": f'</api/reports/exports/{job["_id"]}/manifest>; rel="describedby"; type="application/json"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def _pieces(path: Path, part: Part) -> Iterator[bytes]:
    """Litestar asks for each in a thread, so that no heartbeat waits for the disk."""
    left = part.length
    with path.open("rb") as file:
        file.seek(part.first)
        while left and (piece := file.read(min(left, _CHUNK))):
            left -= len(piece)
            yield piece
