"""`python -m tests.patient`: the service, but a machine that is busy for some seconds is no outage to it.

What the service does when its backends are away or slow has tests of its own, with the service as it is.
"""

import sys

import redis.asyncio

from ingest import outages
from ingest.__main__ import main
from stockverify import clients

SECONDS = 60.0
"""Clients of tests wait longer than that."""

_open_redis = clients.open_redis


def _open_patiently(url: str) -> "redis.asyncio.Redis":
    return _open_redis(f"{url}?socket_timeout={SECONDS}&socket_connect_timeout={SECONDS}")


if __name__ == "__main__":
    outages.PATIENCE_SECONDS, clients.open_redis = SECONDS, _open_patiently
    sys.exit(main())
