"""Does the errands, in the reports process: the one place of the service that computes with analytics."""

import re
from datetime import UTC, datetime
from functools import singledispatchmethod
from pathlib import Path
from typing import Any, Self

import msgspec
from pymongo import MongoClient

from analytics import reports
from analytics.export import Cancelled, Format, Order, Watch, export, of_query, of_report, of_snapshot
from analytics.export.tables import Table
from analytics.export.watching import unwatched
from analytics.export.write import format_of
from analytics.figures import FIGURES, WORK, tolerance_of
from analytics.lake import Lake
from analytics.lake.reports import Reports
from analytics.lake.scoped import lake_within
from analytics.query import PREVIEW_LIMIT, QueryResult, checked, describe, run, run_live
from analytics.query.pipeline import pipeline
from analytics.query.scope import within
from analytics.query.templates import Template, templates
from ingest.reports import anomalies, comparisons, errands, places, stock_lists, telling
from ingest.reports.answers import Compared, ComparedPage, ListApplied, Made, Previewed, Rows, Totals
from ingest.reports.errands import Place
from stockverify.clients import Document, database
from stockverify.datasets import POSITIONS
from stockverify.settings import Settings
from stockverify.wire.anomalies import AnomaliesReply
from stockverify.wire.imports import Checked
from stockverify.wire.reports import Snapshot

EXPORT_SECONDS = 600


