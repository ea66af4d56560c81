"""Reads, within one transaction, what is stored around a proposal."""

from collections.abc import Iterable

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from ingest.conflicts.places import Place, place
from ingest.conflicts.plans import Around, serials_of
from ingest.conflicts.proposals import Proposal
from stockverify.clients import Document
from stockverify.vocabulary import Collection


class AroundReader:
    """Reads at the transaction's own point in time, so that what was read is what is written to."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._records, self._serials = database[Collection.RECORDS], database[Collection.SERIALS]
        self._sessions, self._racks = database[Collection.SESSIONS], database[Collection.RACKS]
        self._items = database[Collection.ERP_ITEMS]

    async def place(self, proposal: Proposal, transaction: AsyncClientSession) -> Place:
        """Where the proposal counts."""
        content = proposal.content
        session = await self._sessions.find_one({"_id": content.session_id}, session=transaction)
        rack = await self._racks.find_one({"_id": content.rack_id}, session=transaction) if content.rack_id else None
        return place(proposal, session, rack)

    async def around(self, proposal: Proposal, where: Place, transaction: AsyncClientSession) -> Around:
        """What stands on its line, under its id, and about its serial numbers."""
        content = proposal.content
        known = await self._items.find_one({"item_code": content.item_code}, {"_id": 1}, session=transaction)
        around = Around(known_item=known is not None)
        around.current = await self._records.find_one({"_id": content.client_record_id}, session=transaction)
        if where.rack_id is not None:
            line = {"rack_id": where.rack_id, "round": where.round, "item_code": content.item_code}
            around.on_line = await self._records.find(line, session=transaction).to_list()
        stored = [*around.on_line, *([around.current] if around.current else [])]
        serials = serials_of(stored) | set(content.serial_numbers or ())
        if serials:
            await self._read_serials(around, serials, transaction)
        return around

    async def _read_serials(self, around: Around, serials: Iterable[str], transaction: AsyncClientSession) -> None:
        """All records that list a serial number are in the rack of the one that it belongs to."""
        wanted = {"$in": sorted(serials)}
        claims = await self._serials.find({"_id": wanted}, session=transaction).to_list()
        around.claims = {claim["_id"]: claim for claim in claims}
        racks = {claim["rack_id"] for claim in claims if claim["rack_id"] is not None}
        owners = {claim["client_record_id"] for claim in claims}
        listed = {"rack_id": {"$in": sorted(racks)}, "serial_numbers": wanted}
        either = {"$or": [{"_id": {"$in": sorted(owners)}}, listed]}
        around.listing = await self._records.find(either, session=transaction).to_list()
