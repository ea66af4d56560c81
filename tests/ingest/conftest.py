"""What several tests of the service look through."""

from collections.abc import Iterator

import pytest
from redis import Redis

from stockverify.services.embedded import Backends


@pytest.fixture
def leases(embedded: Backends) -> Iterator["Redis"]:
    """A plain Redis client, to look at leases and to lose them."""
    with Redis.from_url(embedded.settings.redis_address() or "", decode_responses=True) as client:
        yield client