class Work:
    """All that can be done, over one lake and one client. Results are plain values and shapes of `errands`."""

    def __init__(
        self,
        settings: Settings,
        mongo: "MongoClient[Document]",
        floors: tuple[str, ...] = (),
        whole: Lake | None = None,
    ) -> None:
        self._settings, self._mongo, self._floors = settings, mongo, floors
        self._whole = whole or Lake(settings.lake)
        self._lake = lake_within(self._whole, floors)
        self._scoped: dict[tuple[str, ...], Work] = {}
        self._database, self._zone = database(mongo, settings), settings.time_zone
        self._tolerance, self._currency = tolerance_of(settings), settings.currency

    def within(self, floors: tuple[str, ...]) -> Self:
        """The same for somebody who may see some floors only; none are all. What was checked once stays known."""
        if floors == self._floors:
            return self
        if floors not in self._scoped:
            self._scoped[floors] = type(self)(self._settings, self._mongo, floors, self._whole)
        return self._scoped[floors]  # type: ignore[return-value]

    @singledispatchmethod
    def do(self, errand: errands.Errand) -> Any:
        """The result of an errand."""
        raise TypeError(f"no work is written down here for the errand {type(errand).__name__}")

    @do.register
    def _describe(self, _: errands.Describe) -> dict[str, Any]:
        return describe()

    @do.register
    def _templates(self, _: errands.Templates) -> list[Template]:
        return list(templates(self._zone))

    @do.register
    def _figures(self, _: errands.Figures) -> list[str]:
        return [each.name for each in (*FIGURES, *WORK)]

    @do.register
    def _check(self, asked: errands.Check) -> None:
        checked(asked.spec)

    @do.register
    def _preview(self, asked: errands.Preview) -> Previewed:
        query = checked(asked.spec, PREVIEW_LIMIT)
        if asked.freeze_id is not None or query.dataset is POSITIONS:
            freeze = places.freeze_of(self._lake, asked.freeze_id or "latest")
            return _previewed(run(self._lake, freeze.snapshot_id, query), [])
        seen = within(query, self._floors)
        return _previewed(run_live(self._database, seen, asked.now), pipeline(seen))

    @do.register
    def _keep(self, asked: errands.Keep) -> Totals:
        manifest = places.kept(self._lake, asked.report, asked.now)
        return Totals(manifest.as_of, manifest.rows, reports.totals(self._lake, manifest, checked(asked.report.spec)))

    @do.register
    def _forget(self, asked: errands.Forget) -> None:
        Reports(self._lake.root).remove(asked.report_id)

    @do.register
    def _list(self, _: errands.List) -> list[Snapshot]:
        return [places.shown(freeze) for freeze in self._lake.freezes()]

    @do.register
    def _find(self, asked: errands.Find) -> Snapshot:
        return places.shown(places.freeze_of(self._lake, asked.snapshot_id))

    @do.register
    def _page(self, asked: errands.Page) -> Rows:
        source = places.source_of(self._lake, asked.place)
        result = places.rows(self._lake, source, asked.skip, asked.limit)
        freeze = places.shown(source.freeze) if source.freeze else None
        return Rows(msgspec.json.encode(result.rows()), result.as_of.timestamp(), freeze)

    @do.register
    def _compare(self, asked: errands.CompareBoth) -> Compared:
        return comparisons.shown(comparisons.compared(self._lake, asked))

    @do.register
    def _read_compared(self, asked: errands.ReadCompared) -> ComparedPage:
        return comparisons.page(self._lake, asked)

    @do.register
    def _explain(self, asked: errands.Explain) -> dict[str, Any]:
        return comparisons.explained(self._lake, asked)

    @do.register
    def _export_compared(self, asked: errands.ExportCompared) -> Made:
        kind = format_of(asked.kind)
        return self._made(comparisons.table(self._lake, asked), "", kind, asked)

    @do.register
    def _export(self, asked: errands.Export) -> Made:
        kind = format_of(asked.kind)
        table, name = self._table(asked.place, asked.dataset)
        return self._made(table, name, kind, asked)

    def _made(self, table: Table, name: str, kind: Format, asked: errands.WriteFile) -> Made:
        folder = Path(asked.folder)
        folder.mkdir(parents=True, exist_ok=True)  # the process before may have died of this very errand
        path = folder / f"{_file_stem(asked.name or name)}.{kind}"
        watch = _telling(folder) if asked.in_background else unwatched
        order = Order(asked.requested_by, self._zone, asked.now, asked.bom, self._currency)
        made = export(table, kind, path, order, watch)
        return Made(str(made.path), made.rows, made.sha256)

    @do.register
    def _anomalies(self, asked: errands.FindAnomalies) -> AnomaliesReply:
        return anomalies.found(self._lake, asked)

    @do.register
    def _check_list(self, asked: errands.CheckList) -> Checked:
        return stock_lists.check(self._database, asked)

    @do.register
    def _write_rejects(self, asked: errands.WriteRejects) -> Made:
        return stock_lists.rejects(asked)

    @do.register
    def _apply_list(self, asked: errands.ApplyList) -> ListApplied:
        return stock_lists.apply_list(self._database, asked)

    def _table(self, place: Place, dataset: str | None) -> tuple[Table, str]:
        """The rows of a place, and the name of the freeze."""
        source = places.source_of(self._lake, place)
        if source.report is not None:
            manifest = places.kept(self._lake, source.report, datetime.now(UTC))
            return of_report(manifest, Reports(self._lake.root).files(manifest.report_id), checked(source.spec)), ""
        if source.freeze is None:
            return of_query(self._lake, source.freeze_id, checked(source.spec), EXPORT_SECONDS), ""
        table = of_snapshot(self._lake, source.freeze_id, dataset or POSITIONS.name, self._tolerance)
        return table, places.shown(source.freeze).name


def _previewed(result: QueryResult, stages: list[dict[str, Any]]) -> Previewed:
    rows, shown = msgspec.json.encode(result.rows()), msgspec.json.encode(stages)
    return Previewed(rows, shown, result.row_count, result.snapshot_id, result.as_of.timestamp())


def _telling(folder: Path) -> Watch:
    """Tells in the folder how far it is, and stops when it is told so there."""

    def watch(done: int, total: int | None) -> None:
        if telling.is_stopped(folder):
            raise Cancelled(rows=done)
        telling.tell(folder, telling.Progress(done, total))

    return watch


def _file_stem(name: str) -> str:
    """A name that every system takes as a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:80] or "snapshot"
