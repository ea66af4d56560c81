"""Queries that people keep, and those that are there for a start."""

from typing import Annotated

from msgspec import Meta, field

from stockverify.wire.common import Name, Reply, Request, Text
from stockverify.wire.reports import QuerySpec


class SaveQuery(Request, frozen=True, kw_only=True):
    """POST /api/reports/queries"""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    query_spec: QuerySpec
    description: Text = ""
    tags: Annotated[list[Name], Meta(max_length=20)] = field(default_factory=list)


class SavedQuery(Reply, frozen=True, kw_only=True):
    """A query that somebody keeps; its owner is who made it."""

    query_id: str
    name: str
    description: str
    query_spec: QuerySpec
    tags: list[str]
    created_by: str
    created_at: float


class QueryDeleted(Reply, frozen=True, kw_only=True):
    """What delete answers."""

    query_id: str
    success: bool = True


class ReportTemplate(Reply, frozen=True, kw_only=True):
    """A report that most stores ask for: its query, and the question that it answers."""

    name: str
    title: str
    answers: str
    query_spec: QuerySpec
