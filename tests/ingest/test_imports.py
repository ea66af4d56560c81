"""Stock lists over HTTP: uploaded, read in whatever shape they come, checked, and imported just as the dry run said."""

import csv as csv_files
import io
import socket
from typing import Any

import httpx
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from stockverify.clients import Document, database
from tests.ingest.lists import bomb, check, commit, csv, ended, numbers, send, upload
from tests.service import Service
from tests.stockverify.stocklist.samples import xlsx_bytes

Stored = Database[Document]


@pytest.fixture
def stored(service: Service, mongo: "MongoClient[Document]") -> Stored:
    """What the service has stored."""
    return database(mongo, service.settings)


@pytest.fixture
def boss(service: Service) -> httpx.Client:
    """A supervisor, for each test another one, because open lists are counted."""
    return service.person("supervisor")


@pytest.fixture
def rack(service: Service) -> str:
    """A rack that the book does not have."""
    return service.rack("IMP")


def book(stored: Stored, rack: str) -> dict[str, float]:
    """The book of a rack."""
    lines = stored.erp_items.find({"rack_id": rack}).sort([("rack_id", 1), ("bin", 1), ("item_code", 1)])
    return {line["item_code"]: line["book_qty"] for line in lines}


def test_a_list_is_read_checked_and_imported_as_its_dry_run_says(boss: httpx.Client, stored: Stored, rack: str) -> None:
    job = upload(boss, csv(f"{rack},F,00123,Bolt,3,0.5", f"{rack},F,B,Nut,many,0.5", f"{rack},F,C,Nail,2,0.1"))
    recognised = job["checked"]["recognised"]
    assert (recognised["kind"], recognised["encoding"], recognised["delimiter"]) == ("csv", "utf-8", ",")
    assert recognised["headings"][2] == {"name": "item_code", "samples": ["00123", "B", "C"]}
    assert recognised["columns"]["book_qty"] == "book_qty"
    expected = {"rows_read": 3, "rejected": 1, "added": 2, "changed": 0, "unchanged": 0, "new_racks": 1}
    assert numbers(job) == expected
    assert job["checked"]["outcome"]["bad_rows"] == [
        {"line": 3, "column": "book_qty", "value": "many", "reason": "is not a number with a decimal point"}
    ]
    assert book(stored, rack) == {}
    assert commit(boss, job).status_code == 202
    done = ended(boss, job)
    assert (done["status"], done["overtaken"], done["writes_done"], done["writes_total"]) == ("done", 0, 3, 3)
    assert numbers(done) == expected
    assert book(stored, rack) == {"00123": 3.0, "C": 2.0}
    listed = next(each for each in boss.get("/api/imports/").json() if each["import_id"] == job["import_id"])
    assert (listed["status"], listed["added"], listed["rejected"]) == ("done", 2, 1)


def test_a_second_list_says_what_it_changes_and_what_is_gone(boss: httpx.Client, stored: Stored, rack: str) -> None:
    first = upload(boss, csv(f"{rack},F,A,Bolt,3,0.5", f"{rack},F,B,Nut,4,0.5", f"{rack},F,C,Nail,2,0.1"))
    commit(boss, first).raise_for_status()
    ended(boss, first)
    gone = stored.erp_items.count_documents({}) - 2
    again = upload(boss, csv(f"{rack},F,A,Bolt,5,0.5", f"{rack},F,B,Nut,4,0.5"))
    outcome = again["checked"]["outcome"]
    assert (outcome["changed"], outcome["unchanged"], outcome["added"], outcome["gone"]) == (1, 1, 0, gone)
    assert outcome["changed_first"] == [
        {"line": 2, "rack_id": rack, "bin": "", "item_code": "A", "changes": {"book_qty": [3.0, 5.0]}}
    ]


def test_columns_are_mapped_by_hand_and_only_these_are_taken(boss: httpx.Client, stored: Stored, rack: str) -> None:
    job = upload(boss, csv(f"{rack},9,A,Bolt,3", heading="rack_id,Ort,Artikel,Bezeichnung,Bestand"))
    assert job["checked"]["recognised"]["columns"] == {"rack_id": "rack_id"}
    assert "no column for item_code, book_qty. Choose which one it is" in job["checked"]["problem"]
    mapped = {"rack_id": "rack_id", "item_code": "Artikel", "book_qty": "Bestand"}
    checked = check(boss, job, columns=mapped)
    assert (checked["checked"]["recognised"]["columns"], numbers(checked)["added"]) == (mapped, 1)
    commit(boss, checked).raise_for_status()
    ended(boss, job)
    assert (
        stored.erp_items.find_one({"rack_id": rack, "bin": "", "item_code": "A"}, {"item_name": 1})["item_name"] is None
    )  # type: ignore[index]


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ";"), ("utf-16", "\t"), ("cp1252", "|"), ("cp1250", ";")]
)
def test_odd_encodings_and_delimiters(boss: httpx.Client, rack: str, encoding: str, delimiter: str) -> None:
    text = f"rack_id;item_code;item_name;book_qty\n{rack};A;Dübel größe;2,5\n".replace(";", delimiter)
    job = upload(boss, text.encode(encoding))
    if encoding == "cp1250":
        job = check(boss, job, encoding="cp1250", delimiter=";")
    found = job["checked"]["recognised"]
    assert (found["encoding"], found["delimiter"]) == (encoding, delimiter)
    assert found["headings"][2]["samples"] == ["Dübel größe"]
    assert job["checked"]["outcome"]["decimal_marks"]["book_qty"]["decimal"] == ","


