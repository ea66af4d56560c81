"""Reading MongoDB for checks: a collection from end to end, at one moment, some documents at a time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from pymongo.client_session import ClientSession
from pymongo.database import Database

from analytics.extract import Abandoned
from analytics.extract.moment import WHOLE_COLLECTION
from stockverify.clients import Document
from stockverify.vocabulary import Collection

AT_ONCE = 1000
Sort = Sequence[tuple[str, int]]
_BY_ID: Sort = (("_id", 1),)


class Reading(NamedTuple):
    """One moment of a database. `stopping` is asked before each chunk; then Abandoned is raised."""

    database: Database[Document]
    session: ClientSession
    stopping: Callable[[], bool]

    def chunks(
        self, name: Collection, fields: Sequence[str], sort: Sort = _BY_ID, wanted: Document | None = None
    ) -> Iterator[list[Document]]:
        """All documents of a collection in the order of an index, with these fields."""
        found = self.database[name].find(
            wanted or {}, list(fields), session=self.session, batch_size=AT_ONCE, comment=WHOLE_COLLECTION
        )
        chunk: list[Document] = []
        for document in found.sort(list(sort)):
            chunk.append(document)
            if len(chunk) == AT_ONCE:
                yield self._still(chunk)
                chunk = []
        if chunk:
            yield self._still(chunk)

    def among(self, name: Collection, ids: set[Any], fields: Sequence[str]) -> dict[Any, Document]:
        """The documents with these ids, those that exist."""
        ids = ids - {None}
        if not ids:
            return {}
        found = self.database[name].find({"_id": {"$in": list(ids)}}, list(fields), session=self.session)
        return {document["_id"]: document for document in found}

    def _still(self, chunk: list[Document]) -> list[Document]:
        if self.stopping():
            raise Abandoned()
        return chunk


@contextmanager
def reading(database: Database[Document], stopping: Callable[[], bool]) -> Iterator[Reading]:
    """The present moment: what is written meanwhile cannot look like a contradiction. It stays readable for the
    server's history window, which is why each check takes a moment of its own."""
    with database.client.start_session(snapshot=True) as session:
        yield Reading(database, session, stopping)
