"""Does the errands, in the reports process: the one place of the service that computes with analytics."""

import re
from functools import singledispatchmethod
from pathlib import Path
from typing import Any

import msgspec
from pymongo import MongoClient

from analytics import reports
from analytics.export import Cancelled, Format, Order, Watch, export, of_comparison, of_result, of_snapshot
from analytics.export.tables import Table
from analytics.export.watching import unwatched
from analytics.export.write import format_of
from analytics.figures import FIGURES, WORK, tolerance_of
from analytics.lake import Lake
from analytics.lake.reports import Reports
from analytics.query import PREVIEW_LIMIT, QueryResult, checked, describe, run, run_live
from analytics.query.pipeline import pipeline
from analytics.query.templates import Template, templates
from ingest.reports import anomalies, comparisons, errands, places, telling
from ingest.reports.errands import Compared, ComparedPage, Made, Place, Previewed, Rows, Totals
from stockverify.clients import Document, database
from stockverify.datasets import POSITIONS
from stockverify.settings import Settings
from stockverify.wire.anomalies import AnomaliesReply
from stockverify.wire.reports import Snapshot

EXPORT_SECONDS = 600


class Work:
    """All that can be done, over one lake and one client. Results are plain values and shapes of `errands`."""

    def __init__(self, settings: Settings, mongo: "MongoClient[Document]") -> None:
        self._lake = Lake(settings.lake)
        self._database, self._zone = database(mongo, settings), settings.time_zone
        self._tolerance = tolerance_of(settings)

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
        return _previewed(run_live(self._database, query, asked.now), pipeline(query))

    @do.register
    def _keep(self, asked: errands.Keep) -> Totals:
        manifest = places.kept(self._lake, asked.report, asked.now)
        return Totals(manifest.as_of, manifest.rows, reports.totals(self._lake, manifest))

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
        table = of_comparison(comparisons.compared(self._lake, asked.compared))
        return self._made(table, kind, asked, asked.name, unwatched)

    @do.register
    def _export(self, asked: errands.Export) -> Made:
        return self._write(asked, unwatched)

    @do.register
    def _export_job(self, asked: errands.ExportJob) -> Made:
        return self._write(asked, _telling(Path(asked.folder)), asked.bom)

    def _write(self, asked: errands.Export, watch: Watch, bom: bool = True) -> Made:
        kind = format_of(asked.kind)
        table, name = self._table(asked.place, asked.dataset)
        return self._made(table, kind, asked, asked.name or name, watch, bom)

    def _made(
        self,
        table: Table,
        kind: Format,
        asked: errands.Export | errands.ExportCompared,
        name: str,
        watch: Watch,
        bom: bool = True,
    ) -> Made:
        folder = Path(asked.folder)
        folder.mkdir(parents=True, exist_ok=True)  # the process before may have died of this very errand
        path = folder / f"{_file_stem(name)}.{kind}"
        made = export(table, kind, path, Order(asked.requested_by, self._zone, asked.now, bom), watch)
        return Made(str(made.path), made.rows, made.sha256)

    @do.register
    def _anomalies(self, asked: errands.FindAnomalies) -> AnomaliesReply:
        return anomalies.found(self._lake, asked)

    def _table(self, place: Place, dataset: str | None) -> tuple[Table, str]:
        """The rows of a place, and the name of the freeze."""
        source = places.source_of(self._lake, place)
        if source.freeze is None:
            return of_result(places.rows(self._lake, source, seconds=EXPORT_SECONDS)), ""
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
