"""Saved queries in MongoDB, and the templates that the reports process knows."""

import uuid
from datetime import datetime

from pymongo.asynchronous.database import AsyncDatabase

from ingest.auth.rules import Caller
from ingest.queries import rules
from ingest.reports import errands
from ingest.reports.room import Room
from ingest.scopes.rules import EVERYWHERE
from stockverify.clients import Document
from stockverify.vocabulary import Collection
from stockverify.wire.queries import QueryDeleted, ReportTemplate, SavedQuery, SaveQuery


class QueryStore:
    """Reads and writes saved queries."""

    def __init__(self, database: AsyncDatabase[Document], room: Room) -> None:
        self._queries, self._room = database[Collection.QUERIES], room

    async def templates(self) -> list[ReportTemplate]:
        """Queries for a start."""
        return await self._room.run(errands.Templates(), list[ReportTemplate], EVERYWHERE)

    async def save(self, request: SaveQuery, caller: Caller, now: datetime) -> SavedQuery:
        """Keep a query, if it can be asked. Raises a BadInput that names the culprit."""
        await self._room.run(errands.Check(spec=request.query_spec), type(None), EVERYWHERE)
        made = rules.query_document(f"q-{uuid.uuid4().hex[:16]}", request, caller, now)
        await self._queries.insert_one(made)
        return rules.as_query(made)

    async def queries(self, created_by: str | None, tags: str | None, limit: int) -> list[SavedQuery]:
        """Saved queries, newest first."""
        found = self._queries.find(rules.wanted(created_by, tags)).sort("created_at", -1).limit(limit)
        return [rules.as_query(document) async for document in found]

    async def query(self, query_id: str) -> SavedQuery:
        """One of them. Raises QueryUnknown."""
        return rules.as_query(await self._stored(query_id))

    async def delete(self, query_id: str, caller: Caller) -> QueryDeleted:
        """Forget one. Raises QueryUnknown or NotYourQuery."""
        rules.may_delete(await self._stored(query_id), caller)
        await self._queries.delete_one({"_id": query_id})
        return QueryDeleted(query_id=query_id)

    async def _stored(self, query_id: str) -> Document:
        if (document := await self._queries.find_one({"_id": query_id})) is None:
            raise rules.QueryUnknown(query_id=query_id[:80])
        return document