def test_another_sheet_is_named_and_what_is_unclear_is_asked(boss: httpx.Client, rack: str) -> None:
    stock = [["rack_id", "item_code", "book_qty"], [rack, "A", "1.234"]]
    job = upload(boss, xlsx_bytes(("Cover", [["Stock"], ["of today"]]), ("Stock", stock)), "stock.xlsx")
    assert (job["checked"]["recognised"]["sheet"], job["checked"]["recognised"]["sheets"]) == (
        "Cover",
        ["Cover", "Stock"],
    )
    job = check(boss, job, sheet="Stock")
    assert "can be read in two ways" in job["checked"]["problem"]
    assert "--" not in job["checked"]["problem"]
    assert numbers(check(boss, job, sheet="Stock", decimal=","))["added"] == 1


def test_bad_rows_are_downloaded_whole(boss: httpx.Client, rack: str) -> None:
    lines = [f"{rack},F,I{number},x,{'-' if number % 2 else ''}{number},1" for number in range(1, 1200)]
    job = upload(boss, csv(*lines), "März 1.csv")
    assert (job["checked"]["outcome"]["rejected"], len(job["checked"]["outcome"]["bad_rows"])) == (600, 500)
    reply = boss.get(f"/api/imports/{job['import_id']}/rejects")
    assert reply.headers["content-type"].startswith("text/csv")
    assert 'filename="M-rz-1-bad-rows.csv"' in reply.headers["content-disposition"]
    rows = list(csv_files.DictReader(io.StringIO(reply.content.decode("utf-8-sig"))))
    assert len(rows) == 600
    assert rows[0] | {"rack_id": "", "floor": ""} == {
        "reject_line": "2",
        "reject_column": "book_qty",
        "reject_value": "-1",
        "reject_reason": "is negative",
        "rack_id": "",
        "floor": "",
        "item_code": "I1",
        "item_name": "x",
        "book_qty": "-1",
        "unit_cost": "1",
    }


def test_a_book_that_changed_since_the_dry_run_is_told_and_nothing_is_written(
    boss: httpx.Client, service: Service, stored: Stored, rack: str
) -> None:
    job = upload(boss, csv(f"{rack},F,A,Bolt,3,0.5", f"{rack},F,B,Nut,4,0.5"))
    other = upload(service.person("supervisor"), csv(f"{rack},F,A,Bolt,7,0.5"))
    commit(service.admin, other).raise_for_status()
    ended(boss, other)
    assert commit(boss, job).status_code == 202
    back = ended(boss, job)
    assert (back["status"], back["finished_at"]) == ("open", None)
    assert back["note"] == "The book has changed since the dry run, so nothing was written. This is the new dry run."
    assert (numbers(back)["added"], numbers(back)["changed"]) == (1, 1)
    assert book(stored, rack) == {"A": 7.0}
    assert commit(boss, job).status_code == 409
    commit(boss, back).raise_for_status()
    assert ended(boss, job)["status"] == "done"
    assert book(stored, rack) == {"A": 3.0, "B": 4.0}


def test_what_was_not_agreed_to_is_refused(boss: httpx.Client, service: Service, rack: str) -> None:
    job = upload(boss, csv(f"{rack},F,A,Bolt,3,0.5"))
    assert "another file" in commit(boss, job, sha256="0" * 64).json()["detail"]
    assert "checked again" in commit(boss, job, plan="0" * 64).json()["detail"]
    stranger = commit(service.person("supervisor"), job)
    assert (stranger.status_code, "its uploader or an admin" in stranger.json()["detail"]) == (403, True)
    unclear = upload(boss, csv(f"{rack},1.234", heading="rack_id,book_qty"))
    refused = boss.post(
        f"/api/imports/{unclear['import_id']}/commit", json={"sha256": unclear["sha256"], "plan": "0" * 64}
    )
    assert (refused.status_code, "no column for item_code" in refused.json()["detail"]) == (409, True)
    commit(boss, job).raise_for_status()
    ended(boss, job)
    assert "is done: it cannot be changed any more" in commit(boss, job).json()["detail"]
    assert boss.get("/api/imports/imp-nothing").status_code == 404


