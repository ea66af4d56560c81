"""Pure decisions about saved queries: how one is stored and shown, and who may delete it."""

from datetime import datetime

from ingest.auth.rules import Caller
from ingest.reports.rules import spec_as_stored, spec_of
from stockverify.clients import Document, as_stored
from stockverify.errors import Forbidden, NotFound
from stockverify.vocabulary import Role
from stockverify.wire.queries import SavedQuery, SaveQuery


class QueryUnknown(NotFound):
    """There is no saved query {query_id}. GET /api/reports/queries lists all."""


class NotYourQuery(Forbidden):
    """Query {query_id} was saved by {owner}; its maker or an admin may delete it."""


def query_document(query_id: str, request: SaveQuery, caller: Caller, now: datetime) -> Document:
    """A query as it is stored."""
    return {
        "_id": query_id,
        "name": request.name,
        "description": request.description,
        "query_spec": spec_as_stored(request.query_spec),
        "tags": request.tags,
        "created_by": caller.username,
        "created_at": as_stored(now),
    }


def as_query(document: Document) -> SavedQuery:
    """A stored query as replies show it."""
    return SavedQuery(
        query_id=document["_id"],
        name=document["name"],
        description=document["description"],
        query_spec=spec_of(document),
        tags=document["tags"],
        created_by=document["created_by"],
        created_at=document["created_at"].timestamp(),
    )


def wanted(created_by: str | None, tags: str | None) -> Document:
    """What a list is asked for; of several tags, separated by commas, any one is enough."""
    named = [tag.strip() for tag in (tags or "").split(",") if tag.strip()]
    return ({"created_by": created_by} if created_by else {}) | ({"tags": {"$in": named}} if named else {})


def may_delete(document: Document, caller: Caller) -> None:
    """Raises NotYourQuery unless the caller saved it or is an admin."""
    if caller.role is not Role.ADMIN and document["created_by"] != caller.username:
        raise NotYourQuery(query_id=document["_id"], owner=document["created_by"])
