"""How a file goes out: as an attachment, under the name that it has."""

from pathlib import Path

from litestar.response import File

from stockverify.clients import Document
from stockverify.media_types import MEDIA_TYPES


def download(path: Path, job: Document) -> File:
    """The file as a reply, in pieces; it stays for the next one who has the link."""
    headers = {
        "X-Rows": str(job["rows_done"]),
        "X-Content-SHA256": job["sha256"],
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return File(path, filename=path.name, media_type=MEDIA_TYPES[job["format"]], headers=headers)
