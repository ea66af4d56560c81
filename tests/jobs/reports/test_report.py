"""A run of a report, from its snapshot to the outbox, on real MongoDB and a real lake."""

import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from pymongo.errors import AutoReconnect

from analytics.extract import Abandoned
from analytics.lake import Lake
from analytics.lake.store import SnapshotNotFound
from jobs.reports import report as module
from jobs.reports.plan import PlanUnreadable, plan_of
from jobs.reports.questions import NothingAsked, SavedQueryGone, TemplateUnknown, of_query
from jobs.reports.report import NoAddress, report
from jobs.reports.wording import size
from jobs.tools import Done
from stockverify import page_links
from stockverify.clients import Document
from stockverify.errors import StockVerifyError
from stockverify.letters import UNSUBSCRIBE, Letter, folder, opened
from stockverify.vocabulary import Collection
from stockverify.wire.reports import QuerySpec
from tests.analytics.stock import item
from tests.jobs.reports.conftest import DUE, HOSTILE, LATE, NOW, House, MakeRun, about, after, only_when

SPEC = {
    "collection": "positions",
    "filters": {"counted": True},
    "group_by": ["floor"],
    "aggregations": {"item_code": "count"},
}


def letter_of(house: House, run: Document) -> Letter:
    return opened(house.settings.mails, run["_id"])


def mailed(house: House, run: Document) -> dict[str, str]:
    """Who gets a mail of a run, and of what kind it is."""
    rows = house.tools.database[Collection.DELIVERIES].find({"run_id": run["_id"]})
    return {row["recipient"]: row["kind"] for row in rows}


def test_a_summary_goes_to_everybody_once(house: House, make_run: MakeRun) -> None:
    run, euros = make_run(after(house.older)), msgspec.structs.replace(house.settings, currency="EUR")
    done = report(house.tools._replace(settings=euros), run, NOW)
    assert done.snapshot_id == house.newer.snapshot_id
    assert done.note == "Put into the outbox for 2 recipients."
    assert {name: value for name, value in done.result.items() if name != "content_hash"} == {
        "rows": 597,
        "over_limit": False,
        "sent_to": 2,
    }
    assert mailed(house, run) == {"ann@example.com": "report", "ben@example.com": "report"}
    letter = letter_of(house, run)
    zone = "CET (Europe/Berlin)"
    assert letter.subject.startswith("[StockVerify] Morning report, as of ")
    assert letter.subject.endswith(" CET")
    assert (letter.snapshot_id, letter.as_of, letter.late) == (house.newer.snapshot_id, house.newer.as_of, False)
    for text in (letter.html, letter.text):
        assert zone in text
        assert UNSUBSCRIBE in text
        assert house.newer.snapshot_id in text
        assert "racks not counted at all" in text
        assert "Net variance, EUR" in text
        assert "Variance value (EUR)" in text
    assert f"https://stock.example/?snapshot={house.newer.snapshot_id}" in letter.html
    assert [image.name for image in letter.images] == ["progress.png", "quantities.png", "categories.png", "racks.png"]


def test_a_run_that_was_taken_over_changes_nothing(house: House, make_run: MakeRun) -> None:
    run = make_run({**about("snapshot"), "formats": ["html", "csv"]})
    first = report(house.tools, run, NOW)
    before = letter_of(house, run)
    again = report(house.tools, run, NOW + timedelta(minutes=7))
    assert again == first
    assert letter_of(house, run) == before
    assert len(mailed(house, run)) == 2
    house.tools.database[Collection.DELIVERIES].delete_one({"run_id": run["_id"], "recipient": "ben@example.com"})
    report(house.tools, run, NOW)
    assert set(mailed(house, run)) == {"ann@example.com", "ben@example.com"}


