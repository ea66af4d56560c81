"""Posts bodies as they are, for tests of what a service makes of bad and of large ones."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from pymongo.database import Database

from tests.service import Service, claim, record

Stored = Database[dict[str, Any]]
BATCH = "/api/sync/batch"


class Sender(NamedTuple):
    """Posts bodies as they are, and judges the replies."""

    client: httpx.Client
    grant: dict[str, Any]
    stored: "Stored"

    def record(self, name: str, **changes: Any) -> dict[str, Any]:
        """A record of this sender's rack, on a line of its own."""
        return record(self.grant, f"{self.grant['rack_id']}-{name}", f"I-{name}", **changes)

    def post(self, body: bytes, path: str = BATCH, **headers: str) -> httpx.Response:
        """Whatever the body is, the service lives on and explains itself."""
        reply = self.client.post(path, content=body, headers={"Content-Type": "application/json"} | headers)
        assert reply.status_code < 500, reply.text
        if reply.status_code != 200:
            assert reply.headers["content-type"].startswith("application/problem+json")
            assert len(reply.json()["detail"]) > 10
        return reply

    def refused(self, body: bytes, status: int = 400, **headers: str) -> str:
        """The reason why a whole body was refused."""
        reply = self.post(body, **headers)
        assert reply.status_code == status, reply.text
        detail: str = reply.json()["detail"]
        return detail

    def among_good(self, *bad: dict[str, Any] | str) -> list[dict[str, Any]]:
        """Send records, or their raw JSON, between two good ones; the good are stored, and the bad ones' entries
        in `errors` are returned."""
        self.stored.verification_records.delete_many({"rack_id": self.grant["rack_id"]})
        good = [self.record("first", bin="first"), self.record("last", bin="last")]
        raw = [each if isinstance(each, str) else json.dumps(each) for each in bad]
        body = '{"records": [' + ",".join([json.dumps(good[0]), *raw, json.dumps(good[1])]) + "]}"
        reply = self.post(body.encode("utf-8", "surrogatepass"))
        assert reply.status_code == 200, reply.text
        answer = reply.json()
        assert answer["total_records"] == len(bad) + 2
        names = [good[0]["client_record_id"], good[1]["client_record_id"]]
        assert (answer["ok"][0], answer["ok"][-1]) == tuple(names)
        assert self.stored.verification_records.count_documents({"_id": {"$in": names}}) == 2
        errors: list[dict[str, Any]] = answer["errors"]
        return errors


@pytest.fixture(scope="module")
def sender(service: Service, mongo: Any) -> Iterator[Sender]:
    """One person with one rack for the whole corpus."""
    person = service.person(device="d-bad")
    yield Sender(person, claim(person, service.rack("BAD")), mongo[service.settings.mongodb_database])
