"""`python -m tests.patient`: the service, but a machine that is busy for some seconds is no outage to it, and its
reports do not stand back for all other work, for as long as that lasts.

What the service does when its backends are away or slow has tests of its own, with the service as it is.
"""

import sys
from typing import Any

import redis.asyncio

from ingest import outages
from ingest.__main__ import main
from ingest.reports import desk
from stockverify import clients
from stockverify.settings import Settings

SECONDS = 60.0
"""Clients of tests wait longer than that."""

_open_redis = clients.open_redis


def _open_patiently(url: str) -> "redis.asyncio.Redis":
    return _open_redis(f"{url}?socket_timeout={SECONDS}&socket_connect_timeout={SECONDS}")


class _Eager(desk.Desk):
    def __init__(self, settings: Settings, patience: float, niceness: int, **more: Any) -> None:
        super().__init__(settings, patience, 0, **more)


if __name__ == "__main__":
    outages.PATIENCE_SECONDS, clients.open_redis = SECONDS, _open_patiently
    desk.Desk = _Eager  # type: ignore[misc]
    sys.exit(main())
