"""Invariant 16 for mails: what is attached, opened with other libraries, agrees with the lake and with the tiles."""

import csv
import html
import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from openpyxl.utils.escape import unescape

from analytics.figures import overview
from analytics.glance.numbers import amount
from analytics.query import checked, run
from analytics.query.templates import templates
from jobs.reports.report import report
from stockverify.letters import Letter, folder, opened
from tests.analytics.export.reading import attached, pdf_text, unguarded
from tests.jobs.reports.conftest import NOW, House, MakeRun, about, after
from tests.service import Service, running_service

FORMATS = ["html", "csv", "xlsx", "json", "pdf"]


def sent(house: House, run: dict[str, Any]) -> tuple[Letter, dict[str, Path]]:
    """The letter of a run, and its files by their endings."""
    report(house.tools, run, NOW)
    place = folder(house.settings.mails, run["_id"])
    letter = opened(house.settings.mails, run["_id"])
    names = [each.name for each in letter.attachments if not each.name.endswith(".manifest.json")]
    return letter, {Path(name).suffix[1:]: place / name for name in names}


def tiles(letter: Letter) -> dict[str, str]:
    """The figures of the page by their labels."""
    found = re.findall(r'class="quiet"[^>]*>([^<]*)</div>\s*<div class="ink"[^>]*>([^<]*)</div>', letter.html)
    return {html.unescape(label): html.unescape(value) for label, value in found}


def from_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def from_xlsx(path: Path, sheet: str) -> list[dict[str, Any]]:
    header, *rows = openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True)
    return [dict(zip(header, cells, strict=True)) for cells in rows]


def rows_of(files: dict[str, Path]) -> dict[str, list[dict[str, Any]]]:
    """What each file of a query on positions holds."""
    return {
        "csv": from_csv(files["csv"]),
        "xlsx": from_xlsx(files["xlsx"], "positions"),
        "json": json.loads(files["json"].read_text())["rows"],
        "pdf": attached(files["pdf"])["first_rows"],
    }


def added(values: Iterable[Any]) -> float:
    return round(math.fsum(float(value) for value in values if value not in (None, "")), 6) + 0.0


def test_a_query_agrees_in_all_its_files(house: House, make_run: MakeRun) -> None:
    run_document = make_run({**about("template", ref="rack_summary"), "formats": FORMATS, **after(house.older)})
    letter, files = sent(house, run_document)
    spec = next(each.query_spec for each in templates("UTC") if each.name == "rack_summary")
    expected = run(house.tools.lake, house.newer.snapshot_id, checked(spec)).frame
    for rows in rows_of(files).values():
        assert [unguarded(unescape(str(row["rack_id"]))) for row in rows] == expected["rack_id"].to_list()
        for name in ("verified_qty_sum", "book_qty_sum", "variance_value_sum", "item_code_count"):
            assert added(row[name] for row in rows) == added(expected[name])
    shown = tiles(letter)
    assert shown["Groups"] == amount(expected.height, "lines")
    assert shown["Verified sum"] == amount(added(expected["verified_qty_sum"]), "units")
    assert shown["Variance value sum"] == amount(added(expected["variance_value_sum"]), "value")
    assert house.newer.snapshot_id in pdf_text(files["pdf"])


@pytest.mark.parametrize("subject", ["summary", "snapshot"])
def test_the_lines_of_a_snapshot_agree_with_the_tiles(house: House, make_run: MakeRun, subject: str) -> None:
    letter, files = sent(house, make_run({**about(subject), "formats": FORMATS}))
    lines = from_csv(files["csv"])
    counted = [line for line in lines if line["counted"] == "true"]
    expected = overview(house.tools.lake, house.newer.snapshot_id).totals
    shown = tiles(letter)
    assert shown["Lines counted"] == f"{len(counted)} / {len(lines)}"
    assert shown["Net variance, value"] == amount(added(line["variance_value"] for line in counted), "value")
    assert shown["Verified units"] == amount(added(line["verified_qty"] for line in counted), "units")
    assert shown["Accuracy"] == amount(expected.accuracy, "share")
    said = pdf_text(files["pdf"])
    for label in ("Progress", "Accuracy", "Accuracy by value"):
        assert f"{label} {shown[label]}" in said  # both are cut, not rounded
    sheet = from_xlsx(files["xlsx"], "positions")
    whole = pl.read_parquet(house.tools.lake.files("positions", house.newer.snapshot_id), glob=False)
    codes = sorted(whole["item_code"].to_list())
    assert "00123" in codes
    assert sorted(unguarded(line["item_code"]) for line in lines) == codes
    assert sorted(unescape(str(line["item_code"])) for line in sheet) == codes
    assert added(line["variance_value"] for line in sheet) == round(expected.net_variance_value, 6)
    assert json.loads(files["json"].read_text())["row_count"] == len(codes)
    assert attached(files["pdf"])["rows"] == len(codes)


@pytest.fixture(scope="module")
def office(house: House) -> Iterator[Service]:
    """The service over the same lake."""
    with running_service(house.settings) as started:
        yield started


def test_the_service_answers_what_the_mail_says(house: House, make_run: MakeRun, office: Service) -> None:
    letter, files = sent(house, make_run({**about("template", ref="variance_by_category"), "formats": FORMATS}))
    supervisor = office.person("supervisor")
    known = {each["name"]: each["query_spec"] for each in supervisor.get("/api/reports/templates").json()}
    asked = known["variance_by_category"] | {"snapshot_id": house.newer.snapshot_id}
    reply = supervisor.post("/api/reports/query/preview", json=asked).json()
    for kind, lines in rows_of(files).items():
        assert [line["category"] for line in lines] == [row["_id"] for row in reply["rows"]], kind
        for name in ("book_qty_sum", "verified_qty_sum", "variance_qty_sum", "variance_value_sum"):
            assert [float(line[name]) for line in lines] == [row[name] for row in reply["rows"]], kind
    assert tiles(letter)["Groups"] == str(reply["row_count"])
    summary, whole = sent(house, make_run({**about("summary"), "formats": ["csv"]}))
    page = supervisor.get(f"/api/reports/snapshots/{house.newer.snapshot_id}?limit=1000").json()
    assert page["row_count"] == len(from_csv(whole["csv"]))
    value = added(row["variance_value"] for row in page["rows"] if row["counted"])
    assert tiles(summary)["Net variance, value"] == amount(value, "value")


def test_the_text_has_the_same_figures_as_the_page(house: House, make_run: MakeRun) -> None:
    letter, _ = sent(house, make_run(about("summary")))
    for label, value in tiles(letter).items():
        assert f"- {label}: {value}" in letter.text


def test_a_comparison_agrees_with_its_counts(house: House, make_run: MakeRun) -> None:
    letter, files = sent(house, make_run({**about("comparison"), "formats": ["csv"], **after(house.older)}))
    changes = [line["change"] for line in from_csv(files["csv"])]
    shown = tiles(letter)
    assert shown["Lines changed"] == amount(changes.count("changed"), "lines")
    assert shown["Lines added"] == amount(changes.count("added"), "lines")
    assert shown["Lines removed"] == amount(changes.count("removed"), "lines")
    assert f"10 of {len(changes)} changes." in letter.html
