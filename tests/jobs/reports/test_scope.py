"""A mailed report holds what its owner may see, whoever gets it."""

import pytest

from jobs.reports.report import report
from stockverify.letters import folder, opened
from stockverify.vocabulary import Collection
from tests.jobs.reports.conftest import NOW, House, MakeRun, about, after

LINES = {"collection": "positions", "group_by": ["floor", "rack_id"], "aggregations": {"item_code": "count"}}


@pytest.mark.parametrize("subject", ["query", "summary", "snapshot", "comparison"])
def test_a_report_is_of_the_floors_of_its_owner(house: House, make_run: MakeRun, subject: str) -> None:
    database = house.tools.database
    first, *others = sorted(database[Collection.ERP_ITEMS].distinct("floor"))
    racks = database[Collection.ERP_ITEMS].distinct("rack_id", {"floor": {"$in": others}})
    owner = {"_id": f"u-{subject}", "username": subject, "is_active": True, "role": "supervisor", "floors": [first]}
    database[Collection.USERS].insert_one(owner)
    asked = about(subject, query=LINES if subject == "query" else None)
    run = make_run(asked | after(house.older) | {"owner_id": owner["_id"], "formats": ["html", "csv"]})
    done = report(house.tools, run, NOW)
    assert done.snapshot_id == house.newer.snapshot_id
    assert done.result["sent_to"] == 2
    letter = opened(house.settings.mails, run["_id"])
    texts = [path.read_bytes() for path in folder(house.settings.mails, run["_id"]).rglob("*") if path.is_file()]
    written = b"\n".join(texts).decode(errors="replace")
    assert letter.subject
    assert [name for name in (*others, *racks) if f">{name}<" in written or f",{name}," in written] == []
    assert subject in ("summary", "comparison") or first in written
