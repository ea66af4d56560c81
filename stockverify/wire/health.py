"""Whether the service can do its work."""

from typing import Literal

from stockverify.breaker import BreakerState
from stockverify.wire.common import Reply


class Health(Reply, frozen=True, kw_only=True):
    """Whether the service can do its work: each backend is up or down; a breaker is closed, half_open or open."""

    status: Literal["healthy", "degraded", "unhealthy"]
    services: dict[str, Literal["up", "down"]]
    breakers: dict[str, BreakerState]
    version: str
