"""What the office does in the demo, over HTTP like any other client: people, recounts, snapshots, exports."""

import secrets
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from stockverify.demo.shelves import Reading
from stockverify.errors import SetupError
from stockverify.vocabulary import ConflictType, Resolution, Role, RunKind, RunStatus

_RUN_SECONDS = 120


class DemoFailed(SetupError):
    """The demo stopped: {reason}"""


class Person(NamedTuple):
    """A made-up person with a random password, which the demo prints at its end."""

    username: str
    full_name: str
    role: Role
    password: str


NAMES = ("Asha", "Ben", "Chika", "Dora", "Emil", "Fatou", "Goran", "Hana", "Ivo", "Jun", "Kofi", "Lena")


def cast(devices: int) -> tuple[Person, tuple[Person, ...]]:
    """A supervisor, and a counter for each device."""

    def person(username: str, full_name: str, role: Role) -> Person:
        return Person(username, full_name, role, secrets.token_urlsafe(9))

    counters = tuple(
        person(f"counter{n}", NAMES[(n - 1) % len(NAMES)] + ("" if n <= len(NAMES) else f" {n}"), Role.STAFF)
        for n in range(1, devices + 1)
    )
    return person("supervisor", "Sam Supervisor", Role.SUPERVISOR), counters


class Office:
    """An HTTP client with the rights of the person who logged in."""

    def __init__(self, api: str, username: str, password: str, device: str = "") -> None:
        self._client = httpx.Client(base_url=api, timeout=60, headers={"X-Device-ID": device} if device else {})
        self._login = {"username": username, "password": password}
        self._enter()

    def close(self) -> None:
        """Log out and close the connections."""
        self._call("POST", "/api/auth/logout")
        self._client.close()

    def hire(self, person: Person) -> None:
        """Make a user."""
        body = {
            "username": person.username,
            "password": person.password,
            "full_name": person.full_name,
            "role": person.role.value,
        }
        self._call("POST", "/api/auth/register", json=body)

    def give_address(self, username: str, email: str) -> None:
        """Give somebody an e-mail address."""
        self._call("PATCH", f"/api/auth/users/{username}", json={"email": email})

    def claim(self, rack_id: str, floor: str) -> str:
        """Claim a rack; returns the session."""
        return str(self._call("POST", f"/api/racks/{rack_id}/claim", json={"floor": floor})["session_id"])

    def pause(self, rack_id: str) -> None:
        """Keep a rack during a break."""
        self._call("POST", f"/api/racks/{rack_id}/pause")

    def count(self, rack_id: str, floor: str, session_id: str, reading: Reading, now: datetime) -> None:
        """Send one count, as a device does that has network."""
        line, name = reading.line, uuid.uuid4().hex
        record = {
            "client_record_id": f"c-{name}",
            "session_id": session_id,
            "rack_id": rack_id,
            "floor": floor,
            "bin": line.bin or None,
            "item_code": line.item_code,
            "verified_qty": reading.verified,
            "damage_qty": reading.damaged,
            "serial_numbers": reading.serials,
            "uom": line.uom or None,
            "category": line.category or None,
            "created_at": now.isoformat(),
            "updated_at": now.isoformat(),
            "revision": 1,
        }
        self._call("POST", "/api/sync/batch", json={"records": [record], "batch_id": f"b-{name}"})

    def heartbeat(self, session_id: str, unsent: int, age: int) -> None:
        """Say that the device is there, and what it has still to send. A login that has ended is opened anew."""
        headers = {"X-Queue-Length": str(unsent), "X-Queue-Age": str(age)}
        reply = self._client.post(f"/api/sessions/{session_id}/heartbeat", headers=headers)
        if reply.status_code == httpx.codes.UNAUTHORIZED:
            self._enter()

    def force_release(self, rack_id: str, reason: str) -> None:
        """Take a rack from its holder."""
        self._call("POST", f"/api/racks/{rack_id}/force-release", json={"reason": reason})

    def reverify(self, rack_id: str) -> None:
        """Have a completed rack counted again."""
        self._call("POST", f"/api/racks/{rack_id}/reverify")

    def settle_one(self, kind: ConflictType, note: str) -> None:
        """Keep the stored version in the newest conflict of a kind, if there is one."""
        asked = {"status": "pending", "conflict_type": kind.value, "limit": 1}
        for conflict in self._call("GET", "/api/sync/conflicts/", params=asked)["data"]["conflicts"]:
            body = {"resolution": Resolution.ACCEPT_SERVER.value, "resolution_note": note}
            self._call("POST", f"/api/sync/conflicts/{conflict['id']}/resolve", json=body)

    def look_for_anomalies(self) -> list[str]:
        """Have the worker look at the latest snapshot; returns the ids of what it flags, the most severe first."""
        run = self._call("POST", "/api/reports/schedules/sch-anomaly-scan/run")
        self._done(run, "look for anomalies")
        return [str(flag["flag_id"]) for flag in self._call("GET", "/api/reports/flags")["flags"]]

    def dismiss(self, flag_id: str, note: str) -> None:
        """Say why a flag needs no look."""
        self._call("POST", f"/api/reports/flags/{flag_id}/dismiss", json={"note": note})

    def snapshot(self, name: str) -> str:
        """Have the worker take a snapshot; returns its id once it is published."""
        run = self._call("POST", "/api/reports/runs", json={"kind": RunKind.MATERIALISE.value, "name": name})
        return str(self._done(run, "take a snapshot")["snapshot_id"])

    def schedule(self, wanted: dict[str, Any]) -> str:
        """Make a schedule; returns its id."""
        return str(self._call("POST", "/api/reports/schedules", json=wanted)["schedule_id"])

    def run(self, schedule_id: str) -> None:
        """Have a report made and mailed to all its recipients now, and wait until it is in the outbox."""
        self._done(self._call("POST", f"/api/reports/schedules/{schedule_id}/run"), "write a report")

    def test(self, schedule_id: str) -> None:
        """Have the report of a schedule mailed to oneself, and wait until it is in the outbox."""
        run = self._call("POST", f"/api/reports/schedules/{schedule_id}/test")
        self._done(run, "write a report")

    def compare(self, baseline: str, comparison: str, name: str) -> dict[str, Any]:
        """Compare two snapshots; returns the stored comparison."""
        body = {"snapshot_a_id": baseline, "snapshot_b_id": comparison, "comparison_name": name}
        return self._call("POST", "/api/reports/compare", json=body)

    def report(self, name: str, query: dict[str, Any], tags: tuple[str, ...]) -> str:
        """Keep the rows of a query on the data as they are now; returns the id of the report snapshot."""
        body = {"name": name, "query_spec": query, "tags": list(tags)}
        return str(self._call("POST", "/api/reports/snapshots", json=body)["snapshot_id"])

    def pin(self, snapshot_id: str) -> None:
        """Keep a snapshot, whatever retention says."""
        self._call("POST", f"/api/reports/snapshots/{snapshot_id}/pin")

    def try_list(self, path: Path, columns: dict[str, str]) -> None:
        """Upload a stock list and have a dry run of it; nothing is written."""
        sent = self._call("POST", "/api/imports/", params={"name": path.name}, content=path.read_bytes())
        self._call("POST", f"/api/imports/{sent['import_id']}/check", json={"columns": columns})

    def export(self, snapshot_id: str, kind: str, folder: Path) -> Path:
        """Download a snapshot as a file into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{snapshot_id}.{kind}"
        with self._client.stream(
            "GET", f"/api/reports/snapshots/{snapshot_id}/export", params={"format": kind}
        ) as reply:
            if reply.is_error:
                reply.read()
                raise _failure(reply)
            with path.open("wb") as file:
                for chunk in reply.iter_bytes():
                    file.write(chunk)
        return path

    def _done(self, run: dict[str, Any], what: str) -> dict[str, Any]:
        """The run at its end. Raises DemoFailed."""
        deadline = time.monotonic() + _RUN_SECONDS
        while time.monotonic() < deadline:
            run = self._call("GET", f"/api/reports/runs/{run['run_id']}")
            if run["status"] == RunStatus.SUCCEEDED:
                return run
            if run["status"] == RunStatus.FAILED:
                raise DemoFailed(reason=f"the worker could not {what}: {run['error']}")
            time.sleep(0.1)
        raise DemoFailed(reason=f"the worker did not {what} within {_RUN_SECONDS} s; look at its log")

    def _enter(self) -> None:
        self._client.headers.pop("Authorization", None)
        reply = self._call("POST", "/api/auth/login", json=self._login)
        self._client.headers["Authorization"] = f"Bearer {reply['data']['access_token']}"

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        reply = self._client.request(method, path, **request)
        if reply.is_error:
            raise _failure(reply)
        answer: dict[str, Any] = reply.json()
        return answer


def _failure(reply: httpx.Response) -> DemoFailed:
    return DemoFailed(
        reason=f"{reply.request.method} {reply.url.path} answered {reply.status_code}: {reply.text[:300]}"
    )