HOSTILE: dict[str, tuple[bytes, int, str]] = {
    "more than an upload may have": (bytes(32 * 2**20 + 1), 413, "larger than 33,554,432 bytes"),
    "a bomb that says what it is": (bomb(300), 413, "unpacked it has 314,"),
    "a bomb that lies about it": (bomb(300, says=100), 201, "its content is damaged"),
    "nothing": (b"", 400, "The upload is empty"),
    "NUL bytes": (b"rack_id,item_code,book_qty\nR1,A\x00,1\n", 201, "neither an .xlsx workbook nor text"),
    "the old format": (b"\xd0\xcf\x11\xe0" + bytes(512), 201, "old Excel format, or has a password"),
    "half a workbook": (xlsx_bytes(("S", [["a"], ["b"]]))[:300], 201, "not a whole archive"),
    "an open quote": (b'rack_id,item_code,book_qty\nR1,"A,1\n', 201, "never closed"),
    "a heading alone": (b"rack_id,item_code,book_qty\n", 201, "no rows below its heading"),
    "noise": (bytes(range(128, 160)) * 50, 201, "neither an .xlsx workbook nor text"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_in_a_sentence(boss: httpx.Client, name: str) -> None:
    data, status, words = HOSTILE[name]
    reply = send(boss, data)
    assert reply.status_code == status, reply.text
    said = reply.json()["checked"]["problem"] if status == 201 else reply.json()["detail"]
    assert words in said


def test_a_gigabyte_is_refused_before_it_is_sent(service: Service) -> None:
    head = (
        "POST /api/imports/?name=x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n"
        f"Authorization: {service.admin.headers['Authorization']}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.settings.api_port), timeout=10) as line:
        line.sendall(head.encode())
        reply = b""
        while b"}" not in reply:
            reply += line.recv(65536)
    assert reply.startswith(b"HTTP/1.1 413")
    assert b"larger than 33,554,432 bytes" in reply


def test_formulas_and_codes_stay_what_they_are(boss: httpx.Client, stored: Stored, rack: str) -> None:
    job = upload(boss, csv(f'{rack},F,=1+1,"=HYPERLINK(""x"")",1,1', f"{rack},F,123456789012345678,$where,1,1"))
    commit(boss, job).raise_for_status()
    assert ended(boss, job)["status"] == "done"
    assert set(book(stored, rack)) == {"=1+1", "123456789012345678"}


def test_headings_may_be_called_anything(boss: httpx.Client, rack: str) -> None:
    heading = "rack_id,$where,a.b,__proto__,book_qty"
    job = upload(boss, csv(f"{rack},A,x,y,1", heading=heading))
    mapped = {"rack_id": "rack_id", "item_code": "$where", "item_name": "a.b", "book_qty": "book_qty"}
    assert check(boss, job, columns=mapped)["options"]["columns"] == mapped
    reply = boss.post(f"/api/imports/{job['import_id']}/check", json={"columns": {"$set": "a.b"}})
    assert (reply.status_code, "no column '$set'" in reply.json()["detail"]) == (400, True)


def test_open_lists_are_few_and_may_be_discarded(boss: httpx.Client, service: Service, rack: str) -> None:
    jobs = [upload(boss, csv(f"{rack},F,A,Bolt,{number},0.5")) for number in range(5)]
    assert send(boss, csv("x")).status_code == 429
    folder = service.settings.imports / jobs[0]["import_id"]
    assert (folder / "list").is_file()
    assert boss.delete(f"/api/imports/{jobs[0]['import_id']}").json()["success"] is True
    assert not folder.exists()
    assert boss.get(f"/api/imports/{jobs[0]['import_id']}").status_code == 404
    upload(boss, csv(f"{rack},F,A,Bolt,9,0.5"))


def test_who_did_what_is_in_the_audit_log(boss: httpx.Client, service: Service, rack: str, stored: Stored) -> None:
    job = upload(boss, csv(f"{rack},F,A,Bolt,3,0.5"), "C:\\lists\\March.csv")
    assert job["file"] == "March.csv"
    commit(boss, job).raise_for_status()
    ended(boss, job)
    entries = {each["action"]: each for each in stored.activity_logs.find({"subject": job["import_id"]})}
    name = boss.get("/api/auth/me").json()["username"]
    assert {action: entry["username"] for action, entry in entries.items()} == {
        "import.committed": name,
        "import.ended": name,
    }
    told: dict[str, Any] = entries["import.committed"]["details"]
    assert (told["sha256"], told["file"], told["added"]) == (job["sha256"], "March.csv", 1)
    assert not (service.settings.imports / job["import_id"]).exists()
