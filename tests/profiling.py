"""MongoDB's profiler on the database behind the `service` fixture: every query that the suite really issues.

The product's users keep their rights; the profiler gets a user of its own for this database.
"""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import MongoClient
from pymongo.database import Database

from analytics.extract.moment import WHOLE_COLLECTION
from analytics.query.live import LIVE_SECONDS
from stockverify.clients import Document
from stockverify.services import mongod
from stockverify.settings import Settings

PROFILE_BYTES = 512 * 2**20
ANYTHING = CodecOptions[Document](
    datetime_conversion=DatetimeConversion.DATETIME_AUTO, unicode_decode_error_handler="replace"
)
"""Plans hold the bounds of index scans, which may lie beyond Python's times, and texts that are cut amid a letter."""
_HOW = ("filter", "sort", "projection", "skip", "limit", "hint", "collation", "pipeline", "key", "query")


class Query(NamedTuple):
    """One query of the product as the profiler saw it; `command` is a find, an aggregate or a distinct."""

    collection: str
    kind: str
    command: Document
    plan: str

    @property
    def shape(self) -> str:
        """Equal for queries that differ in their values only."""
        return f"{self.collection} {self.kind} {_form({key: self.command[key] for key in _HOW if key in self.command})}"

    @property
    def any_one(self) -> bool:
        """Whether there is any document at all: answered by the first one."""
        return self.kind == "find" and not self.command.get("filter") and self.command.get("limit") == 1


def keeper(settings: Settings) -> "MongoClient[Document]":
    """A client that may change the embedded server of these settings."""
    return MongoClient(mongod._uri(settings.data_dir / "mongodb", _port(settings), "keeper"))


def _port(settings: Settings) -> int:
    return int((settings.mongodb_uri or "").split("@")[1].split("/")[0].removeprefix("127.0.0.1:"))


@contextmanager
def profiled(settings: Settings) -> "Iterator[Database[Document]]":
    """Profile the product's queries on the database of these settings; system.profile is in the database given."""
    name, password = f"profiler-{settings.mongodb_database}", secrets.token_hex(16)
    with keeper(settings) as client:
        roles = [{"role": "dbAdmin", "db": settings.mongodb_database}]
        client.admin.command("createUser", name, pwd=password, roles=roles)
    address = f"mongodb://127.0.0.1:{_port(settings)}/?directConnection=true&authSource=admin&appName=profiler"
    with MongoClient[Document](address, username=name, password=password) as client:
        database = client[settings.mongodb_database]
        database.create_collection("system.profile", capped=True, size=PROFILE_BYTES)
        # One document by its id cannot be a collection scan, and is most of what the service asks.
        wanted = {"appName": "stockverify", "planSummary": {"$ne": "IDHACK"}}
        database.command("profile", 1, filter=wanted)  # level 2 would heed no filter
        yield database


@contextmanager
def all_served(embedded: Settings, name: str, mongo: "MongoClient[Document]") -> "Iterator[Database[Document]]":
    """Profile what the product asks of the database of this name: an index must serve all of it."""
    with profiled(msgspec.structs.replace(embedded, mongodb_database=name)) as profile:
        yield profile
        found = scans(profile, mongo[name])
        assert found == [], "No index serves:\n" + "\n".join(found)


def queries(profile: "Database[Document]") -> Iterator[Query]:
    """All queries that were profiled, what finds the documents of updates and deletions included."""
    fields = {"op": 1, "ns": 1, "command": 1, "planSummary": 1}
    for entry in profile["system.profile"].find(
        {"op": {"$nin": ["insert", "getmore"]}, "ns": {"$ne": f"{profile.name}.system.profile"}}, fields
    ):
        if "planSummary" not in entry:  # indexes were made, or something failed
            continue
        collection, command = entry["ns"].split(".", 1)[1], entry.get("command", {})
        kind, asked = _as_read(collection, entry["op"], command)
        yield Query(collection, kind, asked, entry["planSummary"])


def _as_read(collection: str, op: str, command: Document) -> tuple[str, Document]:
    """The read that finds what a command reads or changes: its plan is the command's plan."""
    if op in ("update", "remove") and "q" in command:
        return op, {"find": collection, "filter": command["q"]}
    if "findAndModify" in command:
        return "findAndModify", {"find": collection, "filter": command["query"], "sort": command.get("sort", {})}
    for kind in ("find", "aggregate", "distinct"):
        if kind in command:
            kept = {key: command[key] for key in (kind, *_HOW) if key in command}
            return _named(kind, command), kept | ({"cursor": {}} if kind == "aggregate" else {})
    return "unreadable", {}


def _named(kind: str, command: Document) -> str:
    """Ad-hoc queries of reports, which may filter by any field, carry a time limit of their own; extracts say so."""
    if command.get("comment") == WHOLE_COLLECTION:
        return "extract"
    return "report" if command.get("maxTimeMS") == LIVE_SECONDS * 1000 else kind


def scans(profile: "Database[Document]", stored: "Database[Document]") -> list[str]:
    """The queries that no index serves. Of queries too long for the profiler only the plan that was run is known.

    Anything may be asked of reports, within ten seconds; an extract is to read all there is.
    """
    asked = [query for query in distinct_shapes(queries(profile)).values() if query.kind not in ("report", "extract")]
    found = [query for query in asked if not query.any_one and "COLLSCAN" in plan(query, stored)]
    return [f"{query.shape}: {query.command}"[:600] for query in found]


def plan(query: Query, stored: "Database[Document]") -> str:
    """The plan that was run, and the stages of the one that would be run now."""
    if query.kind == "unreadable":
        return query.plan
    explained = stored.command("explain", query.command, verbosity="queryPlanner", codec_options=ANYTHING)
    return " ".join((query.plan, *stages(explained)))


def stages(explained: Any) -> Iterator[str]:
    """The stages of the plan that would be run."""
    if isinstance(explained, dict):
        if isinstance(explained.get("stage"), str):
            yield explained["stage"]
        for key, value in explained.items():
            if key not in ("rejectedPlans", "command", "parsedQuery", "slotBasedPlan"):
                yield from stages(value)
    elif isinstance(explained, list):
        for value in explained:
            yield from stages(value)


def distinct_shapes(found: Iterable[Query]) -> dict[str, Query]:
    """One query for each shape."""
    return {query.shape: query for query in found}


def _form(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _form(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted({str(_form(inner)) for inner in value})
    return value if isinstance(value, bool) or value in (1, -1) else "?"
