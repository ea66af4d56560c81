"""The schemas of all bodies, taken from the structs that decode and encode them."""

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from ingest.sync.operations import Operation
from stockverify import wire
from stockverify.wire import sync
from stockverify.wire.common import Reply, Request
from stockverify.wire.sync import MAX_BATCH_RECORDS, SyncRecord

REF = "#/components/schemas/{name}"
_SHORT_AND_TYPED = Meta(min_length=1, max_length=MAX_BATCH_RECORDS)


class SyncBatch(Request, frozen=True, kw_only=True):
    """POST /api/sync/batch. A record that does not fit its schema costs only itself: it comes back in `errors`."""

    records: Annotated[list[SyncRecord], _SHORT_AND_TYPED]
    batch_id: Annotated[str, Meta(max_length=128)] | int | None = None


class DocumentedOperation(Operation, frozen=True, kw_only=True):
    """One entry of `operations` of older devices; its id is the client_record_id of what it stands for."""

    type: Literal["session", "count_line", "unknown_item"]


class OperationsBatch(Request, frozen=True, kw_only=True):
    """POST /api/sync/batch as older devices send it; the reply is the same."""

    operations: Annotated[list[DocumentedOperation], _SHORT_AND_TYPED]
    batch_id: Annotated[str, Meta(max_length=128)] | int | None = None


class Problem(Reply, frozen=True, kw_only=True):
    """Why a request was refused (RFC 9457): `detail` says what is wrong, where, and what to do."""

    type: str
    title: str
    status: int
    detail: str


def schemas() -> dict[str, Any]:
    """All of them, by name."""
    _, components = msgspec.json.schema_components(list(_structs()), ref_template=REF)
    for time in ("created_at", "updated_at"):  # a time without an offset is read too, as UTC, but should not be sent
        components[SyncRecord.__name__]["properties"][time]["format"] = "date-time"
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(components))  # defaults may be tuples
    return plain


def reference(kind: type[Struct]) -> dict[str, str]:
    """A schema that stands for a struct."""
    return {"$ref": REF.format(name=kind.__name__)}


def _structs() -> Iterator[type[Struct]]:
    yield from (SyncBatch, OperationsBatch, Problem)
    for each in pkgutil.iter_modules(wire.__path__, f"{wire.__name__}."):
        module = import_module(each.name)
        for _, found in inspect.getmembers(module, inspect.isclass):
            if issubclass(found, Struct) and found.__module__ == module.__name__ and found not in _NO_BODIES:
                yield found


_NO_BODIES = (Request, Reply, sync.RawBatch, sync.RawRecords)
