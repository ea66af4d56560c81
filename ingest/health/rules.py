"""What the state of the backends means for the service."""

from collections.abc import Mapping
from typing import Literal


def judge(services: Mapping[str, str]) -> Literal["healthy", "degraded", "unhealthy"]:
    """Without MongoDB nothing can be kept: unhealthy. Without Redis nobody can claim, but sync goes on: degraded."""
    if services["mongodb"] != "up":
        return "unhealthy"
    return "healthy" if services["redis"] == "up" else "degraded"