def test_nothing_is_left_behind_but_the_letter(
    house: House, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise AutoReconnect("gone")

    killed = house.settings.data_dir / "spill" / "999999999-report-0"
    killed.mkdir(parents=True)
    monkeypatch.setattr(module, "keep", broken)
    run = make_run({"formats": ["html", "csv"]})
    with pytest.raises(AutoReconnect):
        report(house.tools, run, NOW)
    assert mailed(house, run) == {}
    assert not folder(house.settings.mails, run["_id"]).exists()
    assert [path.name for path in (house.settings.data_dir / "spill").iterdir() if "report" in path.name] == []


def test_the_snapshot_is_the_first_that_has_all_of_the_due_time(house: House, make_run: MakeRun, tmp_path: Any) -> None:
    settings = msgspec.structs.replace(house.settings, data_dir=tmp_path)
    tools = house.tools._replace(lake=Lake(settings.lake), settings=settings)
    early = make_run(about("snapshot"), snapshot=None, due_at=datetime.now(UTC))
    first = report(tools, early, NOW).snapshot_id
    assert first == early["snapshot_id"]
    assert tools.database[Collection.RUNS].find_one({"_id": early["_id"]})["snapshot_id"] == first  # type: ignore[index]
    [taken] = tools.lake.freezes()
    assert taken.as_of >= early["due_at"].replace(microsecond=0)
    assert report(tools, make_run(snapshot=None, due_at=early["due_at"] - timedelta(1)), NOW).snapshot_id == first
    wished = make_run(snapshot=None, purpose="now", due_at=None, requested_at=datetime.now(UTC) + timedelta(seconds=1))
    newest = report(tools, wished, datetime.now(UTC)).snapshot_id
    assert newest != first
    assert [each.name for each in tools.lake.freezes()] == [
        f"For {wished['schedule']['name']}",
        f"For {early['schedule']['name']}",
    ]
    test = make_run(snapshot=None, purpose="test", due_at=None, requested_email="eve@example.com", requested_at=NOW)
    assert report(tools, test, NOW).snapshot_id == newest
    named = make_run(about("snapshot", ref=first), snapshot=None, due_at=datetime.now(UTC))
    assert report(tools, named, NOW).snapshot_id == first
    assert len(tools.lake.ids()) == 2


def test_a_worker_that_lost_its_run_reports_nothing(house: House, make_run: MakeRun) -> None:
    run = make_run(snapshot=None, due_at=DUE - timedelta(days=1))
    house.tools.database[Collection.RUNS].update_one({"_id": run["_id"]}, {"$set": {"fence": 2, "worker": "other"}})
    with pytest.raises(Abandoned):
        report(house.tools, run, NOW)
    assert mailed(house, run) == {}


def test_a_worker_that_is_stopped_hands_over(house: House, make_run: MakeRun) -> None:
    run = make_run({"formats": ["html", "csv"]})
    with pytest.raises(Abandoned):
        report(house.tools._replace(stopping=lambda: True), run, NOW)
    assert mailed(house, run) == {}


def test_the_first_comparison_says_that_it_is_the_first(house: House, make_run: MakeRun) -> None:
    run = make_run({**about("comparison"), **only_when("rows"), "formats": ["html", "csv"]})
    assert report(house.tools, run, NOW).result["sent_to"] == 2
    letter = letter_of(house, run)
    assert "This is the first delivery of this report" in letter.html
    assert (letter.attachments, "This is the first delivery" in letter.text) == ((), True)


def test_a_comparison_tells_what_is_new_and_leads_to_it(house: House, make_run: MakeRun) -> None:
    run = make_run({**about("comparison"), **after(house.older)})
    done = report(house.tools, run, NOW)
    assert (done.result["rows"], "skipped" in done.result) == (139, False)
    path = page_links.comparison(house.older.snapshot_id, house.newer.snapshot_id)
    assert f"https://stock.example{path}" in letter_of(house, run).text
    same = make_run({**about("comparison"), **after(house.newer), **only_when("changed")})
    assert report(house.tools, same, NOW).result["skipped"].startswith("Not sent: nothing has changed")


def test_a_baseline_that_is_gone_begins_anew(house: House, make_run: MakeRun) -> None:
    gone = msgspec.structs.replace(house.older, snapshot_id="20200101T000000000Z-00000000")
    run = make_run({**about("comparison"), **after(gone)})
    report(house.tools, run, NOW)
    assert "The snapshot of the delivery before is no longer there" in letter_of(house, run).html


def test_what_has_not_changed_is_not_sent_again(house: House, make_run: MakeRun) -> None:
    asked = about("query", query=msgspec.json.encode(SPEC).decode())
    first = report(house.tools, make_run({**asked, **only_when("changed")}), NOW)
    run = make_run({**asked, **only_when("changed"), **after(house.newer, first.result["content_hash"])})
    again = report(house.tools, run, NOW)
    assert (again.result["sent_to"], again.result["skipped"]) == (0, again.note)
    assert again.note == "Not sent: nothing has changed since the last delivery."
    assert (mailed(house, run), folder(house.settings.mails, run["_id"]).exists()) == ({}, False)
    older = make_run({**asked, **only_when("changed"), **after(house.newer, first.result["content_hash"])}, house.older)
    assert report(house.tools, older, NOW).result["sent_to"] == 2


def test_a_report_without_rows_is_not_sent_if_so_wished(house: House, make_run: MakeRun) -> None:
    nothing = about("query", query={**SPEC, "filters": {"floor": "the moon"}})
    run = make_run({**nothing, **only_when("rows"), "formats": ["html", "csv", "xlsx", "json", "pdf"]})
    assert report(house.tools, run, NOW).result["skipped"] == "Not sent: the report has no rows."
    whole = make_run({**nothing, "formats": ["html", "csv", "xlsx", "json", "pdf"]})
    assert report(house.tools, whole, NOW).result["rows"] == 0
    assert "No groups." in letter_of(house, whole).html


def test_a_limit_is_told_and_so_is_the_recovery(house: House, make_run: MakeRun) -> None:
    watch = {**about("summary"), **only_when("figure", "accuracy", "lt", 0.9)}
    over = make_run(watch)
    assert report(house.tools, over, NOW).result["over_limit"] is True
    assert letter_of(house, over).subject.startswith("[StockVerify] Morning report: Accuracy below 90.0%, as of ")
    silent = make_run({**watch, **after(house.newer, over_limit=True)})
    done = report(house.tools, silent, NOW)
    assert (done.result["sent_to"], done.result["over_limit"]) == (0, True)
    easier = {**watch, **only_when("figure", "accuracy", "lt", 0.5), **after(house.newer, over_limit=True)}
    back = make_run(easier)
    assert report(house.tools, back, NOW).result["over_limit"] is False
    assert ": Accuracy back within its limit, as of " in letter_of(house, back).subject


def test_a_test_goes_to_who_asked_whatever_the_condition(house: House, make_run: MakeRun) -> None:
    never = {**about("summary"), **only_when("figure", "accuracy", "lt", 0.0)}
    run = make_run(never, purpose="test", requested_email="eve@example.com")
    done = report(house.tools, run, NOW)
    assert mailed(house, run) == {"eve@example.com": "test"}
    assert letter_of(house, run).subject.endswith(" CET (test)")
    assert "By its condition it would not have been: Accuracy is" in done.note
    with pytest.raises(NoAddress):
        report(house.tools, make_run(never, purpose="test"), NOW)


def test_a_preview_goes_to_nobody(house: House, make_run: MakeRun) -> None:
    run = make_run(purpose="preview", requested_email="eve@example.com")
    assert report(house.tools, run, NOW).result["sent_to"] == 0
    assert mailed(house, run) == {}
    assert letter_of(house, run).subject.endswith("(preview)")


def test_a_late_report_says_so(house: House, make_run: MakeRun) -> None:
    run = make_run(**LATE)
    report(house.tools, run, NOW)
    letter = letter_of(house, run)
    assert (letter.late, letter.subject.endswith(" CET (late)")) == (True, True)
    said = "This report is late: it was due 2 Jan 2026, 07:00 CET, and was made 5 Jan 2026, 07:01 CET."
    assert said in letter.html
    assert said in letter.text


def test_names_are_text_and_never_markup_headers_or_templates(house: House, make_run: MakeRun) -> None:
    run = make_run({"name": HOSTILE, "owner": "<b>eve</b>\u202e"})
    report(house.tools, run, NOW)
    letter = letter_of(house, run)
    assert "\r" not in letter.subject + letter.text
    assert "\n" not in letter.subject
    assert "Bcc: all@example.com, as of" in letter.subject
    assert "<script" not in letter.html
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; {{ 7*7 }}" in letter.html
    assert "<b>eve" not in letter.html
    assert "\u202e" not in letter.html + letter.text
    assert not [line for line in letter.text.splitlines() if line.startswith("Bcc:")]
    assert "src=" not in letter.html.replace('src="cid:', "")


def test_everybody_unsubscribed_is_no_delivery(house: House, make_run: MakeRun) -> None:
    run = make_run({"recipients": ["ann@example.com"], "unsubscribed": ["Ann@Example.com"]})
    assert "everybody has unsubscribed" in report(house.tools, run, NOW).result["skipped"]


def test_a_saved_query_and_filters_of_the_schedule(house: House, make_run: MakeRun) -> None:
    document = {
        "_id": "q-1",
        "name": "By floor",
        "description": "<i>all</i>",
        "query_spec": msgspec.json.encode(SPEC).decode(),
    }
    house.tools.database[Collection.QUERIES].insert_one(document)
    run = make_run(about("query", ref="q-1"))
    assert report(house.tools, run, NOW).result["rows"] == 3
    letter = letter_of(house, run)
    assert "By floor. &lt;i&gt;all&lt;/i&gt;" in letter.html
    spec = msgspec.convert(SPEC, QuerySpec)
    assert page_links.rows(house.newer.snapshot_id, spec).replace("&", "&amp;") in letter.html
    narrowed = make_run(about("query", ref="q-1", params={"floor": "Ground Floor"}))
    assert report(house.tools, narrowed, NOW).result["rows"] == 1


@pytest.mark.parametrize(
    ("report_on", "headings", "chart", "tile"),
    [
        (
            {"ref": "variance_by_category"},
            ("Category", "Item code count", "Book sum", "Verified sum", "Variance sum", "Variance value sum"),
            "Variance value sum by category",
            "Variance value sum",
        ),
        (
            {
                "query": {
                    "collection": "positions",
                    "filters": {"variance_qty": {"lt": 0}, "counted": True},
                    "sort": {"variance_value": 1},
                }
            },
            ("Rack", "Bin", "Item code", "Variance", "Variance value"),
            "Variance value by floor",
            "Sum of variance value",
        ),
    ],
    ids=["groups", "rows"],
)
def test_a_mail_shows_first_what_its_question_is_about(
    house: House, make_run: MakeRun, report_on: dict[str, Any], headings: tuple[str, ...], chart: str, tile: str
) -> None:
    plan = plan_of(make_run(about("template" if "ref" in report_on else "query", **report_on)))
    content = of_query(house.tools, plan, house.newer)
    assert content.excerpt.headings == headings
    assert [each.title for each in content.drawings()] == [chart]
    assert [each.label for each in content.tiles][1] == tile


def test_columns_are_those_that_were_asked_for(house: House, make_run: MakeRun) -> None:
    run = make_run({**about("snapshot", columns=["item_code", "verified_qty"]), "formats": ["csv"]})
    report(house.tools, run, NOW)
    file, manifest = letter_of(house, run).attachments
    told = msgspec.json.decode((folder(house.settings.mails, run["_id"]) / manifest.name).read_bytes())
    assert (manifest.name, told["snapshot_id"]) == (f"{file.name}.manifest.json", house.newer.snapshot_id)
    text = (folder(house.settings.mails, run["_id"]) / file.name).read_text("utf-8-sig")
    assert text.splitlines()[0] == "item_code,verified_qty"


def test_files_that_fit_only_when_zipped_come_in_one_zip(house: House, make_run: MakeRun) -> None:
    asked = {**about("snapshot"), "formats": ["csv", "json"]}
    plain = make_run(asked)
    report(house.tools, plain, NOW)
    whole = sum(each.bytes for each in letter_of(house, plain).attachments)
    run = make_run({**asked, "max_attachment_bytes": whole - 1})
    report(house.tools, run, NOW)
    letter = letter_of(house, run)
    [archive] = letter.attachments
    assert (archive.name, archive.media_type, archive.bytes < whole) == ("Morning-report.zip", "application/zip", True)
    assert all(
        f"The files are zipped: {size(whole)} in all is more than" in text for text in (letter.html, letter.text)
    )
    with zipfile.ZipFile(folder(house.settings.mails, run["_id"]) / archive.name) as opened_zip:
        names = opened_zip.namelist()
        [table] = [name for name in names if name.endswith(".csv")]
        assert len(opened_zip.read(table).splitlines()) == 1 + 597
    assert sorted(name.partition(".")[2] for name in names) == [
        "csv",
        "csv.manifest.json",
        "json",
        "json.manifest.json",
    ]


@pytest.mark.parametrize(
    ("schedule", "error", "message"),
    [
        (about("query", ref="q-none"), SavedQueryGone, "q-none of this report was deleted"),
        (about("template", ref="magic"), TemplateUnknown, "no template 'magic'"),
        (about("query"), NothingAsked, "has no query"),
        (about("query", query={"collection": "nothing"}), StockVerifyError, "nothing"),
        (about("query", query="{"), PlanUnreadable, "its query"),
        (about("weather"), PlanUnreadable, "weather"),
        ({"zone": "Mars/Olympus"}, StockVerifyError, "Mars/Olympus"),
        ({"formats": ["exe"]}, StockVerifyError, "'exe'"),
        (about("snapshot", columns=["wrong"]), StockVerifyError, "no column 'wrong'"),
        (only_when("figure", "profit", "gt", 1.0), StockVerifyError, "'profit'"),
    ],
)
def test_what_cannot_be_reported_says_why(
    house: House, make_run: MakeRun, schedule: Document, error: type[StockVerifyError], message: str
) -> None:
    run = make_run(schedule)
    with pytest.raises(error, match=message):
        report(house.tools, run, NOW)
    assert mailed(house, run) == {}


def test_a_named_snapshot_that_is_gone_fails(house: House, make_run: MakeRun) -> None:
    with pytest.raises(SnapshotNotFound):
        report(house.tools, make_run(about("snapshot", ref="20200101T000000000Z-00000000"), snapshot=None), NOW)


def test_a_stock_that_nobody_has_counted_is_reported_too(house: House, make_run: MakeRun, tmp_path: Any) -> None:
    settings = msgspec.structs.replace(house.settings, data_dir=tmp_path, mongodb_database="empty_house")
    database = house.tools.database.client["empty_house"].with_options(house.tools.database.codec_options)
    tools = house.tools._replace(lake=Lake(settings.lake), settings=settings, database=database)
    database["erp_items"].insert_one(item("R1", "00123", 2.0))
    run = make_run(snapshot=None, due_at=DUE)
    database[Collection.RUNS].insert_one(run)
    done: Done = report(tools, run, NOW)
    assert done.result["rows"] == 1
    assert "No lines with a variance in value." in opened(settings.mails, run["_id"]).html
