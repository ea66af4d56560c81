"""How the versions of the model look on the wire and in the database."""

from typing import Any

from stockverify.clients import Document
from tests.ingest.machine_model import Version


def as_sent(version: Version) -> dict[str, Any]:
    """As a device sends it."""
    item, verified, damage, place, status = version.content
    return {
        "client_record_id": version.name,
        "session_id": version.session,
        "item_code": item,
        "verified_qty": verified,
        "damage_qty": damage,
        "bin": place or None,
        "serial_numbers": list(version.serials),
        "status": status,
        "revision": version.revision,
        "created_at": "2026-01-05T08:00:00Z",
        "updated_at": f"2026-01-05T08:{version.revision % 60:02d}:00Z",
    }


def kinds(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """What a reply says of conflicts, but for their words."""
    return [(each["client_record_id"], each["conflict_type"]) for each in answer["conflicts"]]


def conflict_of(version: Version) -> dict[str, Any]:
    """The query for the conflict of one version; content tells versions of one revision apart."""
    return {
        "client_record_id": version.name,
        "local_data.revision": version.revision,
        "local_data.session_id": version.session,
        "local_data.verified_qty": version.content[1],
        "local_data.damage_qty": version.content[2],
        "local_data.serial_numbers": list(version.serials),
    }


def stored_version(row: Document) -> tuple[Any, ...]:
    """What tells versions apart, of a stored record."""
    content = (row["item_code"], row["verified_qty"], row["damage_qty"], row["bin"], row["status"])
    return row["session_id"], row["revision"], content, tuple(row["serial_numbers"])


def sent_version(row: Document) -> tuple[Any, ...]:
    """The same of a record that was kept aside."""
    return stored_version(row | {"bin": row["bin"] or ""})
