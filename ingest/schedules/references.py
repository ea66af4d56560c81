"""Whether what a schedule refers to is there."""

import msgspec
from pymongo.asynchronous.database import AsyncDatabase

from ingest.reports import errands
from ingest.reports.room import Room
from ingest.schedules.rules import WrongField
from ingest.scopes.rules import EVERYWHERE
from stockverify.clients import Document
from stockverify.errors import NotFound
from stockverify.vocabulary import Collection, Condition, Subject
from stockverify.wire.queries import ReportTemplate
from stockverify.wire.reports import QuerySpec, Snapshot
from stockverify.wire.schedules import ReportOf, SaveSchedule

_LATEST = "latest"


class References:
    """Asks MongoDB for saved queries, and the reports process for all else."""

    def __init__(self, database: AsyncDatabase[Document], room: Room) -> None:
        self._queries, self._room = database[Collection.QUERIES], room

    async def check(self, wanted: SaveSchedule) -> None:
        """Raises WrongField, or what is wrong with a query."""
        if wanted.condition.kind is Condition.FIGURE:
            await self._check_figure(wanted.condition.figure or "")
        report = wanted.report
        if report and (spec := await self._spec(report)):
            filtered = msgspec.structs.replace(spec, filters=spec.filters | report.params)
            await self._room.run(errands.Check(spec=filtered), type(None), EVERYWHERE)
        if report and report.subject is Subject.SNAPSHOT and report.ref != _LATEST:
            await self._check_snapshot(report.ref or "")

    async def _check_snapshot(self, snapshot_id: str) -> None:
        try:
            await self._room.run(errands.Find(snapshot_id=snapshot_id), Snapshot, EVERYWHERE)
        except NotFound as error:
            raise WrongField(field="report.ref", reason=error.message) from None

    async def _check_figure(self, name: str) -> None:
        known = await self._room.run(errands.Figures(), list[str], EVERYWHERE)
        if name not in known:
            raise WrongField(field="condition.figure", reason=f"{name[:80]!r} is none; use one of: {', '.join(known)}")

    async def _spec(self, report: ReportOf) -> QuerySpec | None:
        if report.subject is Subject.TEMPLATE:
            known = {
                each.name: each for each in await self._room.run(errands.Templates(), list[ReportTemplate], EVERYWHERE)
            }
            if report.ref not in known:
                raise WrongField(field="report.ref", reason=f"no such template; use one of: {', '.join(known)}")
            return known[report.ref].query_spec
        if report.subject is not Subject.QUERY or report.ref is None:
            return report.query
        saved = await self._queries.find_one({"_id": report.ref})
        if saved is None:
            raise WrongField(field="report.ref", reason=f"there is no saved query {report.ref[:80]}")
        return msgspec.json.decode(saved["query_spec"], type=QuerySpec)
